"""A worker's side of its task's budgets: it leases slots in blocks and hands them out to items, one by one.

What holds, for a budget of r items a second:

- Each slot is leased to one worker and begins one item at most, between its time and LATE_S after it (for a task of
  several budgets, whose slots must come together: LATE_S + STAY_S).  So in any window of w seconds at most
  r x (w + LATE_S) + 1 items begin, however many workers there are, whoever of them crashes, whatever reply is lost.
- Each worker reads its own clock.  If clocks differ by s seconds at most, that is r x (w + LATE_S + s) + 1, and what
  is above the bound without s has been leased by the machines whose clocks are wrong.  A clock that is ahead by s
  makes the others wait for up to s, one that is behind by s makes its own machine wait; in the long run it is r.
- With more demand than r, the rate reaches r: workers that are at it hold the next STAY_S, and no one else begins
  while more than NEAR_S are leased.
- A worker writes to the ledger once for about BLOCK_S of its own use, however many items that is, and twice when it
  sends items away.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from drumbeat.budget import Budget
from drumbeat.ledger import budgets
from drumbeat.ledger.table import Table

from .gate import ComeBack
from .observability import logger
from .pace import Pace
from .settle import expiry

NEAR_S = 1  # how far off a slot may be for a worker that begins
STAY_S = 3  # and for one that is at it
LATE_S = 1  # how long after its time a slot may be used
FAR_S = 900  # for how long items are sent away at most
_EAGER = 0.8  # items come back a little before their turn, so that no slot passes for want of them
_TURN_S = 5  # how often some come back at least, as those that are at it may be through
_US = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class World(Protocol):
    """What an allowance needs of the services."""

    @property
    def table(self) -> Table:
        """The ledger."""

    def now(self) -> datetime:
        """The time, by this machine's clock."""

    def draw(self) -> float:
        """A number from 0 up to 1."""

    def sleep(self, seconds: float, /) -> None:
        """Let time pass."""


class Allowance:
    """Hands out the slots of several budgets; kept for as long as the worker's environment lives."""

    def __init__(self, budgets: Iterable[Budget], world: World) -> None:
        scarcest_first = sorted(budgets, key=lambda budget: budget.per_second)
        late_s = LATE_S + (STAY_S if len(scarcest_first) > 1 else 0)
        self._shares = [_Share(budget, world, late_us=late_s * _US) for budget in scarcest_first]
        self._world = world

    def ask(self, items: int) -> float:
        """Take a slot of each budget and return 0, or say in how many seconds to ask again; `items` aren't begun yet.

        Raises ComeBack, with the seconds after which the items should be back, when a slot is too far off.
        """
        wait_s = max((share.wait_s(items) for share in self._shares), default=0)
        if wait_s == 0:
            for share in self._shares:
                share.take()
        return wait_s

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._world.sleep(seconds)


class _Share:
    """The block of one budget that this worker has leased."""

    def __init__(self, budget: Budget, world: World, *, late_us: int) -> None:
        self._budget = budget
        self._world = world
        self._late_us = late_us
        self._near_us = min(max(NEAR_S * _US, budget.length_us(1)), STAY_S * _US)
        self._pace = Pace(budget.per_second)
        self._start_us = 0
        self._size = self._next = self._used = 0  # slots in the block, the next one to use, and those that were used
        self._is_at_it = False  # whether the last answer was a slot
        self._is_busy = False  # whether there was something leased ahead of now, when last seen

    def wait_s(self, items: int) -> float:
        """Seconds until a slot of this worker's may be used; leases a block when there is none."""
        now_us = self._now_us()
        if not self._has_slot(now_us):
            self._lease(items, now_us)
            now_us = self._now_us()
            if not self._has_slot(now_us):  # the ledger was slower than the slots
                raise ComeBack(None)
        return max(0, self._slot_us() - now_us) / _US

    def take(self) -> None:
        """Use the slot."""
        self._next += 1
        self._used += 1
        self._is_at_it = True

    def _has_slot(self, now_us: int) -> bool:
        """Pass over the slots that are too late; whether one is left, and not so far off that a clock was set back."""
        while self._next < self._size and self._slot_us() + self._late_us < now_us:
            self._next += 1
        return self._next < self._size and self._slot_us() <= now_us + STAY_S * _US

    def _slot_us(self) -> int:
        return self._start_us + self._budget.length_us(self._next)

    def _lease(self, items: int, now_us: int) -> None:
        if self._size:
            self._pace.learn(self._used, of=self._size, seconds=(now_us - self._start_us) / _US)
            self._size = 0
        size = self._pace.size(items)
        try:
            grant = budgets.lease(
                self._world.table,
                self._budget,
                size,
                now_us=now_us,
                latest_us=now_us + (STAY_S * _US if self._is_at_it else self._near_us),
                is_busy=self._is_busy,
                expires_at=expiry(self._world.now()),
            )
            self._is_busy = grant.start_us > now_us
            if not grant.accepted:
                self._is_at_it = False
                raise ComeBack(self._away_s(items, now_us, grant.start_us))
        except (ClientError, BotoCoreError) as error:
            logger.warning("budget not leased", budget=self._budget.name, error=type(error).__name__)
            raise ComeBack(None, error) from error
        self._start_us, self._size, self._next, self._used = grant.start_us, size, 0, 0

    def _away_s(self, items: int, now_us: int, free_us: int) -> float:
        """For how long to send items away: until about the time when the budget is through with those before them.

        Where slots are further apart than a worker waits, that is for each item anew.
        """
        turn = max(1, min(items * _EAGER, self._budget.per_second * _TURN_S))
        latest_us = now_us + FAR_S * _US
        if free_us < latest_us:
            place = budgets.queue(
                self._world.table,
                self._budget,
                turn,
                from_us=free_us,
                latest_us=latest_us,
                expires_at=expiry(self._world.now()),
            )
            if place.accepted:
                return (place.start_us - now_us) / _US
        return FAR_S * (1 + self._world.draw()) / 2

    def _now_us(self) -> int:
        return (self._world.now() - _EPOCH) // timedelta(microseconds=1)
