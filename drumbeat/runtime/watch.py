"""The keeper's round: finish what was never announced, resume what stalled, notice fires that never came.

Nothing is decided by comparing clocks: a run has stalled when a whole round has seen it unchanged.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta

from drumbeat.errors import MalformedFire, RecordInvalid
from drumbeat.ledger import count, parts
from drumbeat.ledger.record import LOST, RUNNING, WAITING, RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.ledger.table import Key
from drumbeat.run import Run, format_time, parse_time
from drumbeat.signal import Finish, Resume, Sweep
from drumbeat.task import Task

from . import backfill
from .depart import active_runs, depart, promote
from .head import halt_overdue, is_overdue
from .invoke import invoke
from .lookout import Lookout
from .observability import count as metric
from .observability import logger
from .services import Services

LOST_AFTER = timedelta(days=5)
"""A message lives 4 days in its queue; one that was sent again some hours longer."""
TAKEOVERS = 5
"""How often a run whose dispatcher died is resumed."""


class Watch:
    """One look at the runs of each task."""

    def __init__(self, services: Services, *, owner: str) -> None:
        self._services = services
        self._runs = Runs(services.table)
        self._owner = owner

    def look(self, task: Task) -> None:
        """Look at a task: its active runs first, then the fires since the last look."""
        logger.append_keys(task=task.name)
        key = Key(f"task#{task.name}", "keeper")
        before = self._services.table.get(key) or {}
        now = self._services.now()
        seen: Mapping[str, str] = json.loads(before.get("seen", "{}"))
        marks = dict(self._look_at_runs(task, seen))
        promote(self._services, task)
        backfill.advance(self._services, task)
        backfill.switch_mapping(self._services, task)
        since = parse_time(before["checked"]) if "checked" in before else now
        checked = Lookout(self._services, task).look(since, now)
        self._services.table.update(
            key, "SET #seen = :seen, #checked = :checked", seen=json.dumps(marks), checked=format_time(checked)
        )

    def _look_at_runs(self, task: Task, seen: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        listed = active_runs(self._services, task).listed() | backfill.active(self._services, task)
        for run_id in sorted(listed):
            try:
                record = self._runs.get(Run.parse(run_id))
            except (MalformedFire, RecordInvalid) as error:  # it mustn't keep the keeper from the other runs
                logger.error("record not understood", problem=type(error).__name__)
                continue
            mark = self._mark(record)
            stalled = seen.get(run_id) == mark
            if record is None:
                if stalled:
                    active_runs(self._services, task).leave(run_id)
            elif record.state == RUNNING:
                self._look_at(record, stalled=stalled)
            elif record.state != WAITING:
                depart(self._services, task, record)
            yield run_id, mark

    def _look_at(self, record: RunRecord, *, stalled: bool) -> None:
        if is_overdue(record, self._services.now()) and not self._is_done(record):
            halt_overdue(self._services, record, Run.parse(record.id))
        elif stalled:
            self._revive(record)

    def _is_done(self, record: RunRecord) -> bool:
        """Whether all chunks of a run are settled: then it was in time, and only has to be finished."""
        return record.sealed and count.totals_of(self._services.table, *record.top) is not None

    def _revive(self, record: RunRecord) -> None:
        if record.sealed:
            if not self._finish(record):
                self._end(record)
            return
        found = parts.of_run(self._services.table, record)
        if not record.parts or len(found) < record.parts:
            self._take_over(record)
        else:
            self._revive_parts(record, found)

    def _revive_parts(self, record: RunRecord, found: list[RunRecord]) -> None:
        """Go on with the parts that nobody is at any more, and count those that were sealed and not counted."""
        table = self._services.table
        for part in found:
            if not part.sealed:
                self._take_over(part)
        sealed = parts.seal(table, record)
        if sealed is not None:
            self._finish(sealed)

    def _take_over(self, record: RunRecord) -> None:
        """Let another dispatcher go on with a run, or with a part of it."""
        taken = self._runs.take_over(record)
        if taken is None:
            return
        metric("RunsTakenOver", task=record.task)
        logger.warning("dispatcher gave no sign of life", run=record.id, takeovers=taken.takeovers)
        if taken.takeovers <= TAKEOVERS:
            invoke(self._services, taken.dispatcher, Resume(Run.parse(taken.id), taken.epoch, taken.of_part).event())
            return
        held = self._runs.claim(Run.parse(taken.id), epoch=taken.epoch, owner=self._owner, part=taken.of_part)
        if held is not None:
            reason = f"the dispatcher died {TAKEOVERS} times while it expanded; it may need more time or memory"
            held = self._runs.seal(self._runs.stop_at(held, items=held.next_item, reason=reason))
            if held.part < 0:
                self._finish(held)

    def _finish(self, record: RunRecord) -> bool:
        """Tell the dispatcher to finish a run if all its chunks are settled."""
        table, expires_at = self._services.table, record.expires_at
        for tree, chunks in record.rounds[-1].trees if record.parts else ():
            count.seal(table, tree, chunks, expires_at=expires_at)  # in case its sealer died before it was counted
        if count.seal(table, *record.top, expires_at=expires_at) is None:
            return False
        logger.warning("run was complete and not finished", run=record.id)
        invoke(self._services, record.dispatcher, Finish(Run.parse(record.id)).event())
        return True

    def _end(self, record: RunRecord) -> None:
        """End a sealed run that stands still: one that was halted, or whose messages are gone."""
        run = Run.parse(record.id)
        if self._is_old(record):
            items = record.items - count.counted(self._services.table, record.rounds[-1].trees).items
            self._runs.halt(
                run,
                kind=LOST,
                reason=f"messages with {items} items expired before a worker took them; raise max_concurrency, or "
                "find out why the worker stood still",
                now=self._services.now(),
            )
            metric("ItemsLost", items, task=record.task)
            logger.error("messages expired", run=record.id, items=items)
        elif not record.halt:
            return
        invoke(self._services, record.dispatcher, Sweep(run).event())

    def _is_old(self, record: RunRecord) -> bool:
        """Whether all messages of a run must have expired, unless the keeper has sent them again."""
        return self._services.now() - parse_time(record.reopened_at or record.started_at) > LOST_AFTER

    def _mark(self, record: RunRecord | None) -> str:
        """What changes whenever a run gets on; of a young one, short of its chunks being worked."""
        if record is None:
            return "unknown"
        mark = f"{record.epoch}/{record.owner}/{record.chunks}/{record.sealed}/{record.tries}/{record.halt}"
        if record.parts and not record.sealed:
            found = parts.of_run(self._services.table, record)
            mark += "".join(f"/{part.epoch}/{part.owner}/{part.chunks}/{part.sealed}/{part.tries}" for part in found)
        if record.sealed and (record.halt or self._is_old(record)):
            mark += f"/{count.counted(self._services.table, record.rounds[-1].trees).items}"
        return mark
