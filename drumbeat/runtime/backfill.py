"""Backfill: the runs of a range of past fires, a few at a time, behind the live ones."""

import json

from drumbeat.ledger import backfills
from drumbeat.ledger.backfills import ACTIVE, DONE, Backfill
from drumbeat.ledger.past import due
from drumbeat.ledger.record import ENDED, OPENABLE, SKIPPED, WAITING, RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.run import BACKFILL, Run, format_time
from drumbeat.signal import Fire
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
        if _fire_again(services, task, runs, found):
            continue
        if len(found.runs) >= found.max_active:
            return
        following = next(due(task, found, runs.get), None)
        if following is None:
            backfills.end(services.table, task.name, DONE)
            logger.info("backfill has opened its last run", opened=found.opened)
            return
        if backfills.take(services.table, found, fire=format_time(following.scheduled_at), run_id=following.id):
            _fire(services, task, following)


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


def _fire_again(services: Services, task: Task, runs: Runs, found: Backfill) -> bool:
    """Fire what was listed and never opened, take off what has ended; whether there was such a one."""
    ended = False
    for run_id in sorted(found.runs):
        run = Run.parse(run_id)
        record = runs.get(run)
        if record is None or record.state in (*OPENABLE, SKIPPED):
            _fire(services, task, run)
        elif record.state in ENDED or record.state == WAITING:
            backfills.leave(services.table, task.name, run_id)
            ended = True
    return ended


def _fire(services: Services, task: Task, run: Run) -> None:
    dispatchers = json.loads(services.settings.dispatchers or "{}")
    dispatcher = dispatchers.get(task.name) or services.settings.dispatcher
    logger.info("backfill opens a run", opened=run.id)
    invoke(services, dispatcher, Fire(run, lane=BACKFILL).event())
