"""A task's lane: its dispatcher, its queues, its worker."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from drumbeat.limits import SQS_RECEIVES
from drumbeat.task import Task

from .dead_letters import DeadLetters
from .errors import SnapStartUnsupported
from .fire import Fire, Schedules
from .follow import Follow
from .function import Function
from .grants import allow_announce, allow_invoke, allow_poll, allow_send
from .ledger import IdempotencyRecords, Ledger
from .platform import Platform
from .queue import KEPT_AS_SOURCE, safe_queue
from .sources import grant_source
from .store import Store


class Lane(Construct):
    """One task from its fire to its worker; every number comes from the task."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  (CDK's name)
        *,
        task: Task,
        platform: Platform,
        ledger: Ledger,
        store: Store,
        dead_letters: DeadLetters,
        schedules: Schedules | None = None,
        idempotency: IdempotencyRecords | None = None,
    ) -> None:
        """schedules: where schedules are added at run time; idempotency: needed by a task with idempotent_by."""
        super().__init__(scope, id)
        _check_snapshots(task, platform)
        self.task = task
        self.dead_fires = safe_queue(self, "DeadFires", key=platform.encryption_key)
        self.dead_letters = dead_letters.queue
        self.queue = safe_queue(
            self,
            "Queue",
            key=platform.encryption_key,
            retention=KEPT_AS_SOURCE,
            visibility=Duration.seconds(task.visibility_timeout_s),
            dead_letters=self.dead_letters,
            max_receives=task.max_receives,
        )
        self.backfill_queue = self._backfill_queue(platform.encryption_key) if task.schedule is not None else None
        self._environment = {
            **task.environment,
            "DRUMBEAT_MODULE": task.module,
            "DRUMBEAT_TASK": task.name,
            "DRUMBEAT_TABLE": ledger.table.table_name,
            "DRUMBEAT_BUCKET": store.bucket.bucket_name,
            "DRUMBEAT_QUEUE_URL": self.queue.queue_url,
        }
        if self.backfill_queue is not None:
            self._environment["DRUMBEAT_BACKFILL_URL"] = self.backfill_queue.queue_url
        self.backfill_mapping: lambda_.EventSourceMapping | None = None
        self.dispatcher = self._dispatcher(platform, ledger, store)
        self.worker = self._worker(platform, ledger, store, idempotency if task.idempotent_by else None)
        grant_source(task, dispatcher=self.dispatcher, worker=self.worker, bucket=store.bucket)
        self._grant_declared(store.bucket.bucket_name)
        if schedules is not None:
            schedules.allow(self.dispatcher.function, self.dead_fires)
        if task.schedule is not None:
            Fire(
                self,
                "Fire",
                task=task.name,
                schedule=task.schedule,
                dispatcher=self.dispatcher.function,
                dead_letters=self.dead_fires,
                schedules=schedules,
            )
        if task.after or task.on is not None:
            Follow(self, "Follow", task=task, dispatcher=self.dispatcher.function, dead_letters=self.dead_fires)
        for upstream in task.upstream:
            store.grant_read(self.dispatcher, upstream)

    def _backfill_queue(self, key: kms.IKey | None) -> sqs.Queue:
        """Make the queue for runs of past fires, which must never be ahead of a live one's messages."""
        return safe_queue(
            self,
            "Backfill",
            key=key,
            retention=KEPT_AS_SOURCE,
            visibility=Duration.seconds(self.task.visibility_timeout_s),
            dead_letters=self.dead_letters,
            max_receives=SQS_RECEIVES,  # a chunk comes back whenever a live run is active
        )

    def _dispatcher(self, platform: Platform, ledger: Ledger, store: Store) -> Function:
        dispatcher = Function(
            self,
            "Dispatcher",
            platform=platform,
            handler="drumbeat.runtime.dispatcher.handler",
            service=self.task.name,
            description=f"Opens, expands and completes the runs of {self.task.name}",
            memory_mib=self.task.dispatcher_memory_mib,
            timeout=Duration.seconds(self.task.dispatcher_timeout_s),
            environment=self._environment,
            tracing=self.task.tracing,
            on_failure=self.dead_fires,
        )
        for queue in filter(None, (self.queue, self.backfill_queue)):
            allow_send(dispatcher, queue)
        ledger.grant_run(dispatcher, self.task)
        store.grant_publish(dispatcher, self.task.name)
        allow_announce(dispatcher)
        allow_invoke(dispatcher, dispatcher)
        return dispatcher

    def _worker(
        self, platform: Platform, ledger: Ledger, store: Store, idempotency: IdempotencyRecords | None
    ) -> Function:
        environment = {**self._environment, "DRUMBEAT_DISPATCHER": self.dispatcher.function.function_name}
        if idempotency:
            environment["DRUMBEAT_IDEMPOTENCY_TABLE"] = idempotency.table.table_name
        worker = Function(
            self,
            "Worker",
            platform=platform,
            handler="drumbeat.runtime.worker.handler",
            service=self.task.name,
            description=f"Does the items of {self.task.name}",
            memory_mib=self.task.memory_mib,
            timeout=Duration.seconds(self.task.timeout_s),
            environment=environment,
            tracing=self.task.tracing,
            snap_start=self.task.snap_start,
        )
        self._feed(worker, self.queue, "Mapping", enabled=True)
        if self.backfill_queue is not None:  # polled only while there is a backfill: the keeper switches it
            self.backfill_mapping = self._feed(worker, self.backfill_queue, "BackfillMapping", enabled=False)
        ledger.grant_settle(worker, self.task)
        store.grant_publish(worker, self.task.name)
        allow_invoke(worker, self.dispatcher)
        if idempotency:
            idempotency.grant_use(worker)
        return worker

    def _feed(self, worker: Function, queue: sqs.Queue, id: str, *, enabled: bool) -> lambda_.EventSourceMapping:  # noqa: A002
        """Let the worker have a queue's messages, if it is polled: polling an empty queue costs."""
        window = self.task.batch_window_s
        allow_poll(worker, queue)
        worker.allow("sqs:ChangeMessageVisibility", on=queue.queue_arn)  # the worker itself: when a chunk comes back
        return lambda_.EventSourceMapping(
            self,
            id,
            target=worker.live,
            event_source_arn=queue.queue_arn,
            enabled=enabled,
            batch_size=self.task.batch_size,
            max_batching_window=Duration.seconds(window) if window else None,
            max_concurrency=self.task.max_concurrency,
            report_batch_item_failures=True,
        )

    def _grant_declared(self, bucket: str) -> None:
        for permission in self.task.permissions:
            function = self.worker if permission.to == "work" else self.dispatcher
            resources = [arn.replace("{bucket}", bucket) for arn in permission.on]
            function.role.add_to_principal_policy(
                iam.PolicyStatement(actions=list(permission.actions), resources=resources)
            )


def _check_snapshots(task: Task, platform: Platform) -> None:
    """Refuse what CloudFormation would refuse after minutes."""
    if task.snap_start and not platform.target.has_snapshots:
        raise SnapStartUnsupported(
            f"task {task.name!r}: snap_start=True needs Python 3.12 or newer in Lambda, and the functions run on "
            f'Python {platform.target.python}; synthesize with a newer one, or give Target(python="3.13") to '
            "bundle_code and to the stack, or leave snap_start out"
        )
