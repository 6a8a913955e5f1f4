"""Run a synthesized app for a while in the local cloud, and gather what it did."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drumbeat.errors import DrumbeatError
from drumbeat.ledger.letters import DeadLetter
from drumbeat.ledger.reader import dead_letters, list_runs
from drumbeat.ledger.record import RunRecord
from drumbeat.plan.bill import Bill, bill
from drumbeat.task import Task

from .files import Published, fetch_results, put_inputs, written
from .schedules import schedule_tasks, switch_off
from .watch import Watch, functions_of

if TYPE_CHECKING:
    from drumbeat.local import LocalCloud
    from drumbeat.local.iam import RoleReport
    from drumbeat.local.log import Entry

DEPLOYED_BEFORE = timedelta(minutes=1)
_INSTANT = timedelta(milliseconds=1)
_DRAIN = timedelta(days=1)
OnProgress = Callable[[datetime, Watch], None]


class OutputMissing(DrumbeatError):
    """The app's stack doesn't say where its bucket and its ledger are."""


@dataclass(frozen=True)
class Order:
    """What to run: the fires from `start` on and before `end`, of all tasks or of one."""

    app: Path
    assembly: Path
    tasks: dict[str, Task]
    start: datetime
    end: datetime
    seed: int = 0
    only: str | None = None
    out: Path | None = None
    log: Path | None = None
    timeline: Path | None = None

    @property
    def chosen(self) -> list[str]:
        return [self.only] if self.only else list(self.tasks)


@dataclass(frozen=True)
class Result:
    """What happened. `requests` are calls by service and operation; `polls` of those are the pollers' receives.

    `functions` tells the task and the kind (worker, ...) of a logical id.
    """

    order: Order
    runs: list[RunRecord]
    dead_letters: dict[str, list[DeadLetter]]
    requests: dict[str, dict[str, int]]
    polls: int
    invocations: dict[str, int]
    concurrency: dict[str, list[tuple[datetime, int]]]
    watch: Watch
    fires: int
    bill: Bill
    published: list[Published]
    permissions: "tuple[RoleReport, ...]"
    functions: dict[str, tuple[str, str]]
    ended: datetime
    idle: bool
    real_s: float


def simulate(order: Order, on_progress: OnProgress) -> Result:
    """Deploy, let virtual time pass from `start` to `end`, then until nothing is under way any more."""
    from drumbeat.local import LocalCloud

    began = time.perf_counter()
    watch = Watch(order.tasks)

    def see(entry: "Entry") -> None:
        watch.see(entry)
        log(entry)

    def progress(now: datetime, cloud: "LocalCloud") -> None:
        watch.read(cloud)
        on_progress(now, watch)

    with (
        written(order.log) as log,
        LocalCloud(
            order.assembly,
            start=order.start - DEPLOYED_BEFORE,
            seed=order.seed,
            durations=watch.duration,
            log_sink=see,
            progress=_seldom(progress),
        ) as cloud,
    ):
        bucket, table = (_output(cloud, name) for name in ("BucketName", "TableName"))
        put_inputs(cloud.client("s3"), bucket, order.app)
        if order.only:
            switch_off(cloud, besides=order.only)
        cloud.advance_to(order.end - _INSTANT)
        switch_off(cloud)
        idle = cloud.run_until_idle(_DRAIN)
        progress(cloud.now, cloud)
        if order.timeline is not None:
            cloud.timeline.write(order.timeline)
        runs = sorted(list_runs(cloud.client("dynamodb"), table, order.chosen), key=lambda run: run.scheduled_at)
        return Result(
            order=order,
            runs=runs,
            dead_letters={
                run.id: list(
                    dead_letters(cloud.client("dynamodb"), cloud.client("s3"), table=table, bucket=bucket, record=run)
                )
                for run in runs
            },
            requests=_requests(cloud),
            polls=cloud.service_requests["sqs", "ReceiveMessage"],
            invocations=dict(sorted(cloud.invocations.items())),
            concurrency={task: _workers(cloud, watch, task) for task in order.chosen},
            watch=watch,
            fires=sum(watch.fires[name] for name in schedule_tasks(cloud.deployment)),
            bill=_bill(cloud, watch),
            published=fetch_results(cloud.client("s3"), bucket, [run.id for run in runs], order.out),
            permissions=cloud.permissions(),
            functions={
                function.logical_id: (function.environment.get("DRUMBEAT_TASK", ""), _kind(function.handler))
                for function in cloud.deployment.functions
            },
            ended=cloud.now,
            idle=idle,
            real_s=time.perf_counter() - began,
        )


def _seldom(progress: Callable[..., None], every_s: float = 0.1) -> Callable[..., None]:
    """Call at most ten times a second of real time."""
    last = 0.0

    def call(*arguments: Any) -> None:
        nonlocal last
        now = time.perf_counter()
        if now - last >= every_s:
            last = now
            progress(*arguments)

    return call


def _kind(handler: str) -> str:
    """The module of a handler: worker, dispatcher, keeper."""
    return handler.rpartition(".")[0].rpartition(".")[2].rpartition("/")[2]


def _output(cloud: "LocalCloud", name: str) -> str:
    for outputs in cloud.deployment.outputs.values():
        if name in outputs:
            return outputs[name]
    raise OutputMissing(
        f"no stack of the app has an output {name}; compose it of drumbeat.cdk's Ledger and Store, as stacks/ does"
    )


def _requests(cloud: "LocalCloud") -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (service, operation), count in sorted((cloud.requests + cloud.service_requests).items()):
        found.setdefault(service, {})[operation] = count
    return found


def _workers(cloud: "LocalCloud", watch: Watch, task: str) -> list[tuple[datetime, int]]:
    names = functions_of(cloud.deployment, task, "worker")
    return watch.concurrency.get(names[0], []) if names else []


def _bill(cloud: "LocalCloud", watch: Watch) -> Bill:
    scheduled = sum(watch.fires[schedule.name] for schedule in cloud.deployment.schedules)
    usage = {**cloud.billed, "scheduler_invocations": scheduled}
    return bill(usage)
