"""When a run has ended, the next one may start: by whichever function ended it, once, however often it tries."""

from drumbeat.ledger.active import Active
from drumbeat.ledger.record import CANCEL, CANCELLED, WAITING, RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.packing import Learned
from drumbeat.run import BACKFILL, Run
from drumbeat.signal import Resume
from drumbeat.task import Task

from . import backfill
from .announce import announce
from .invoke import invoke
from .observability import logger
from .services import Services


def active_runs(services: Services, task: Task) -> Active:
    """The active and waiting runs of a task."""
    return Active(services.table, task.name, limit=task.active_limit)


def depart(services: Services, task: Task, record: RunRecord) -> None:
    """Take a run that has ended off its task's active ones, and let those start that it kept waiting."""
    if record.state == CANCELLED and not record.started_at:
        announce(services, record)  # it never ran, so nobody else does
    active_runs(services, task).leave(record.id, _learned(record))
    promote(services, task)
    if record.lane == BACKFILL:
        backfill.depart(services, task, record)


def _learned(record: RunRecord) -> Learned | None:
    """What is known of the task's items after a run; None if it was redriven, as newer runs may have ended since."""
    if record.round:
        return None
    known = record.learned
    after = known.after(ms=record.worked_ms, attempts=record.attempts, succeeded=record.succeeded)
    return after if after != known else None


def promote(services: Services, task: Task) -> None:
    """Start the waiting runs that there is room for; what a crash has left between two steps is done now."""
    if task.active_limit is None:
        return
    runs = Runs(services.table)
    for run_id in sorted(active_runs(services, task).promote()):
        run = Run.parse(run_id)
        found = runs.get(run)
        if found is None or found.state != WAITING:
            continue
        record = runs.start(run, now=services.now(), deadline=task.deadline)
        if record is not None:
            logger.info("waiting run starts", run=run_id)
            invoke(services, record.dispatcher, Resume(run, record.epoch).event())


def cancel_others(services: Services, task: Task, run: Run) -> None:
    """Halt the runs of a task that are in a newer one's way."""
    for other in sorted(active_runs(services, task).listed() - {run.id}):
        if other > run.id:
            continue
        record = Runs(services.table).halt(
            Run.parse(other), kind=CANCEL, reason=f"cancelled for {run.id}", now=services.now()
        )
        logger.warning("run cancelled for a newer one", cancelled=other)
        if record is not None and record.state == CANCELLED:
            depart(services, task, record)
