"""The execution environments of a function: made, kept warm, forgotten.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from .clock import SECOND
from .deployment import LATEST, Function

if TYPE_CHECKING:
    from .code import Namespace

SCALE_UP, SCALE_UP_S = 1_000, 10  # https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html


@dataclass(slots=True)
class Environment:
    """An execution environment: kept warm after an invocation."""

    number: int
    namespace: "Namespace"
    log_stream: str
    environ: dict[bytes, bytes]
    version: str = LATEST
    used_ns: int = 0


class Allowance:
    """So many at once, refilled all the time, not saved up."""

    __slots__ = ("_at_ns", "_left")

    def __init__(self) -> None:
        self._left, self._at_ns = float("inf"), 0

    def take(self, now_ns: int, most: float, per_second: float) -> bool:
        self._left = min(most, self._left + (now_ns - self._at_ns) / SECOND * per_second)
        self._at_ns = now_ns
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Pool:
    """A function's environments, and what runs in them."""

    def __init__(self, function: Function, rng: Random) -> None:
        self.function, self.rng = function, rng
        self.idle: list[Environment] = []
        self.active = self.made = self.peak = 0
        self.requests, self._growth = Allowance(), Allowance()

    def may_grow(self, now_ns: int) -> bool:
        """Take one of the new environments that may be made now: 1,000 in 10 s."""
        return self._growth.take(now_ns, SCALE_UP, SCALE_UP / SCALE_UP_S)

    def has_idle(self, version: str) -> bool:
        return any(environment.version == version for environment in self.idle)

    def take_idle(self, version: str) -> Environment:
        """The one of a version that was used last; there must be one."""
        at = next(at for at in reversed(range(len(self.idle))) if self.idle[at].version == version)
        return self.idle.pop(at)

    def forget_idle(self, oldest_ns: int) -> None:
        """Drop the environments that weren't used since."""
        while self.idle and self.idle[0].used_ns < oldest_ns:
            self.idle.pop(0)
