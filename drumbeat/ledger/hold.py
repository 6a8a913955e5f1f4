"""Expanding a run, or a part of it: one dispatcher at a time holds it, and moves its cursor until it is sealed.

Whoever expands holds the run by `epoch` and `owner`.  A repeated delivery of the same invocation is the same owner and
goes on; another invocation is not, and does nothing; a hand-over or a takeover moves the epoch and so fences the old.
"""

import json
from collections.abc import Mapping

from drumbeat.errors import Fenced
from drumbeat.run import Run

from .record import RUNNING, RunRecord, key_of, part_key, run_key
from .table import Item, Table

_HELD = "#state = :running AND #epoch = :epoch AND #owner = :owner"


class Hold:
    """What the dispatcher that holds a run, or one of its parts, may do with it: their records are alike."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def claim(self, run: Run, *, epoch: int, owner: str, part: int | None = None) -> RunRecord | None:
        """Take up a run, or a part of it, that was handed over under this epoch; None if somebody else did."""
        item, accepted = self._table.update(
            run_key(run) if part is None else part_key(run.id, part),
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
            key_of(record),
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

    def send_to(self, record: RunRecord, *, queue_url: str, chunk_size: int, chunk_bytes: int) -> RunRecord:
        """Record where the chunks of a redrive go, and how large they are; raises Fenced if the run isn't ours."""
        return self._held(
            record,
            "SET #queue_url = :queue_url, #chunk_size = :chunk_size, #chunk_bytes = :chunk_bytes",
            queue_url=queue_url,
            chunk_size=chunk_size,
            chunk_bytes=chunk_bytes,
        )

    def divide(self, record: RunRecord, *, plan: str) -> RunRecord:
        """Fix in which parts a run is expanded, before any of them begins."""
        count = len(json.loads(plan)["spans"])
        return self._held(record, "SET #parts = :parts, #plan = :plan", parts=count, plan=plan)

    def save_cursor(
        self, record: RunRecord, *, chunks: int, items: int, messages: int, position: int = 0, pin: str = ""
    ) -> RunRecord:
        """Record how far the chunks were sent; raises Fenced if the run isn't ours any more."""
        return self._held(
            record,
            "SET #chunks = :chunks, #items = :items, #messages = :messages, #position = :position, #pin = :pin",
            chunks=chunks,
            items=items,
            messages=messages,
            position=position,
            pin=pin,
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

    def _held(self, record: RunRecord, expression: str, **values: str | int | bool) -> RunRecord:
        item, accepted = self._table.update(
            key_of(record),
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
