"""The life of a run's record: opened once, expanded (see `hold`), maybe halted, closed once, reopened by redrives."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from drumbeat.errors import Fenced, RunLost
from drumbeat.packing import Learned
from drumbeat.run import BACKFILL, LIVE, Run, format_time

from .active import Active, Entry
from .count import Totals
from .hold import Hold
from .record import (
    ABANDON,
    CANCEL,
    CANCELLED,
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
from .table import ABSENT, Item

if TYPE_CHECKING:
    from drumbeat.signal import Fire

_SAME_ROUND = "(#round = :round OR attribute_not_exists(#round))"


class Runs(Hold):
    """The runs of all tasks in one ledger table."""

    def get(self, run: Run) -> RunRecord | None:
        """The record of a run, or None."""
        item = self._table.get(run_key(run))
        return RunRecord.of(item) if item else None

    def open(
        self,
        fire: "Fire",
        *,
        owner: str,
        active: Active,
        overlap: str,
        plan: Plan,
        now: datetime,
        deadline: timedelta | None = None,
        chunk_size: Callable[[Learned], int] = lambda _: 0,
    ) -> RunRecord | None:
        """Open a run, or return it if `owner` holds it already; None for a fire that somebody else has had.

        A run that others of its task are in the way of is recorded as SKIPPED or WAITING, and returned so.
        chunk_size: how many items its chunks have, by what the task's runs have shown.
        """
        run = fire.run
        openable = (*OPENABLE, SKIPPED) if fire.by_hand or fire.lane == BACKFILL else OPENABLE

        def entered() -> RunRecord:
            if fire.lane == BACKFILL:
                entry = Entry(RUNNING, learned=active.learned())
            else:
                entry = active.enter(run, "buffer_all" if fire.catch_up else overlap, has_ended=self.has_ended)
            until = format_time(now + deadline) if deadline and entry.state == RUNNING else ""
            size = chunk_size(entry.learned)
            opened = replace(_new(run, entry, now), owner=owner, lane=fire.lane, deadline_at=until, chunk_size=size)
            return replace(opened, **vars(plan))

        record = self.get(run)
        if record and record.state not in openable:
            return record if record.owner == owner else None
        found, accepted = self._create(entered(), instead_of=openable)
        if accepted or found.owner == owner:  # our own write, whose answer was lost
            return self._correct(found, entered()) if record else found
        if found.state not in (WAITING, RUNNING):
            active.leave(run.id)
        return None

    def _correct(self, found: RunRecord, again: RunRecord) -> RunRecord | None:
        """A run that had a record may have been taken off the active ones before it was opened: it has entered again.

        That it is open now keeps it there.  Returns what has become of it; None if somebody else has started it.
        """
        if again.state == found.state:
            return found
        item, accepted = self._table.put(
            run_key(Run.parse(found.id)),
            vars(again),
            "#state = :was AND #owner = :owner AND #chunks = :none",
            was=found.state,
            owner=found.owner,
            none=0,
        )
        return again if accepted or (item.get("state"), item.get("owner")) == (again.state, again.owner) else None

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

    def begin_finish(self, record: RunRecord, *, owner: str) -> RunRecord | None:
        """Count one more try to finish a run; None if somebody else has just begun one, or the run has ended."""
        item, accepted = self._table.update(
            run_key(Run.parse(record.id)),
            "SET #tries = :next, #finisher = :owner",
            f"#state = :running AND #tries = :tries AND {_SAME_ROUND}",
            running=RUNNING,
            round=record.round,
            tries=record.tries,
            next=record.tries + 1,
            owner=owner,
        )
        ours = (item.get("finisher"), item.get("tries"), item.get("round")) == (owner, record.tries + 1, record.round)
        return RunRecord.of(item) if accepted or ours else None

    def decide(self, record: RunRecord, *, verdict: str, reason: str, result: str = "") -> RunRecord:
        """Fix how a run will end, once, before anybody is told; a repeat returns what was decided first.

        Raises Fenced if the run was redriven meanwhile: then somebody else has ended the round that this is about.
        """
        item, _ = self._table.update(
            run_key(Run.parse(record.id)),
            "SET #verdict = :verdict, #reason = :reason, #result = :result",
            f"#state = :running AND (attribute_not_exists(#verdict) OR #verdict = :none) AND {_SAME_ROUND}",
            running=RUNNING,
            round=record.round,
            none="",
            verdict=verdict,
            reason=reason,
            result=result,
        )
        return self._of_round(item, record)

    def close(self, record: RunRecord, *, state: str, totals: Totals, reason: str, now: datetime) -> RunRecord:
        """End a run, once; a repeat returns it as it ended.

        Of a halted run, items may have been counted that were sent without the cursor knowing.  Raises Fenced if the
        run was redriven meanwhile, and RunLost if it isn't in the ledger.
        """
        items = max(record.all_items, totals.items) if record.halt else record.all_items
        item, _ = self._table.update(
            run_key(Run.parse(record.id)),
            "SET #state = :state, #succeeded = :succeeded, #failed = :failed, #attempts = :attempts, "
            "#dropped = :dropped, #worked_ms = :worked_ms, #items = :items, #reason = :reason, #completed_at = :now",
            f"#state = :running AND {_SAME_ROUND}",
            state=state,
            running=RUNNING,
            round=record.round,
            succeeded=totals.succeeded,
            failed=totals.failed,
            attempts=totals.attempts,
            dropped=totals.dropped,
            worked_ms=totals.worked_ms,
            items=items,
            reason=reason,
            now=format_time(now),
        )
        return self._of_round(item, record)

    def halt(self, run: Run, *, kind: str, reason: str, now: datetime) -> RunRecord | None:
        """Let nothing more of a run be done; its record afterwards, None if there is none. The first to halt it wins.

        One that waits is CANCELLED at once.  A run that has ended, or whose end is decided, stays as it is; one that
        was only cancelled may still be abandoned, and any may turn out to be lost.
        """
        waiting, accepted = self._table.update(
            run_key(run),
            "SET #state = :cancelled, #reason = :reason, #halt = :kind, #completed_at = :now",
            "#state = :waiting",
            cancelled=CANCELLED,
            waiting=WAITING,
            reason=reason,
            kind=kind,
            now=format_time(now),
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
        how many of them had failed and had been dropped.  They go through the live queue, whatever lane the run had:
        the queue of backfills is polled only while there is one.
        """
        rounds = [
            {"chunks": found.chunks, "manifest": found.manifest, "halt": found.halt}
            | ({"spread": found.spread} if found.spread else {})
            for found in record.rounds
        ]
        item, accepted = self._table.update(
            run_key(Run.parse(record.id)),
            "SET #state = :running, #round = :next, #epoch = :epoch, #owner = :nobody, #sealed = :false, "
            "#chunks = :zero, #items = :zero, #messages = :zero, #tries = :zero, #takeovers = :zero, #stop = :none, "
            "#halt = :nobody, #verdict = :nobody, #reason = :nobody, #completed_at = :nobody, #deadline_at = :nobody, "
            "#lane = :live, #queue_url = :nobody, #reopened_at = :now, #position = :zero, #pin = :nobody, "
            "#parts = :zero, #plan = :nobody, #spread = :nobody, #history = :history, #base = :base, "
            "#items_key = :manifest, #again_failed = :failed, #again_dropped = :dropped, #expires_at = :expires_at",
            f"#state = :state AND {_SAME_ROUND}",
            running=RUNNING,
            state=record.state,
            round=record.round,
            next=record.round + 1,
            epoch=record.epoch + 1,
            nobody="",
            live=LIVE,
            now=format_time(now),
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

    def latest_fire(self, task: str) -> RunRecord | None:
        """The run of the latest fire of the task's own schedule: one without a name."""
        return next((record for record in self.of_task(task) if not record.name), None)

    @staticmethod
    def _of_round(item: Item, record: RunRecord) -> RunRecord:
        if not item:
            raise RunLost(f"{record.id} isn't in the ledger; it expired or was never opened")
        found = RunRecord.of(item)
        if found.round != record.round:
            raise Fenced(f"{record.id}: it was redriven while this invocation was ending round {record.round}")
        return found

    def _create(self, fresh: RunRecord, *, instead_of: tuple[str, ...]) -> tuple[RunRecord, bool]:
        """Write a record where there is none, or one in such a state; otherwise return the one that is there."""
        states = {f"state{number}": state for number, state in enumerate(instead_of)}
        condition = " OR ".join([ABSENT, *(f"#state = :{name}" for name in states)])
        item, accepted = self._table.put(run_key(Run.parse(fresh.id)), vars(fresh), condition, **states)
        return (fresh if accepted else RunRecord.of(item)), accepted


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
        learned_ms=entry.learned.ms,
        learned_attempts=entry.learned.attempts,
        started_at=time if entry.state == RUNNING else "",
        completed_at=time if entry.state == SKIPPED else "",
        expires_at=int((now + RETENTION).timestamp()),
    )
