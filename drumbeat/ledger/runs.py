"""The record of a run: opened once, expanded by one dispatcher at a time, sealed, and closed once.

Whoever expands holds the run by `epoch` and `owner`.  A repeated delivery of the same invocation is the same owner and
goes on; another invocation is not, and does nothing; a hand-over or a takeover moves the epoch and so fences the old.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from drumbeat.errors import Fenced, RunLost
from drumbeat.run import Run, format_time

from .count import Totals
from .table import ABSENT, Item, Key, Table

RETENTION = timedelta(days=90)
_HELD = "#state = :running AND #epoch = :epoch AND #owner = :owner"

RUNNING, SUCCEEDED, FAILED, SKIPPED, MISSED = "RUNNING", "SUCCEEDED", "FAILED", "SKIPPED", "MISSED"


@dataclass(frozen=True)
class RunRecord:
    """A run as the ledger has it. Times as `format_time` writes them."""

    id: str
    task: str
    scheduled_at: str
    state: str
    owner: str = ""
    epoch: int = 0
    chunks: int = 0
    items: int = 0
    messages: int = 0
    sealed: bool = False
    verdict: str = ""
    reason: str = ""
    succeeded: int = 0
    failed: int = 0
    attempts: int = 0
    started_at: str = ""
    completed_at: str = ""
    queue_url: str = ""
    dispatcher: str = ""
    tries: int = 0
    stop: int = -1
    takeovers: int = 0
    keeps_results: bool = False
    items_key: str = ""
    expires_at: int = 0

    @classmethod
    def of(cls, item: Item) -> "RunRecord":
        """Read a record, whatever else a later release has added to it."""
        return cls(**{name: item[name] for name in cls.__dataclass_fields__ if name in item})

    @property
    def dead_letters(self) -> int:
        """Items that were given up."""
        return self.failed


@dataclass(frozen=True)
class Plan:
    """What the ledger must know of a run so that others can go on with it: its task's addresses, its ways.

    items_key: the S3 key of items given by hand; keeps_results: whether a fan-in will read what work returns.
    """

    queue_url: str
    dispatcher: str
    keeps_results: bool = False
    items_key: str = ""


class Runs:
    """The runs of all tasks in one ledger table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, run: Run) -> RunRecord | None:
        """The record of a run, or None."""
        item = self._table.get(run_key(run))
        return RunRecord.of(item) if item else None

    def open(self, run: Run, *, owner: str, overlap: str, plan: Plan, now: datetime) -> RunRecord | None:
        """Open a run, or return it if `owner` holds it already; None for a fire that somebody else has had.

        A run that another one of its task blocks is recorded as SKIPPED and returned so.
        """
        record = self._table.get(run_key(run))
        if record and record["state"] != MISSED:
            return RunRecord.of(record) if record["owner"] == owner else None
        blocker = self._enter(run, overlap)
        fresh = RunRecord(
            id=run.id,
            task=run.task,
            scheduled_at=format_time(run.scheduled_at),
            state=SKIPPED if blocker else RUNNING,
            owner=owner,
            reason=f"{blocker} was still active" if blocker else "",
            started_at=format_time(now),
            completed_at=format_time(now) if blocker else "",
            **vars(plan),
            expires_at=int((now + RETENTION).timestamp()),
        )
        item, accepted = self._table.put(run_key(run), vars(fresh), f"{ABSENT} OR #state = :missed", missed=MISSED)
        if accepted:
            return fresh
        if item["owner"] == owner:  # our own write, whose answer was lost
            return RunRecord.of(item)
        self._leave_if_ended(run.id)
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

    def decide(self, record: RunRecord, *, verdict: str, reason: str) -> RunRecord:
        """Fix how a run will end, once, before anybody is told; a repeat returns what was decided first."""
        item, _ = self._table.update(
            run_key(Run.parse(record.id)),
            "SET #verdict = :verdict, #reason = :reason",
            "#state = :running AND (attribute_not_exists(#verdict) OR #verdict = :none)",
            running=RUNNING,
            none="",
            verdict=verdict,
            reason=reason,
        )
        return RunRecord.of(item)

    def blame(self, record: RunRecord, *, reason: str) -> None:
        """Record why a run that hasn't ended can't succeed."""
        key = run_key(Run.parse(record.id))
        self._table.update(key, "SET #reason = :reason", "#state = :running", reason=reason, running=RUNNING)

    def close(self, run: Run, *, state: str, totals: Totals, reason: str, now: datetime) -> RunRecord:
        """End a run, once; a repeat returns it as it ended. Raises RunLost for a run that was never opened."""
        item, _ = self._table.update(
            run_key(run),
            "SET #state = :state, #succeeded = :succeeded, #failed = :failed, #attempts = :attempts, "
            "#reason = :reason, #completed_at = :now",
            "#state = :running",
            state=state,
            running=RUNNING,
            succeeded=totals.succeeded,
            failed=totals.failed,
            attempts=totals.attempts,
            reason=reason,
            now=format_time(now),
        )
        if not item:
            raise RunLost(f"{run.id} isn't in the ledger; it expired or was never opened")
        self.leave(run.task, run.id)
        return RunRecord.of(item)

    def miss(self, run: Run, *, now: datetime) -> bool:
        """Record that a fire never came; False if it came after all."""
        record = RunRecord(
            id=run.id,
            task=run.task,
            scheduled_at=format_time(run.scheduled_at),
            state=MISSED,
            reason="the fire never reached the dispatcher",
            expires_at=int((now + RETENTION).timestamp()),
        )
        return self._table.put(run_key(run), vars(record)).accepted

    def active(self, task: str) -> set[str]:
        """The ids of the task's runs that haven't ended."""
        return set((self._table.get(_active_key(task)) or {}).get("runs", ()))

    def latest(self, task: str) -> RunRecord | None:
        """The task's run of the latest scheduled time."""
        newest = next(self._table.query(f"task#{task}", prefix="run#", newest_first=True), None)
        return RunRecord.of(newest) if newest else None

    def leave(self, task: str, run_id: str) -> None:
        """Take a run off its task's active ones."""
        self._table.update(_active_key(task), "DELETE #runs :run", run={run_id})

    def _enter(self, run: Run, overlap: str) -> str:
        """Join the task's active runs; the id of a run that forbids it, if one does."""
        condition = None if overlap == "allow" else "attribute_not_exists(#runs) OR contains(#runs, :id)"
        values = {"run": {run.id}} | ({"id": run.id} if condition else {})
        while True:
            item, accepted = self._table.update(_active_key(run.task), "ADD #runs :run", condition, **values)
            if accepted:
                return ""
            blocker: str = min(item["runs"])
            if not self._leave_if_ended(blocker):
                return blocker

    def _leave_if_ended(self, run_id: str) -> bool:
        run = Run.parse(run_id)
        record = self.get(run)
        if record is None or record.state in (RUNNING, MISSED):
            return False
        self.leave(run.task, run_id)
        return True

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


def _was_handed_over(item: Item, values: Mapping[str, str | int | bool]) -> bool:
    """Whether a hand-over was refused only because its own first try was applied and the answer lost."""
    return "next" in values and item.get("epoch") == values["next"] and item.get("owner") == ""


def run_key(run: Run) -> Key:
    """All runs of a task share its partition, in the order of time."""
    return Key(f"task#{run.task}", f"run#{format_time(run.scheduled_at)}")


def _active_key(task: str) -> Key:
    return Key(f"task#{task}", "active")
