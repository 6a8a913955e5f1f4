"""Which past fires of a task a backfill has still to run, and under which names: the same for all who ask."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain, count

from drumbeat.run import Run, parse_time
from drumbeat.schedule import Rate
from drumbeat.task import Task

from .backfills import Backfill
from .record import CANCELLED, ENDED, FAILED, OPENABLE, SKIPPED, SUCCEEDED, RunRecord

Lookup = Callable[[Run], RunRecord | None]
_SECOND = timedelta(seconds=1)


def due(task: Task, found: Backfill, get: Lookup) -> Iterator[Run]:
    """The runs that a backfill has still to open, in its order."""
    for fire in fires(task, found):
        run = _eligible(Run(task.name, fire), found.only, get)
        if run is not None:
            yield run


def fires(task: Task, found: Backfill) -> Iterator[datetime]:
    """The fires of a backfill's range after its cursor, in its order; those of a rate count from the range's start."""
    schedule, newest = task.schedule, found.order == "newest"
    if schedule is None:
        return
    first, last = parse_time(found.first), parse_time(found.last)
    after = parse_time(found.cursor) if found.cursor and not newest else first - _SECOND
    until = parse_time(found.cursor) - _SECOND if found.cursor and newest else last
    if after >= until:
        return
    if isinstance(schedule, Rate):
        begins = [first] if after < first and schedule.start is None else []
        instants = chain(begins, schedule.fires(after=first if begins else after, until=until, anchor=first))
    else:
        instants = chain([], schedule.fires(after=after, until=until))
    minutes = (instant.replace(second=0, microsecond=0) for instant in instants)
    yield from reversed(list(minutes)) if newest else minutes


def _eligible(run: Run, only: str, get: Lookup) -> Run | None:
    """The run to open for a fire: the one of its time, or a rerun of it; None if there is nothing to do."""
    record = get(run)
    if record is None or record.state in (*OPENABLE, SKIPPED):
        return run if only in ("missing", "all") else None
    if only == "missing" or record.state not in ENDED:
        return None
    for number in count(1):
        rerun = replace(run, name=f"rerun-{number}")
        later = get(rerun)
        if later is None:
            wanted = (FAILED, CANCELLED) if only == "failed" else (FAILED, CANCELLED, SUCCEEDED)
            return rerun if record.state in wanted else None
        if later.state not in ENDED:
            return None
        record = later
    return None
