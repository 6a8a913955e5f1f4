"""The keeper, once per app: finishes what stalled, announces what was lost, settles what was given up."""

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from .dead_letters import KEEPER_TIMEOUT_S, DeadLetters
from .fire import ATTEMPTS
from .function import Function
from .grants import allow_announce, allow_invoke, allow_send
from .lane import Lane
from .ledger import Ledger
from .platform import Platform
from .queue import only_from, safe_queue
from .sources import grant_lines
from .store import Store

CHECK = {"keeper": "check"}
_MEMORY_MIB = 512


class Keeper(Construct):
    """Checks every few minutes, and consumes the dead letters of all lanes, so that no run hangs on one."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  (CDK's name)
        *,
        lanes: Sequence[Lane],
        platform: Platform,
        ledger: Ledger,
        store: Store,
        dead_letters: DeadLetters,
        every: Duration,
        handlers: str,
    ) -> None:
        super().__init__(scope, id)
        self.dead_checks = safe_queue(self, "DeadChecks", key=platform.encryption_key)
        self.keeper = Function(
            self,
            "Keeper",
            platform=platform,
            handler="drumbeat.runtime.keeper.handler",
            service="keeper",
            description="Finishes, announces and settles what was left behind",
            memory_mib=_MEMORY_MIB,
            timeout=Duration.seconds(KEEPER_TIMEOUT_S),
            environment={
                "DRUMBEAT_TABLE": ledger.table.table_name,
                "DRUMBEAT_BUCKET": store.bucket.bucket_name,
                "DRUMBEAT_TASKS": ",".join(lane.task.name for lane in lanes),
                "DRUMBEAT_HANDLERS": handlers,
                "DRUMBEAT_DISPATCHERS": Stack.of(self).to_json_string(
                    {lane.task.name: lane.dispatcher.function.function_name for lane in lanes}
                ),
                "DRUMBEAT_BACKFILLS": Stack.of(self).to_json_string(
                    {
                        lane.task.name: lane.backfill_mapping.event_source_mapping_id
                        for lane in lanes
                        if lane.backfill_mapping is not None
                    }
                ),
            },
            on_failure=self.dead_checks,
        )
        ledger.grant_keep(self.keeper)
        store.grant_working_files(self.keeper)
        allow_announce(self.keeper)
        self.dead_letters = dead_letters
        dead_letters.feed(self.keeper)
        for lane in lanes:
            self._look_after(lane)
            grant_lines(lane.task, self.keeper, store.bucket)
        events.Rule(
            self,
            "Check",
            description="Lets the keeper look for what was left behind",
            schedule=events.Schedule.rate(every),
            targets=[
                targets.LambdaFunction(
                    self.keeper.function,
                    event=events.RuleTargetInput.from_object(CHECK),
                    dead_letter_queue=self.dead_checks,
                    max_event_age=every,  # the next check does the same
                    retry_attempts=ATTEMPTS,
                )
            ],
        )

    def _look_after(self, lane: Lane) -> None:
        for queue in filter(None, (lane.queue, lane.backfill_queue)):
            allow_send(self.keeper, queue)
            only_from(queue, lane.dispatcher.role, self.keeper.role)
        if lane.backfill_queue is not None and lane.backfill_mapping is not None:
            self.keeper.allow("lambda:UpdateEventSourceMapping", on=lane.backfill_mapping.event_source_mapping_arn)
        allow_invoke(self.keeper, lane.dispatcher)
