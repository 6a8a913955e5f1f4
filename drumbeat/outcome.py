"""What `work` may raise to say how the attempt of its item ends, other than by an error."""

from datetime import timedelta

from .errors import InvalidDelay
from .limits import SQS_VISIBILITY_S


class Again(Exception):
    """Do this item again, not before `after` (seconds or a timedelta); that is no failed attempt.

    Up to 12 hours, SQS's longest visibility timeout; anything else raises InvalidDelay, which fails the item.  There
    is no limit to how often an item may ask, but its message lives only as long as the queue keeps it.
    """

    def __init__(self, *, after: float | timedelta) -> None:
        self.after_s = _seconds(after)
        super().__init__(f"again after {self.after_s:g} s")


class Dead(Exception):
    """Give this item up at once: it becomes a dead letter with this reason, whatever `retries` says."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def _seconds(after: float | timedelta) -> float:
    if isinstance(after, bool) or not isinstance(after, int | float | timedelta):
        raise InvalidDelay(f"Again(after={after!r}): seconds or a timedelta is expected")
    seconds = after.total_seconds() if isinstance(after, timedelta) else float(after)
    if not 0 <= seconds <= SQS_VISIBILITY_S:
        raise InvalidDelay(
            f"Again(after={after!r}): 0 to {SQS_VISIBILITY_S:,} seconds are allowed, SQS's longest visibility timeout; "
            "for a later time let the item end, and start a run of its own then"
        )
    return seconds
