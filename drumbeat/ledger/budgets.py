"""Budgets in the ledger: time cut into slots, of which each is leased once.

A budget's record says, in microseconds since 1970, up to when its slots are leased (`next`) and up to when waiting
items were told to come back (`line`).  Both only move forward, whoever writes, however often a write is repeated: so
two conditions that exclude each other (the instant has passed; it hasn't) decide without a race, and nobody competes
for a version.  A lease is never given back: one whose worker died, or whose reply was lost, passes with its time.
"""

from typing import NamedTuple

from drumbeat.budget import Budget

from .table import Item, Key, Table

NEXT, LINE = "next", "line"
_TRIES = 3  # behind, ahead, or passed just now: an instant that only moves forward can't surprise more often


class Grant(NamedTuple):
    """From when a stretch of time was granted, or, if it was refused, the instant before which nothing is free."""

    start_us: int
    accepted: bool


def lease(
    table: Table, budget: Budget, slots: int, *, now_us: int, latest_us: int, is_busy: bool = False, expires_at: int
) -> Grant:
    """Lease the next slots, from `now_us` on at the earliest, unless they would begin after `latest_us`.

    is_busy: whether slots are leased ahead of now already, as the caller guesses; right, that saves a write.
    """
    length = budget.length_us(slots)
    return _reserve(table, budget, NEXT, length, (now_us, latest_us), is_ahead=is_busy, expires_at=expires_at)


def queue(table: Table, budget: Budget, slots: float, *, from_us: int, latest_us: int, expires_at: int) -> Grant:
    """Take a place in line for so many slots; it is a hint when to come back, and holds nothing."""
    length = budget.length_us(slots)
    return _reserve(table, budget, LINE, length, (from_us, latest_us), is_ahead=True, expires_at=expires_at)


def key(name: str) -> Key:
    """A budget's record: one for all tasks, so at most a thousand writes a second."""
    return Key(f"budget#{name}", "budget")


def _reserve(
    table: Table,
    budget: Budget,
    attribute: str,
    length_us: int,
    between_us: tuple[int, int],
    *,
    is_ahead: bool,
    expires_at: int,
) -> Grant:
    """Move an instant forward by a length: from where it is, or from the earliest if that is later."""
    earliest, latest = between_us
    for _ in range(_TRIES):
        if is_ahead:
            item, accepted = table.update(
                key(budget.name),
                f"SET #{attribute} = #{attribute} + :length, #expires_at = :expires_at",
                f"#{attribute} BETWEEN :earliest AND :latest",
                length=length_us,
                earliest=earliest,
                latest=latest,
                expires_at=expires_at,
            )
        else:
            item, accepted = table.update(
                key(budget.name),
                f"SET #{attribute} = :end, #expires_at = :expires_at",
                f"attribute_not_exists(#{attribute}) OR #{attribute} < :earliest",
                end=earliest + length_us,
                earliest=earliest,
                expires_at=expires_at,
            )
        found = _instant(item, attribute)
        if accepted:
            return Grant(found - length_us, accepted=True)
        is_ahead = found >= earliest
        if found > latest:
            break
    return Grant(found, accepted=False)


def _instant(item: Item, attribute: str) -> int:
    instant: int = item.get(attribute, 0)
    return instant
