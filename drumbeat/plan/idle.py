"""What a deployed task costs while nothing runs: pollers that find nothing, the keeper's rounds, alarms."""

from collections.abc import Iterator

from drumbeat.schedule import Rate
from drumbeat.task import Task

from .usage import POLLER, Step, Usage

HOURS = 730
"""Of a month, as AWS reckons."""
IDLE_POLLERS, LONG_POLL_S = 5, 20
"""An SQS event source polls an empty queue so: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""
ROUND_S, KEEPER_MIB = 0.6, 512
"""A round of the keeper: nearly always a cold start; the seconds are an assumption."""
METRICS = 4
"""Names that the metrics of a run without failures have: billed for each hour in which they come."""
KEEPER = "keeper"


def idle(task: Task, *, keeper_every_s: float = 900, hours: float = HOURS, tasks: int = 1) -> Usage:
    """What so many hours cost without any run; `tasks`: how many tasks of the app share the keeper."""
    rounds = _rounds(task, hours, keeper_every_s, tasks)
    return Usage((*_polls(hours, tasks), *rounds, _alarms(task, hours, tasks), *_snapshot(task, hours)))


def metrics(runs: float, *, hours: float = HOURS) -> Step:
    """The metrics of a month's runs: each hour in which a metric comes is a share of its month."""
    within = min(runs, hours)
    how = f"{METRICS} metrics x {within:,.10g} h with runs / {hours:,.10g} h"
    return Step("metrics of the runs", how, METRICS * within / hours, "metric_months")


def _polls(hours: float, tasks: int) -> Iterator[Step]:
    polls = int(hours * 3600 / LONG_POLL_S) * IDLE_POLLERS
    how = f"{IDLE_POLLERS} pollers x {hours:,.10g} h / {LONG_POLL_S} s"
    shared = "" if tasks == 1 else f" / {tasks} tasks"
    for queue, more, count in (("the task's queue", "", polls), ("the app's dead letters", shared, polls / tasks)):
        what = f"empty receives, {queue}"
        yield Step(what, f"{how}{more}", count, "sqs_requests", "sqs", "ReceiveMessage", POLLER)


def _rounds(task: Task, hours: float, every_s: float, tasks: int) -> Iterator[Step]:
    rounds = int(hours * 3600 / every_s)
    shared = "" if tasks == 1 else f" / {tasks} tasks"
    how = f"{hours:,.10g} h / {every_s:g} s{shared}"
    yield Step("keeper's rounds", how, rounds / tasks, "lambda_requests", by=KEEPER)
    how = f"{rounds:,} rounds x {ROUND_S} s x {KEEPER_MIB} MiB / 1,024{shared}"
    yield Step("keeper's rounds", how, rounds * ROUND_S * KEEPER_MIB / 1024 / tasks, "lambda_gb_s", by=KEEPER)
    reads = (
        5 + (task.active_limit is not None) + (task.catch_up is not None)
    )  # its own, active runs, three of backfills
    how = f"{rounds:,} rounds x {reads} records"
    yield Step("keeper reads", how, rounds * reads, "dynamodb_read_units", "dynamodb", "GetItem", KEEPER)
    queries = isinstance(task.schedule, Rate) + (task.catch_up is not None) + 2 * bool(task.after)
    if queries:
        how = f"{rounds:,} rounds x {queries}"
        yield Step("keeper looks for runs", how, rounds * queries, "dynamodb_read_units", "dynamodb", "Query", KEEPER)
    how = f"{rounds:,} rounds"
    yield Step("keeper remembers", how, rounds, "dynamodb_write_units", "dynamodb", "UpdateItem", KEEPER)


def _alarms(task: Task, hours: float, tasks: int) -> Step:
    alarms = 2 + (task.schedule is not None)
    how = f"{alarms} of the task + 1 of the app" + ("" if tasks == 1 else f" / {tasks} tasks")
    return Step("alarms", how, (alarms + 1 / tasks) * hours / HOURS, "alarm_months")


def _snapshot(task: Task, hours: float) -> Iterator[Step]:
    """The worker's, kept for as long as its version is published."""
    if task.snap_start:
        how = f"{hours:,.10g} h x 3,600 s x {task.memory_mib:,} MiB / 1,024"
        gb_s = hours * 3600 * task.memory_mib / 1024
        yield Step("snapshot of the worker, cached", how, gb_s, "snap_start_cached_gb_s")
