"""How fast a run goes, and when it will be done at that."""

from collections import deque
from datetime import datetime, timedelta

_WINDOW = timedelta(minutes=1)


class Pace:
    """Items per second over the last minute that was looked at."""

    def __init__(self) -> None:
        self._seen: deque[tuple[datetime, int]] = deque()

    def see(self, now: datetime, done: int) -> None:
        """Take in how many items are done by now; fewer than before means that they are done again."""
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now, done))
        while len(self._seen) > 2 and self._seen[1][0] <= now - _WINDOW:  # noqa: PLR2004  (two make a line)
            self._seen.popleft()

    @property
    def per_s(self) -> float | None:
        """The rate, or None as long as nothing was seen to move."""
        (first, before), (last, done) = self._seen[0], self._seen[-1]
        seconds = (last - first).total_seconds()
        return (done - before) / seconds if seconds > 0 and done > before else None

    def left(self, items: int | None) -> timedelta | None:
        """How long the rest takes at this rate; None if that can't be told."""
        rate = self.per_s
        if items is None or rate is None:
            return None
        return timedelta(seconds=round((items - self._seen[-1][1]) / rate))
