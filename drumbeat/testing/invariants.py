"""What must hold for every run, whatever went wrong on its way."""

from collections.abc import Iterable
from typing import Any

from drumbeat.ledger.record import RunRecord

from .cloud import OPEN, AppCloud, look_further

COUNTED = ("SUCCEEDED", "FAILED", "CANCELLED")
"""The ends of runs that had items."""


def check_invariants(cloud: AppCloud, _played: Any = None, *, may_hold: Iterable[str] = ()) -> None:
    """Raise AssertionError unless all runs have ended, every item is counted once, and nothing is left over.

    A run's items are those that succeeded and those that failed, each failed one with one dead letter; its end is
    announced under one id, with these counts; the queues are empty, but for those whose names contain a word of
    `may_hold`.
    """
    for record in cloud.runs():
        _expect(record, "a run that has ended", record.state not in OPEN, f"it is {record.state}")
        if record.state in COUNTED:
            _counts(cloud, record)
            _announcements(cloud, record)
    depths = {queue.name: cloud.queue_depth(queue.name) for queue in cloud.deployment.queues}
    left = {name: depth for name, depth in depths.items() if any(depth) and not any(word in name for word in may_hold)}
    if left:
        raise AssertionError(
            f"expected empty queues; found (visible, in flight, delayed) {left}\n"
            "look further: cloud.under_way(), cloud.log.text(); may_hold=['Name'] allows messages there"
        )


def _counts(cloud: AppCloud, record: RunRecord) -> None:
    dropped = getattr(record, "dropped", 0)
    counted = record.succeeded + record.failed + dropped
    found = f"{record.succeeded} succeeded and {record.failed} failed: {counted}"
    _expect(record, f"each of its {record.items} items counted once", record.items == counted, found)
    numbers = [letter.number for letter in cloud.show(record.id).dead_letters]
    each_once = len(numbers) == len(set(numbers)) == record.failed
    _expect(record, f"a dead letter for each of {record.failed} failed items", each_once, f"items {sorted(numbers)}")


def _announcements(cloud: AppCloud, record: RunRecord) -> None:
    """A redrive is announced anew, under an id of its own; the last one says how the run has ended."""
    ends: dict[int, list[dict[str, Any]]] = {number: [] for number in range(record.round + 1)}
    for event in cloud.events("drumbeat"):
        detail = event["detail"]
        if detail.get("run") == record.id and detail.get("state") in COUNTED:
            ends.setdefault(detail["redrive"], []).append(detail)
    for number, told in ends.items():
        ids = sorted({detail["id"] for detail in told})
        named = f"the end of its redrive {number}" if number else "its end"
        _expect(record, f"{named} announced under one id", len(ids) == 1, f"{ids or 'no announcement'}")
    counts = {(detail["state"], detail["succeeded"], detail["failed"]) for detail in ends[record.round]}
    same = counts == {(record.state, record.succeeded, record.failed)}
    _expect(record, f"{record.state} announced, as it ended", same, f"{sorted(counts)}")


def _expect(record: RunRecord, what: str, holds: bool, found: str) -> None:
    if not holds:
        raise AssertionError(f"{record.id}: expected {what}; found {found}\n{look_further(record.id)}")
