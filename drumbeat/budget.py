"""A budget: how many items a second may begin in all the workers of all the tasks that name it."""

import math
import re
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from .errors import BudgetConflict, InvalidTask

if TYPE_CHECKING:
    from .task import Task

_NAME = re.compile(r"[a-z][a-z0-9-]{0,47}")
_LOWEST, _HIGHEST = 0.001, 100_000
_SECOND = 1_000_000


@dataclass(frozen=True)
class Budget:
    """Items of all tasks with a budget of this name begin at `per_second` at most, over all workers of the app.

    per_second: 0.001 (one item in 1,000 seconds) to 100,000; each attempt of an item takes one slot, whatever it does.

    In any window of w seconds at most `per_second` x (w + 1) + 1 items begin: a worker leases about a second's worth of
    slots in advance and may use each up to a second late.  See docs/how-to/rate-limits.md for what clocks add to it.
    """

    name: str
    _: KW_ONLY
    per_second: float

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise InvalidTask(
                f"budget name {self.name!r}: 1 to 48 lower-case letters, digits and hyphens are allowed, a letter "
                "first, like stripe"
            )
        rate = self.per_second
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not _LOWEST <= rate <= _HIGHEST:
            raise InvalidTask(
                f"budget {self.name!r}: per_second={rate!r}; {_LOWEST} to {_HIGHEST:,} are allowed (items that may "
                "begin in a second)"
            )

    def length_us(self, slots: float) -> int:
        """Microseconds that so many slots take: rounded up, so that rounding never raises the rate."""
        return math.ceil(slots * _SECOND / self.per_second)


def check_budgets(tasks: Iterable["Task"]) -> None:
    """Check that tasks which share a budget agree on it; raises BudgetConflict."""
    first: dict[str, tuple[Budget, Task]] = {}
    for task in tasks:
        for budget in task.budgets:
            known, other = first.setdefault(budget.name, (budget, task))
            if known.per_second != budget.per_second:
                raise BudgetConflict(
                    f"budget {budget.name!r} has per_second={known.per_second} in task {other.name!r} and "
                    f"per_second={budget.per_second} in task {task.name!r}; declare it once and share the value"
                )
