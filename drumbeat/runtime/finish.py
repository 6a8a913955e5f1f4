"""Finish a run: fan in, announce, and only then close; each of them may happen twice, none is lost."""

import json
from typing import Any

from drumbeat.errors import Fenced, ResultNotJson, RunLost
from drumbeat.ledger import count
from drumbeat.ledger.count import Totals
from drumbeat.ledger.record import ABANDON, CANCEL, CANCELLED, FAILED, RUNNING, SUCCEEDED, WAITING, RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.run import Run
from drumbeat.task import Task
from drumbeat.untrusted import said, write_json

from . import results, tolerance
from .announce import announce
from .combine import CombineFailed, Combiner
from .depart import depart
from .observability import count as metric
from .observability import frames, logger
from .services import Services
from .sweep import with_rest

TRIES = 3


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
        totals = count.totals_of(self._services.table, *record.top) if record.sealed else None
        if record.state == WAITING:
            logger.warning("asked to finish a run that waits")
        elif record.state != RUNNING:
            depart(self._services, self._task, record)
        elif totals is None:
            logger.warning("asked to finish a run that has unsettled chunks")
        elif (counted := self._ready(record, totals)) is not None and (
            begun := self._runs.begin_finish(record, owner=owner)
        ) is not None:
            try:
                self._end(begun, counted)
            except Fenced as error:
                logger.warning("fenced", problem=str(error))

    def _ready(self, record: RunRecord, totals: Totals) -> Totals | None:
        """What the run has counted; None if others are still to combine its results."""
        counted = with_rest(record, totals)
        ends_well = not (record.verdict or record.halt or self._why_failed(record, counted))
        if ends_well and self._task.combiner is not None:
            return counted if Combiner(self._services, self._task, record).is_ready() else None
        return counted

    def _end(self, record: RunRecord, counted: Totals) -> None:
        """The verdict comes before its announcement: another try after a crash must not announce a different one."""
        totals = record.with_redrive(counted)
        if not record.verdict:
            record = self._decide(record, counted)
        state, reason = record.verdict, record.reason
        announce(self._services, record, state, totals)
        now = self._services.now()
        closed = self._runs.close(record, state=state, totals=totals, reason=reason, now=now)
        metric({SUCCEEDED: "RunsSucceeded", CANCELLED: "RunsCancelled"}.get(closed.state, "RunsFailed"))
        logger.info("run ended", state=closed.state, succeeded=totals.succeeded, failed=totals.failed)
        depart(self._services, self._task, closed)

    def _decide(self, record: RunRecord, counted: Totals) -> RunRecord:
        if record.halt in (CANCEL, ABANDON):
            return self._runs.decide(record, verdict=CANCELLED, reason=record.reason)
        reason = self._why_failed(record, counted)
        result = ""
        if not reason:
            reason, result = self._fan_in(record)
        return self._runs.decide(record, verdict=FAILED if reason else SUCCEEDED, reason=reason, result=result)

    def _why_failed(self, record: RunRecord, counted: Totals) -> str:
        totals = record.with_redrive(counted)
        if record.reason:
            return record.reason
        if counted.items != record.items:
            return (
                f"{record.items} items were sent and {counted.items} counted: expand yielded other items when it was "
                "called again for the same run; make it deterministic"
            )
        if totals.dropped:
            return f"{totals.dropped} of {totals.items} items were dropped when the run was halted"
        if tolerance.exceeded(self._task, totals):
            return f"{totals.failed} of {totals.items} items failed; {tolerance.said(self._task)}"
        return ""

    def _fan_in(self, record: RunRecord) -> tuple[str, str]:
        """Call the author's complete: why it failed for good, or nothing, and where its result is, if it has one."""
        if self._task.fan_in is None and self._task.combiner is None:
            return "", ""
        if record.tries > TRIES:
            return f"complete didn't come to its end in {TRIES} tries; it may need more time or memory", ""
        try:
            value = self._result(record)
            return "", self._keep(value) if value is not None else ""
        except CombineFailed as error:
            return str(error), ""
        except (Exception, SystemExit) as error:
            logger.error("complete failed", error=type(error).__name__, frames=frames(error), attempt=record.tries)
            if record.tries < TRIES:
                raise
            return f"complete raised {type(error).__name__}: {said(error)}", ""

    def _result(self, record: RunRecord) -> Any:
        if self._task.combiner is None:
            found = results.read(self._services, record)
        else:
            combined = Combiner(self._services, self._task, record).value()
            if self._task.fan_in is None:
                return combined
            found = iter((combined,))
        run = record.run(self._services.settings.bucket)
        return self._task.fan_in(run, found) if self._task.fan_in is not None else None

    def _keep(self, value: Any) -> str:
        try:
            json.dumps(value, allow_nan=False)
            body = write_json(value)
        except (TypeError, ValueError, RecursionError) as error:
            raise ResultNotJson(f"complete returned a {type(value).__name__} that isn't JSON: {error}") from None
        key = self._run.result_key
        self._services.s3.put_object(
            Bucket=self._services.settings.bucket, Key=key, Body=body.encode(), ContentType="application/json"
        )
        return key
