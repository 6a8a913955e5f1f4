"""Which runs of a task are active, and which wait: one record a task, so that each decision is one conditional write.

`runs` count towards the task's limit; `waiting` are to start when there is room; `again` are redriven runs, which the
keeper looks after like the others, but which keep no other run from starting.  The record also says what the task's
runs have shown of its items: whoever takes a run off writes that, and whoever enters one reads it, in the same request.
"""

from collections.abc import Callable
from dataclasses import dataclass

from drumbeat.packing import NOTHING, Learned
from drumbeat.run import Run

from .record import RUNNING, SKIPPED, WAITING
from .table import Item, Key, Table

_HAS_ROOM = "(attribute_not_exists(#runs) OR size(#runs) < :limit)"


@dataclass(frozen=True)
class Entry:
    """What becomes of a fire: the state of its run, the run that is in its way, if one is, and what runs have shown."""

    state: str
    blocked_by: str = ""
    learned: Learned = NOTHING


class Active:
    """The active and waiting runs of one task."""

    def __init__(self, table: Table, task: str, *, limit: int | None) -> None:
        """limit: how many runs may be active at the same time; None for any number."""
        self._table = table
        self._key = Key(f"task#{task}", "active")
        self._limit = limit

    def enter(self, run: Run, overlap: str, *, has_ended: Callable[[str], bool]) -> Entry:
        """Join the active runs, or those that wait, as the policy says; two fires at the same instant can't both win.

        has_ended: whether a run that is listed has ended; such a one is taken off.
        """
        while True:
            item, accepted = self._join(run)
            if accepted:
                return Entry(RUNNING, learned=_learned(item))
            ended = [id_ for id_ in item.get("runs", ()) if id_ != run.id and has_ended(id_)]
            for id_ in ended:
                self.leave(id_)
            if ended or (not item.get("runs") and not item.get("waiting")):
                continue
            entry = self._line_up(run, overlap, item)
            if entry is not None:
                return entry

    def leave(self, run_id: str, learned: Learned | None = None) -> None:
        """Take a run off, wherever it is listed; learned: what is known of the task's items after it."""
        take_off = "DELETE #runs :run, #waiting :run, #again :run"
        if learned is None:
            self._table.update(self._key, take_off, run={run_id})
        else:
            note = "SET #learned_ms = :ms, #learned_attempts = :attempts"
            self._table.update(self._key, f"{note} {take_off}", run={run_id}, ms=learned.ms, attempts=learned.attempts)

    def learned(self) -> Learned:
        """What the task's runs have shown of its items."""
        return _learned(self._table.get(self._key) or {})

    def join_again(self, run_id: str) -> None:
        """List a run that is redriven."""
        self._table.update(self._key, "ADD #again :run", run={run_id})

    def promote(self) -> set[str]:
        """Move waiting runs up while there is room, the oldest first; return the active ones, of which some may be new.

        A repeat moves nothing that was moved before, and returns it again.
        """
        while True:
            item = self._table.get(self._key) or {}
            active: set[str] = item.get("runs", set())
            if not item.get("waiting") or not self._room(item):
                return active
            first = min(item["waiting"])
            condition = "contains(#waiting, :id)" + (f" AND {_HAS_ROOM}" if self._limit is not None else "")
            self._table.update(
                self._key,
                "ADD #runs :run DELETE #waiting :run",
                condition,
                run={first},
                id=first,
                **self._limits(),
            )

    def listed(self) -> set[str]:
        """The ids of all runs that haven't ended: active, waiting and redriven ones."""
        item = self._table.get(self._key) or {}
        return set().union(*(item.get(name, ()) for name in ("runs", "waiting", "again")))

    def running(self) -> set[str]:
        """The ids of the runs that count towards the limit."""
        return set((self._table.get(self._key) or {}).get("runs", ()))

    def _join(self, run: Run) -> tuple[Item, bool]:
        if self._limit is None:
            return self._table.update(self._key, "ADD #runs :run", run={run.id})
        return self._table.update(
            self._key,
            "ADD #runs :run",
            f"contains(#runs, :id) OR ({_HAS_ROOM} AND attribute_not_exists(#waiting))",
            run={run.id},
            id=run.id,
            **self._limits(),
        )

    def _line_up(self, run: Run, overlap: str, item: Item) -> Entry | None:
        """Wait in line or be skipped; None if what was in the way has gone meanwhile."""
        others = sorted((set(item.get("runs", ())) | set(item.get("waiting", ()))) - {run.id})
        if overlap == "skip":
            return Entry(SKIPPED, others[0])
        if overlap == "cancel_other" and others[-1] > run.id:
            return Entry(SKIPPED, others[-1])  # a late fire doesn't cancel a newer run
        condition = "(attribute_exists(#runs) OR attribute_exists(#waiting))"
        if overlap == "buffer_one":
            condition += " AND (attribute_not_exists(#waiting) OR contains(#waiting, :id))"
        after, accepted = self._table.update(
            self._key,
            "ADD #waiting :run",
            condition,
            run={run.id},
            **({"id": run.id} if overlap == "buffer_one" else {}),
        )
        if accepted:
            return Entry(WAITING, others[0], _learned(after))
        waiting = sorted(after.get("waiting", ()))
        return Entry(SKIPPED, waiting[0]) if waiting else None

    def _room(self, item: Item) -> bool:
        return self._limit is None or len(item.get("runs", ())) < self._limit

    def _limits(self) -> dict[str, int]:
        return {} if self._limit is None else {"limit": self._limit}


def _learned(item: Item) -> Learned:
    return Learned(item.get("learned_ms", 0), item.get("learned_attempts", 0))
