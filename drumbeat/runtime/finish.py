"""Finish a run: fan in, announce, and only then close; each of them may happen twice, none is lost."""

import json
from typing import Any

from drumbeat.errors import DrumbeatError, RunLost
from drumbeat.ledger import count
from drumbeat.ledger.count import Totals
from drumbeat.ledger.runs import FAILED, RUNNING, SUCCEEDED, RunRecord, Runs
from drumbeat.run import Run
from drumbeat.task import Task

from . import results
from .observability import count as metric
from .observability import frames, logger
from .services import Services

TRIES = 3
SOURCE = "drumbeat"
DETAIL_TYPE = "Run ended"


class AnnounceFailed(DrumbeatError):
    """EventBridge didn't take the announcement."""


class Finisher:
    """Ends one run whose chunks are all settled; a repeat, or one that comes too early, changes nothing."""

    def __init__(self, task: Task, run: Run, services: Services) -> None:
        self._task = task
        self._run = run
        self._services = services
        self._runs = Runs(services.table)

    def finish(self, owner: str) -> None:
        """Fan in if the run has succeeded, announce it, close it."""
        record = self._runs.get(self._run)
        if record is None:
            raise RunLost(f"{self._run.id} isn't in the ledger; it expired or was never opened")
        totals = count.totals_of(self._services.table, record.id, record.chunks) if record.sealed else None
        if record.state != RUNNING:
            self._runs.leave(record.task, record.id)
        elif totals is None:
            logger.warning("asked to finish a run that has unsettled chunks")
        elif (begun := self._runs.begin_finish(record, owner=owner)) is not None:
            self._end(begun, totals)

    def _end(self, record: RunRecord, totals: Totals) -> None:
        """The verdict comes before its announcement: another try after a crash must not announce a different one."""
        if not record.verdict:
            reason = self._why_failed(record, totals) or self._fan_in(record)
            record = self._runs.decide(record, verdict=FAILED if reason else SUCCEEDED, reason=reason)
        state, reason = record.verdict, record.reason
        announce(self._services, record, state, totals)
        closed = self._runs.close(self._run, state=state, totals=totals, reason=reason, now=self._services.now())
        metric("RunsSucceeded" if closed.state == SUCCEEDED else "RunsFailed")
        logger.info("run ended", state=closed.state, succeeded=totals.succeeded, failed=totals.failed)

    def _why_failed(self, record: RunRecord, totals: Totals) -> str:
        if record.reason:
            return record.reason
        if totals.items != record.items:
            return (
                f"{record.items} items were sent and {totals.items} counted: expand yielded other items when it was "
                "called again for the same run; make it deterministic"
            )
        tolerated = self._task.tolerated_failure_percentage
        if totals.failed * 100 > tolerated * totals.items:
            return f"{totals.failed} of {totals.items} items failed; {tolerated:g} % are tolerated"
        return ""

    def _fan_in(self, record: RunRecord) -> str:
        """Call the author's complete; why it failed for good, or nothing."""
        if self._task.fan_in is None:
            return ""
        if record.tries > TRIES:
            return f"complete didn't come to its end in {TRIES} tries; it may need more time or memory"
        try:
            self._task.fan_in(self._run, results.read(self._services, record))
        except Exception as error:
            logger.error("complete failed", error=type(error).__name__, frames=frames(error), attempt=record.tries)
            if record.tries < TRIES:
                raise
            return f"complete raised {type(error).__name__}: {error}"
        return ""


def announce(services: Services, record: RunRecord, state: str, totals: Totals) -> None:
    """Put the event that a run has ended, with an id that is the same however often it is announced."""
    detail: dict[str, Any] = {
        "id": f"{record.id}/{state}",
        "run": record.id,
        "task": record.task,
        "state": state,
        "scheduled_at": record.scheduled_at,
        "items": totals.items,
        "succeeded": totals.succeeded,
        "failed": totals.failed,
    }
    answer = services.events.put_events(
        Entries=[{"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps(detail)}]
    )
    if answer["FailedEntryCount"]:
        raise AnnounceFailed(f"EventBridge refused to announce {record.id}: {answer['Entries'][0].get('ErrorCode')}")
