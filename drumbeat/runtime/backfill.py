"""Backfill: the runs of a range of past fires, a few at a time, behind the live ones."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from drumbeat.ledger import backfills
from drumbeat.ledger.backfills import ACTIVE, DONE, Backfill
from drumbeat.ledger.record import CANCELLED, ENDED, FAILED, OPENABLE, SKIPPED, SUCCEEDED, WAITING, RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.run import Run, format_time, parse_time
from drumbeat.schedule import Rate
from drumbeat.signal import BACKFILL, Fire
from drumbeat.task import Task

from .invoke import invoke
from .observability import logger
from .services import Services


def depart(services: Services, task: Task, record: RunRecord) -> None:
    """Open the next runs of a backfill, one of whose runs has ended."""
    backfills.leave(services.table, task.name, record.id)
    advance(services, task)


def active(services: Services, task: Task) -> set[str]:
    """The ids of the active runs of a task's backfill."""
    found = backfills.read(services.table, task.name)
    return set(found.runs) if found else set()


def advance(services: Services, task: Task) -> None:
    """Open as many runs of a task's backfill as may be active; a repeat opens none twice."""
    runs = Runs(services.table)
    while (found := backfills.read(services.table, task.name)) is not None and found.state == ACTIVE:
        _fire_again(services, task, runs, found)
        if len(found.runs) >= found.max_active:
            return
        following = next(due(task, found, runs), None)
        if following is None:
            backfills.end(services.table, task.name, DONE)
            logger.info("backfill has opened its last run", opened=found.opened)
            return
        if backfills.take(services.table, found, fire=format_time(following.scheduled_at), run_id=following.id):
            _fire(services, task, following)


def due(task: Task, found: Backfill, runs: Runs) -> Iterator[Run]:
    """The runs that a backfill has still to open, in its order."""
    for fire in fires(task, found):
        run = _eligible(Run(task.name, fire), found.only, runs)
        if run is not None:
            yield run


def fires(task: Task, found: Backfill) -> Iterator[datetime]:
    """The fires of a backfill's range after its cursor, in its order; those of a rate count from the range's start."""
    first, last, second = parse_time(found.first), parse_time(found.last), timedelta(seconds=1)
    schedule = task.schedule
    if schedule is None:
        return iter(())
    newest = found.order == "newest"
    after = parse_time(found.cursor) if found.cursor and not newest else first - second
    until = parse_time(found.cursor) - second if found.cursor and newest else last
    anchor = {"anchor": first} if isinstance(schedule, Rate) else {}
    if anchor and after < first <= until:
        found_fires = [first, *schedule.fires(after=first, until=until, **anchor)]
    else:
        found_fires = list(schedule.fires(after=after, until=until, **anchor)) if after < until else []
    minutes = (fire.replace(second=0, microsecond=0) for fire in found_fires)
    return iter(sorted(minutes, reverse=newest))


def switch_mapping(services: Services, task: Task) -> None:
    """Let the queue of backfills be polled while there is a backfill, and only then: polling an empty one costs."""
    found = backfills.read(services.table, task.name)
    if found is None:
        return
    wanted = "on" if found.state == ACTIVE or found.runs else "off"
    mapping = json.loads(services.settings.backfills or "{}").get(task.name)
    if found.mapping == wanted or mapping is None:
        return
    services.functions.update_event_source_mapping(UUID=mapping, Enabled=wanted == "on")
    backfills.mark_mapping(services.table, task.name, wanted)
    logger.info("backfill queue switched", polled=wanted)


def _eligible(run: Run, only: str, runs: Runs) -> Run | None:
    """The run to open for a fire: the one of its time, or a rerun of it; None if there is nothing to do."""
    record = runs.get(run)
    if record is None or record.state in (*OPENABLE, SKIPPED):
        return run if only in ("missing", "all") else None
    if only == "missing" or record.state not in ENDED:
        return None
    for number in count(1):
        rerun = replace(run, name=f"rerun-{number}")
        later = runs.get(rerun)
        if later is None:
            wanted = (FAILED, CANCELLED) if only == "failed" else (FAILED, CANCELLED, SUCCEEDED)
            return rerun if record.state in wanted else None
        if later.state not in ENDED:
            return None
        record = later
    return None


def _fire_again(services: Services, task: Task, runs: Runs, found: Backfill) -> None:
    """Fire what was listed and never opened; take off what has ended."""
    for run_id in sorted(found.runs):
        run = Run.parse(run_id)
        record = runs.get(run)
        if record is None or record.state in (*OPENABLE, SKIPPED):
            _fire(services, task, run)
        elif record.state in ENDED or record.state == WAITING:
            backfills.leave(services.table, task.name, run_id)


def _fire(services: Services, task: Task, run: Run) -> None:
    dispatchers = json.loads(services.settings.dispatchers or "{}")
    dispatcher = dispatchers.get(task.name) or services.settings.dispatcher
    logger.info("backfill opens a run", opened=run.id)
    invoke(services, dispatcher, Fire(run, lane=BACKFILL).event())
