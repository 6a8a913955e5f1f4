"""The keeper's round: finish what was never announced, resume what stalled, notice fires that never came.

Nothing is decided by comparing clocks: a run has stalled when a whole round has seen it unchanged.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from drumbeat.ledger import count
from drumbeat.ledger.count import Totals
from drumbeat.ledger.runs import RUNNING, RunRecord, Runs
from drumbeat.ledger.table import Key
from drumbeat.run import Run, format_time, parse_time
from drumbeat.schedule import Rate
from drumbeat.signal import Finish, Resume
from drumbeat.task import Task

from .dispatch import invoke
from .observability import count as metric
from .observability import logger
from .services import Services

GRACE = timedelta(minutes=10)
"""How late a fire may be before it counts as missed; AWS's own retries are counted on top by the rule's age limit."""
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
        since = parse_time(before["checked"]) if "checked" in before else now
        until = max(since, now - GRACE)
        for fire in self._fires(task, since, until):
            self._look_for(Run(task.name, fire.replace(second=0, microsecond=0)), now)
        self._services.table.update(
            key, "SET #seen = :seen, #checked = :checked", seen=json.dumps(marks), checked=format_time(until)
        )

    def _look_at_runs(self, task: Task, seen: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        for run_id in sorted(self._runs.active(task.name)):
            record = self._runs.get(Run.parse(run_id))
            mark = self._mark(record)
            stalled = seen.get(run_id) == mark
            if record is not None and record.state == RUNNING:
                if stalled:
                    self._revive(record)
            elif stalled or record is not None:
                self._runs.leave(task.name, run_id)
            yield run_id, mark

    def _revive(self, record: RunRecord) -> None:
        if record.sealed:
            if not self._finish(record) and self._is_old(record):
                self._write_off(record)
            return
        taken = self._runs.take_over(record)
        if taken is None:
            return
        metric("RunsTakenOver", task=record.task)
        logger.warning("dispatcher gave no sign of life", run=record.id, takeovers=taken.takeovers)
        if taken.takeovers <= TAKEOVERS:
            invoke(self._services, taken.dispatcher, Resume(Run.parse(taken.id), taken.epoch).event())
            return
        held = self._runs.claim(Run.parse(taken.id), epoch=taken.epoch, owner=self._owner)
        if held is not None:
            reason = f"the dispatcher died {TAKEOVERS} times while it expanded; it may need more time or memory"
            held = self._runs.stop_at(held, items=held.items, reason=reason)
            self._finish(self._runs.seal(held))

    def _finish(self, record: RunRecord) -> bool:
        """Tell the dispatcher to finish a run if all its chunks are settled."""
        table, expires_at = self._services.table, record.expires_at
        if record.chunks and count.seal(table, record.id, record.chunks, expires_at=expires_at) is None:
            return False
        logger.warning("run was complete and not finished", run=record.id)
        invoke(self._services, record.dispatcher, Finish(Run.parse(record.id)).event())
        return True

    def _is_old(self, record: RunRecord) -> bool:
        """Whether all messages of a run must have expired, unless the keeper has sent them again."""
        return self._services.now() - parse_time(record.started_at) > LOST_AFTER

    def _write_off(self, record: RunRecord) -> None:
        """Count the items of chunks whose messages are gone as failed, so that the run ends with exact totals."""
        table, expires_at = self._services.table, record.expires_at
        settled = dict(count.settled_chunks(table, record.id, record.chunks))
        lost = [chunk for chunk in range(record.chunks) if chunk not in settled]
        items = record.items - count.counted(table, record.id, record.chunks).items
        self._runs.blame(
            record,
            reason=f"{len(lost)} messages with {items} items expired before a worker took them; "
            "raise max_concurrency, or find out why the worker stood still",
        )
        metric("ChunksLost", len(lost), task=record.task)
        logger.error("messages expired", run=record.id, chunks=len(lost), items=items)
        share = -(-items // len(lost))
        for number, chunk in enumerate(lost):
            failed = max(0, min(share, items - number * share))
            end = count.settle(table, record.id, chunk, Totals(failed=failed), expires_at=expires_at)
            if end.run_totals is not None:
                self._finish(record)

    def _mark(self, record: RunRecord | None) -> str:
        """What changes whenever a run gets on; of a young one, short of its chunks being worked."""
        if record is None:
            return "unknown"
        mark = f"{record.epoch}/{record.owner}/{record.chunks}/{record.sealed}/{record.tries}"
        if record.sealed and self._is_old(record):
            mark += f"/{count.counted(self._services.table, record.id, record.chunks).items}"
        return mark

    def _fires(self, task: Task, since: datetime, until: datetime) -> Iterator[datetime]:
        """The fires that should have come; a rate counts from when it was deployed, so from the latest run here."""
        if task.schedule is None:
            return iter(())
        if not isinstance(task.schedule, Rate):
            return task.schedule.fires(after=since, until=until)
        latest = self._runs.latest(task.name)
        if latest is None:
            return iter(())
        anchor = parse_time(latest.scheduled_at)
        return task.schedule.fires(after=max(anchor, since), until=until, anchor=anchor)

    def _look_for(self, run: Run, now: datetime) -> None:
        if self._runs.get(run) is None and self._runs.miss(run, now=now):
            metric("FiresMissed", task=run.task)
            logger.error("a fire never came", run=run.id)
