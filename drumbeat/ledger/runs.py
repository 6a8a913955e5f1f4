"""The life of a run's record: opened once, expanded by one dispatcher at a time, sealed, and closed once.

Whoever expands holds the run by `epoch` and `owner`.  A repeated delivery of the same invocation is the same owner and
goes on; another invocation is not, and does nothing; a hand-over or a takeover moves the epoch and so fences the old.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from drumbeat.errors import Fenced, RunLost
from drumbeat.run import Run, format_time
from drumbeat.signal import BACKFILL, Fire

from .active import Active, Entry
from .count import Totals
from .record import (
    ABANDON,
    CANCEL,
    CANCELLED,
    ENDED,
    LOST,
    MISSED,
    OPENABLE,
    RETENTION,
    RUNNING,
    SKIPPED,
    WAITING,
    Plan,
    RunRecord,
    run_key,
)
from .table import ABSENT, Item, Table

_HELD = "#state = :running AND #epoch = :epoch AND #owner = :owner"


class Runs:
    """The runs of all tasks in one ledger table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, run: Run) -> RunRecord | None:
        """The record of a run, or None."""
        item = self._table.get(run_key(run))
        return RunRecord.of(item) if item else None

    def open(
        self,
        fire: Fire,
        *,
        owner: str,
        active: Active,
        overlap: str,
        plan: Plan,
        now: datetime,
        deadline: timedelta | None = None,
    ) -> RunRecord | None:
        """Open a run, or return it if `owner` holds it already; None for a fire that somebody else has had.

        A run that others of its task are in the way of is recorded as SKIPPED or WAITING, and returned so.
        """
        run = fire.run
        record = self.get(run)
        openable = (*OPENABLE, SKIPPED) if fire.by_hand or fire.lane == BACKFILL else OPENABLE
        if record and record.state not in openable:
            return record if record.owner == owner else None
        entry = (
            Entry(RUNNING)
            if fire.lane == BACKFILL
            else active.enter(run, "buffer_all" if fire.catch_up else overlap, has_ended=self.has_ended)
        )
        fresh = replace(
            _new(run, entry, now),
            owner=owner,
            lane=fire.lane,
            deadline_at=format_time(now + deadline) if deadline and entry.state == RUNNING else "",
            **vars(plan),
        )
        found, accepted = self._create(fresh, instead_of=openable)
        if accepted or found.owner == owner:  # our own write, whose answer was lost
            return found
        if found.state in ENDED:
            active.leave(run.id)
        return None

    def note(self, run: Run, state: str, *, reason: str, now: datetime) -> bool:
        """Record a run that isn't opened: MISSED or UPSTREAM_FAILED; False if there is another record of it."""
        fresh = replace(_new(run, Entry(state), now), reason=reason, completed_at=format_time(now))
        found, accepted = self._create(fresh, instead_of=() if state == MISSED else (MISSED,))
        return accepted or (found.state, found.reason) == (state, reason)

    def start(self, run: Run, *, now: datetime, deadline: timedelta | None) -> RunRecord | None:
        """Let a run begin that waited; None if it doesn't wait, and nobody need be told to go on with it."""
        item, accepted = self._table.update(
            run_key(run),
            "SET #state = :running, #owner = :nobody, #started_at = :now, #deadline_at = :deadline",
            "#state = :waiting",
            running=RUNNING,
            waiting=WAITING,
            nobody="",
            now=format_time(now),
            deadline=format_time(now + deadline) if deadline else "",
        )
        record = RunRecord.of(item) if item else None
        if record and (accepted or (record.state == RUNNING and not record.owner and not record.chunks)):
            return record
        return None

    def claim(self, run: Run, *, epoch: int, owner: str) -> RunRecord | None:
        """Take up a run that was handed over under this epoch; None if somebody else did."""
        item, accepted = self._table.update(
            run_key(run),
            "SET #owner = :owner",
            "#state = :running AND #epoch = :epoch AND (#owner = :owner OR #owner = :nobody)",
            owner=owner,
            nobody="",
            running=RUNNING,
            epoch=epoch,
        )
        return RunRecord.of(item) if accepted else None

    def hand_over(self, record: RunRecord) -> RunRecord:
        """Let go of a run for the next invocation, under the next epoch; raises Fenced if it was taken already."""
        return self._held(
            record,
            "SET #epoch = :next, #owner = :nobody, #tries = :zero",
            next=record.epoch + 1,
            nobody="",
            zero=0,
        )

    def take_over(self, record: RunRecord) -> RunRecord | None:
        """Take a run from an owner that gives no sign of life; None if it did meanwhile."""
        item, accepted = self._table.update(
            run_key(Run.parse(record.id)),
            "SET #epoch = :next, #owner = :nobody, #takeovers = :takeovers",
            "#state = :running AND #epoch = :epoch AND #chunks = :chunks",
            running=RUNNING,
            epoch=record.epoch,
            chunks=record.chunks,
            next=record.epoch + 1,
            nobody="",
            takeovers=record.takeovers + 1,
        )
        return RunRecord.of(item) if accepted else None

    def save_cursor(self, record: RunRecord, *, chunks: int, items: int, messages: int) -> RunRecord:
        """Record how far the chunks were sent; raises Fenced if the run isn't ours any more."""
        return self._held(
            record,
            "SET #chunks = :chunks, #items = :items, #messages = :messages",
            chunks=chunks,
            items=items,
            messages=messages,
        )

    def count_try(self, record: RunRecord) -> RunRecord:
        """Record one more failed try to expand; raises Fenced if the run isn't ours any more."""
        return self._held(record, "SET #tries = :tries", tries=record.tries + 1)

    def stop_at(self, record: RunRecord, *, items: int, reason: str) -> RunRecord:
        """Decide that the run has only so many items, and why, before the last of them are sent."""
        return self._held(record, "SET #stop = :stop, #reason = :reason", stop=items, reason=reason)

    def seal(self, record: RunRecord) -> RunRecord:
        """Fix the number of chunks at the cursor's; raises Fenced if the run isn't ours any more."""
        return self._held(record, "SET #sealed = :true, #tries = :zero", true=True, zero=0)

    def begin_finish(self, record: RunRecord, *, owner: str) -> RunRecord | None:
        """Count one more try to finish a run; None if somebody else has just begun one, or the run has ended."""
        item, accepted = self._table.update(
            run_key(Run.parse(record.id)),
            "SET #tries = :next, #finisher = :owner",
            "#state = :running AND #tries = :tries",
            running=RUNNING,
            tries=record.tries,
            next=record.tries + 1,
            owner=owner,
        )
        ours = item.get("finisher") == owner and item.get("tries") == record.tries + 1
        return RunRecord.of(item) if accepted or ours else None

    def decide(self, record: RunRecord, *, verdict: str, reason: str, result: str = "") -> RunRecord:
        """Fix how a run will end, once, before anybody is told; a repeat returns what was decided first."""
        item, _ = self._table.update(
            run_key(Run.parse(record.id)),
            "SET #verdict = :verdict, #reason = :reason, #result = :result",
            "#state = :running AND (attribute_not_exists(#verdict) OR #verdict = :none)",
            running=RUNNING,
            none="",
            verdict=verdict,
            reason=reason,
            result=result,
        )
        return RunRecord.of(item)

    def close(self, run: Run, *, state: str, totals: Totals, reason: str, now: datetime) -> RunRecord:
        """End a run, once; a repeat returns it as it ended. Raises RunLost for a run that was never opened."""
        before = self.get(run)
        item, _ = self._table.update(
            run_key(run),
            "SET #state = :state, #succeeded = :succeeded, #failed = :failed, #attempts = :attempts, "
            "#dropped = :dropped, #items = :items, #reason = :reason, #completed_at = :now",
            "#state = :running",
            state=state,
            running=RUNNING,
            succeeded=totals.succeeded,
            failed=totals.failed,
            attempts=totals.attempts,
            dropped=totals.dropped,
            items=before.all_items if before else 0,
            reason=reason,
            now=format_time(now),
        )
        if not item:
            raise RunLost(f"{run.id} isn't in the ledger; it expired or was never opened")
        return RunRecord.of(item)

    def halt(self, run: Run, *, kind: str, reason: str) -> RunRecord | None:
        """Let nothing more of a run be done; its record afterwards, None if there is none. The first to halt it wins.

        One that waits is CANCELLED at once.  A run that has ended, or whose end is decided, stays as it is; one that
        was only cancelled may still be abandoned, and any may turn out to be lost.
        """
        waiting, accepted = self._table.update(
            run_key(run),
            "SET #state = :cancelled, #reason = :reason, #halt = :kind",
            "#state = :waiting",
            cancelled=CANCELLED,
            waiting=WAITING,
            reason=reason,
            kind=kind,
        )
        if accepted or not waiting:
            return RunRecord.of(waiting) if waiting else None
        item, _ = self._table.update(
            run_key(run),
            "SET #halt = :kind, #reason = :reason",
            "#state = :running AND #verdict = :none "
            "AND (#halt = :none OR (#halt = :cancel AND :kind = :abandon) OR (:kind = :lost AND #halt <> :lost))",
            running=RUNNING,
            none="",
            cancel=CANCEL,
            abandon=ABANDON,
            lost=LOST,
            kind=kind,
            reason=reason,
        )
        return RunRecord.of(item)

    def reopen(self, record: RunRecord, *, manifest: str, failed: int, dropped: int, now: datetime) -> RunRecord | None:
        """Begin the next round of a run that has ended: do the items of a manifest again; None if somebody else did.

        manifest: the S3 key of JSON Lines {"n": number, "item": ...}, in the order of numbers; `failed` and `dropped`:
        how many of them had failed and had been dropped.
        """
        rounds = [{"chunks": found.chunks, "manifest": found.manifest} for found in record.rounds]
        item, accepted = self._table.update(
            run_key(Run.parse(record.id)),
            "SET #state = :running, #round = :next, #epoch = :epoch, #owner = :nobody, #sealed = :false, "
            "#chunks = :zero, #items = :zero, #messages = :zero, #tries = :zero, #takeovers = :zero, #stop = :none, "
            "#halt = :nobody, #verdict = :nobody, #reason = :nobody, #completed_at = :nobody, #deadline_at = :nobody, "
            "#history = :history, #base = :base, #items_key = :manifest, #again_failed = :failed, "
            "#again_dropped = :dropped, #expires_at = :expires_at",
            "#state = :state AND (#round = :round OR attribute_not_exists(#round))",
            running=RUNNING,
            state=record.state,
            round=record.round,
            next=record.round + 1,
            epoch=record.epoch + 1,
            nobody="",
            false=False,
            zero=0,
            none=-1,
            history=json.dumps(rounds),
            base=json.dumps({"items": record.items, "totals": vars(record.totals)}),
            manifest=manifest,
            failed=failed,
            dropped=dropped,
            expires_at=int((now + RETENTION).timestamp()),
        )
        ours = item.get("round") == record.round + 1 and item.get("items_key") == manifest
        return RunRecord.of(item) if accepted or ours else None

    def has_ended(self, run_id: str) -> bool:
        """Whether a run was opened and isn't active any more."""
        record = self.get(Run.parse(run_id))
        return record is not None and record.state not in (WAITING, RUNNING, *OPENABLE)

    def of_task(self, task: str, *, newest_first: bool = True, since: str = "", until: str = "") -> Iterator[RunRecord]:
        """The runs of a task by scheduled time, read page by page; `since` and `until` as `format_time` writes them."""
        found = self._table.query(
            f"task#{task}", newest_first=newest_first, between=(f"run#{since}", f"run#{until or '~'}")
        )
        return map(RunRecord.of, found)

    def latest(self, task: str) -> RunRecord | None:
        """The task's run of the latest scheduled time."""
        return next(self.of_task(task), None)

    def _create(self, fresh: RunRecord, *, instead_of: tuple[str, ...]) -> tuple[RunRecord, bool]:
        """Write a record where there is none, or one in such a state; otherwise return the one that is there."""
        states = {f"state{number}": state for number, state in enumerate(instead_of)}
        condition = " OR ".join([ABSENT, *(f"#state = :{name}" for name in states)])
        item, accepted = self._table.put(run_key(Run.parse(fresh.id)), vars(fresh), condition, **states)
        return (fresh if accepted else RunRecord.of(item)), accepted

    def _held(self, record: RunRecord, expression: str, **values: str | int | bool) -> RunRecord:
        item, accepted = self._table.update(
            run_key(Run.parse(record.id)),
            expression,
            _HELD,
            running=RUNNING,
            epoch=record.epoch,
            owner=record.owner,
            **values,
        )
        if accepted or _was_handed_over(item, values):
            return RunRecord.of(item)
        raise Fenced(f"{record.id}: epoch {record.epoch} was taken over; this invocation stops")


def _new(run: Run, entry: Entry, now: datetime) -> RunRecord:
    time = format_time(now)
    return RunRecord(
        id=run.id,
        task=run.task,
        scheduled_at=format_time(run.scheduled_at),
        state=entry.state,
        name=run.name,
        params=json.dumps(dict(run.params)) if run.params else "",
        blocked_by=entry.blocked_by,
        reason=f"{entry.blocked_by} was still active" if entry.state == SKIPPED else "",
        started_at=time if entry.state == RUNNING else "",
        completed_at=time if entry.state == SKIPPED else "",
        expires_at=int((now + RETENTION).timestamp()),
    )


def _was_handed_over(item: Item, values: Mapping[str, str | int | bool]) -> bool:
    """Whether a hand-over was refused only because its own first try was applied and the answer lost."""
    return "next" in values and item.get("epoch") == values["next"] and item.get("owner") == ""
