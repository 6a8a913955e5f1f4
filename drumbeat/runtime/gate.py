"""Whether the next item may begin: the run goes on, there is time for it, and the budgets have a slot."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from .attempt import LEFT, End, Outcome


class Allowed(Protocol):
    """What hands out the slots of the task's budgets."""

    def ask(self, items: int) -> float:
        """Take a slot and return 0, or say in how many seconds to ask again; `items` are not begun yet.

        Raises ComeBack if that would be too long to wait for.
        """

    def sleep(self, seconds: float) -> None:
        """Let time pass."""


class ComeBack(Exception):
    """The next slot is too far off to be waited for; `after_s` says when to come back, if that is known."""

    def __init__(self, after_s: float | None, cause: Exception | None = None) -> None:
        super().__init__("the budget's next slot is too far off")
        self.after_s = after_s
        self.cause = cause


@dataclass
class Slowest:
    """The longest that an item took in this invocation, whatever chunk it was of."""

    seconds: float = 0.0


class Gate:
    """Is asked before each item; once it is shut, no further item of this turn begins."""

    def __init__(
        self,
        items: int,
        *,
        left_s: Callable[[], float],
        stopped: Callable[[], bool],
        budget: Allowed | None,
        slowest: Slowest | None = None,
    ) -> None:
        self.left_s = left_s
        self._left_items = items
        self._stopped = stopped
        self._budget = budget
        self._slowest = slowest or Slowest()
        self._shut: Outcome | None = None
        self._asked_at_s: float | None = None

    @property
    def verdict(self) -> Outcome:
        """What becomes of the items that don't begin."""
        return self._shut or LEFT

    def ask(self) -> float | None:
        """0: the item may begin; more: ask again after so many seconds; None: the gate is shut."""
        if self._shut is None:
            self._shut = self._refusal()
        if self._shut is not None:
            return None
        if self._budget is None:
            return 0
        wait_s = self._slot(self._budget)
        if wait_s is not None and wait_s >= self.left_s():
            self._shut, wait_s = LEFT, None
        if wait_s == 0:
            self._left_items -= 1
        return wait_s

    def wait(self) -> bool:
        """Sleep until the next item may begin; False if none may."""
        while wait_s := self.ask():
            self.sleep(wait_s)
        return wait_s is not None

    def sleep(self, seconds: float) -> None:
        """Let time pass before the next question; only a budget makes anybody wait."""
        assert self._budget is not None
        self._budget.sleep(seconds)

    def took(self, seconds: float) -> None:
        """Learn how long an item took: none is begun that would not end in time if it took as long as the longest."""
        self._slowest.seconds = max(self._slowest.seconds, seconds)

    def _refusal(self) -> Outcome | None:
        left_s = self.left_s()
        if left_s <= self._slowest.seconds:
            return LEFT
        if left_s == self._asked_at_s:  # what stops a run needs time, and no time has passed
            return None
        self._asked_at_s = left_s
        return LEFT if self._stopped() else None

    def _slot(self, budget: Allowed) -> float | None:
        try:
            return budget.ask(self._left_items)
        except ComeBack as far:
            self._shut = Outcome(End.THROTTLED, error=far.cause, after_s=far.after_s)
            return None
