"""One attempt of an item, and how it ended: by what work returned, or by what it raised."""

import json
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any, NamedTuple

from drumbeat.errors import InProgress, ResultNotJson
from drumbeat.outcome import Again, Dead
from drumbeat.retry import gives_up, is_throttle
from drumbeat.task import Task


class End(Enum):
    """How the attempt of an item ended."""

    DONE = "done"
    FAILED = "failed"
    DEAD = "dead"  # failed, and not to be tried again
    THROTTLED = "throttled"  # no attempt: refused for its rate, or work asked to do it again later
    LEFT = "left"  # not begun: the time was up, or the run was halted


class Outcome(NamedTuple):
    """The end of one attempt.

    value: what work returned.
    error: why it isn't done.
    after_s: of THROTTLED, if it is known when: the item isn't to begin before; None lets the backoff decide.
    """

    end: End
    value: Any = None
    error: BaseException | None = None
    after_s: float | None = None


DONE, LEFT = Outcome(End.DONE), Outcome(End.LEFT)
_encode = json.JSONEncoder(allow_nan=False).encode
_WIDE = 1 << 63


def attempt(task: Task, step: Callable[[], Any]) -> Outcome:
    """Do a step of plain work."""
    try:
        return done(step())
    except (Exception, SystemExit) as error:  # noqa: BLE001  (whatever the author's code raises is the item's outcome)
        return verdict(task, error)


async def attempt_async(task: Task, step: Callable[[], Awaitable[Any]]) -> Outcome:
    """Do a step of asynchronous work."""
    try:
        return done(await step())
    except (Exception, SystemExit) as error:  # noqa: BLE001  (whatever the author's code raises is the item's outcome)
        return verdict(task, error)


def verdict(task: Task, error: BaseException) -> Outcome:
    """What an error makes of its item; throttling comes before the task's own lists of types."""
    if isinstance(error, Again):
        return Outcome(End.THROTTLED, error=error, after_s=error.after_s)
    if isinstance(error, InProgress) or is_throttle(error):
        return Outcome(End.THROTTLED, error=error)
    dead = isinstance(error, Dead) or gives_up(error, retry_on=task.retry_on, give_up_on=task.give_up_on)
    return Outcome(End.DEAD if dead else End.FAILED, error=error)


def item_timed_out(task: Task) -> Outcome:
    """The outcome of an item that took longer than `item_timeout_s`."""
    return verdict(task, TimeoutError(f"not done within item_timeout_s={task.item_timeout_s:g}"))


def invocation_timed_out(task: Task) -> Outcome:
    """The outcome of an item still running when its worker must settle: tried again, as it may have begun late."""
    error = TimeoutError(f"not done when timeout_s={task.timeout_s} of its invocation was up")
    return Outcome(End.FAILED, error=error)


def done(value: Any) -> Outcome:
    """The outcome of work that returned this; raises ResultNotJson."""
    if value is None:
        return DONE
    kind = type(value)
    if kind is str or kind is bool or (kind is int and -_WIDE < value < _WIDE):  # JSON without a doubt
        return Outcome(End.DONE, value)
    try:
        _encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise ResultNotJson(f"work returned a {type(value).__name__} that isn't JSON: {error}") from None
    return Outcome(End.DONE, value)
