"""Tasks whose runs meet others, fail, stop, wait, follow others and combine what they got."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from drumbeat import Backoff, Budget, Cron, Event, Range, Run, Task

from .items import do, sleepers

QUICK = Backoff(first_s=1, cap_s=2)
HELD = {"timeout_s": 900, "max_concurrency": 2}
"""Of tasks whose items wait for somebody to let them end."""
FEW = 2  # workers: each is a process of the emulator's
PER_SECOND = 4

skips = Task("skips", overlap="skip", **HELD)
one_waits = Task("one-waits", overlap="buffer_one", **HELD)
all_wait = Task("all-wait", overlap="buffer_all", **HELD)
replaces = Task("replaces", overlap="cancel_other", **HELD)
two_at_most = Task("two-at-most", overlap="allow", max_active_runs=2, **HELD)
every_minute = Task("every-minute", schedule=Cron("* * * * ? *"), catch_up=timedelta(minutes=10), max_concurrency=FEW)
for task in (skips, one_waits, all_wait, replaces, two_at_most, every_minute):
    task.expand(sleepers)
    task.work(do)

general = Task(
    "general",
    chunk_size=2,
    batch_size=1,
    max_concurrency=FEW,
    retries=2,
    backoff=QUICK,
    overlap="allow",
)
late = Task("late", chunk_size=1, batch_size=1, max_concurrency=FEW, deadline=timedelta(minutes=1))
strict = Task(
    "strict",
    chunk_size=1,
    batch_size=1,
    max_concurrency=FEW,
    retries=0,
    item_timeout_s=8,
    tolerated_failure_count=2,
)
stops = Task("stops", chunk_size=2, batch_size=1, retries=0, overlap="allow", **HELD)
for task in (general, stops, late, strict):
    task.expand(sleepers)
    task.work(do)

hourly = Task("hourly", schedule=Cron("0 * * * ? *"), retries=0, max_concurrency=FEW)
hourly.expand(Range(0, 30))


@hourly.work
def fail_each_fifth_hour(number: int, run: Run) -> None:
    """Fail in one hour of five, unless the fire is run again."""
    if number == 7 and not run.name and int(run.scheduled_at.timestamp()) // 3600 % 5 == 0:
        raise RuntimeError("the fifth hour")


totals = Task("totals", chunk_size=10, retries=0, max_concurrency=FEW)
totals.expand(Range(0, 250))


@totals.work
def square(number: int, run: Run) -> int:
    """Square a number, or fail if the run was asked to."""
    if run.params.get("fails"):
        raise RuntimeError("as asked")
    return number * number


@totals.complete
def add_up(run: Run, results: Iterator[int]) -> dict[str, Any]:
    """Add up the squares, and tell whether they came in order."""
    found = list(results)
    return {"sum": sum(found), "in_order": found == sorted(found)}


adds = Task("adds", chunk_size=1, max_concurrency=FEW)
adds.expand(Range(0, 60))


@adds.work
def itself(number: int, run: Run) -> int:
    """Give the number back."""
    del run
    return number


@adds.combine
def add(values: Iterator[int]) -> int:
    """Add up several results."""
    return sum(values)


report = Task("report", after=[totals], max_concurrency=FEW)


@report.expand
def of_totals(run: Run) -> Iterator[int]:
    """Yield what the run before this one has added up."""
    yield run.result("totals")["sum"]


@report.work
def keep(total: int, run: Run) -> int:
    """Give the total back."""
    del run
    return total


@report.complete
def only(run: Run, results: Iterator[int]) -> list[int]:
    """Return all there is."""
    del run
    return list(results)


mail = Task("mail", on=Event(source="emulator.shop", detail_type="Order placed"), max_concurrency=FEW)


@mail.expand
def orders(run: Run) -> list[Any]:
    """Yield what the event is about."""
    return [run.params["event"]["detail"]["order"]]


@mail.work
def send(order: int, run: Run) -> int:
    """Give the order back."""
    del run
    return order


paid = Task(
    "paid", chunk_size=4, batch_size=1, max_concurrency=FEW, budgets=(Budget("partner", per_second=PER_SECOND),)
)
paid.expand(Range(0, 24))


@paid.work
def now(number: int, run: Run) -> float:
    """Say when the item began."""
    del number, run
    return time.time()


@paid.complete
def instants(run: Run, results: Iterator[float]) -> list[float]:
    """Return when the items began."""
    del run
    return sorted(results)
