"""The axis of time of a picture: what is busy gets the room, what is quiet for long is a break.

A day with a run of half a minute every hour would else be two dozen strokes, none of which shows anything.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .clock import SECOND, to_datetime

MOST_BREAKS = 200
"""More would be narrower than a pixel."""
_LONG = 10  # a pause is cut out that is longer than this part of all that is busy
_MARGIN = 600  # this part of all that is busy is shown before and after each stretch of it
_WORTH_IT = 0.5  # of the time must be cut out, else the axis is left as it is
_BREAKS_TAKE, _WIDEST = 0.2, 16.0  # of the width, all of them; pixels, one
_LEAST = 2.0  # pixels of what is busy for a moment
_APART, _LABEL = 64.0, 90.0  # pixels between two labels, between regular ones
_DAY = 86_400
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, _DAY)

Span = tuple[int, int]


@dataclass(frozen=True)
class Segment:
    """A stretch of time without a break, in nanoseconds, and where it is, in pixels."""

    start_ns: int
    end_ns: int
    x0: float
    x1: float

    def x(self, ns: int) -> float:
        share = (ns - self.start_ns) / (self.end_ns - self.start_ns)
        return self.x0 + (self.x1 - self.x0) * min(1.0, max(0.0, share))


class Axis:
    """From time to pixels."""

    def __init__(self, start_ns: int, end_ns: int, busy: Iterable[Span], *, x0: float, x1: float) -> None:
        self.start_ns, self.end_ns, self.x0, self.x1 = start_ns, end_ns, x0, x1
        together = _joined(sorted(busy), 0)
        self._margin_ns = sum(end - start for start, end in together) // _MARGIN
        self.segments = _laid_out(_stretches(start_ns, end_ns, together, self._margin_ns), x0, x1)
        self._starts = [segment.start_ns for segment in self.segments]

    def x(self, ns: int) -> float:
        """Where a moment is; in a break, at its left."""
        return self.segments[max(0, bisect_right(self._starts, ns) - 1)].x(ns)

    def breaks(self) -> Iterator[tuple[float, float]]:
        """From where to where nothing is shown, in pixels."""
        for before, after in zip(self.segments, self.segments[1:], strict=False):
            yield before.x1, after.x0

    def ticks(self) -> list[tuple[float, str]]:
        """Where to write which time: where a stretch begins, the widest first, and regularly, where there is room."""
        busy = sum(segment.end_ns - segment.start_ns for segment in self.segments) / SECOND
        room = sum(segment.x1 - segment.x0 for segment in self.segments)
        step = next((step for step in _STEPS_S if step * room / busy >= _LABEL), None)
        step_ns = (step or -(-int(_LABEL * busy / room) // _DAY) * _DAY) * SECOND
        wanted = [ns for segment in self.segments for ns in _regular(segment, step_ns)]
        if len(self.segments) > 1:
            widest = sorted(self.segments, key=lambda one: one.start_ns - one.end_ns)
            wanted = [*(segment.start_ns + self._margin_ns for segment in widest), *wanted]
        found: dict[float, str] = {}
        for ns in wanted:
            x = self.x(ns)
            if all(abs(x - other) >= _APART for other in found):
                found[x] = self._written(ns, step_ns)
        return sorted(found.items())

    def _written(self, ns: int, step_ns: int) -> str:
        time = to_datetime(ns)
        if len(self.segments) > 1:
            return f"{time:%m-%d %H:%M}" if self.end_ns - self.start_ns > 2 * _DAY * SECOND else f"{time:%H:%M:%S}"
        shown = "%m-%d" if step_ns >= _DAY * SECOND else "%H:%M" if step_ns >= 60 * SECOND else "%H:%M:%S"
        return f"{time:{shown}}"


def _regular(segment: Segment, step_ns: int) -> Iterator[int]:
    first = -(-segment.start_ns // step_ns) * step_ns
    yield from range(first, segment.end_ns + 1, step_ns)


def _stretches(start_ns: int, end_ns: int, busy: Sequence[Span], margin_ns: int) -> list[Span]:
    """What is shown: all, or what is busy with a little before and after it, if that is much less."""
    long = max(SECOND, sum(end - start for start, end in busy) // _LONG)
    stretches = _joined([(start - margin_ns, end + margin_ns) for start, end in busy], long)
    shown = sum(end - start for start, end in stretches)
    if not 1 < len(stretches) <= MOST_BREAKS + 1 or shown > _WORTH_IT * (end_ns - start_ns):
        return [(start_ns, end_ns)]
    return stretches


def _joined(spans: Iterable[Span], pause_ns: int) -> list[Span]:
    """Spans that are no further apart than this, as one; they are sorted."""
    found: list[Span] = []
    for start, end in spans:
        if found and start - found[-1][1] <= pause_ns:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _laid_out(stretches: Sequence[Span], x0: float, x1: float) -> list[Segment]:
    breaks = len(stretches) - 1
    width = min(_WIDEST, _BREAKS_TAKE * (x1 - x0) / breaks) if breaks else 0.0
    room = x1 - x0 - width * breaks
    least = min(_LEAST, room / len(stretches) / 2)
    scale = (room - least * len(stretches)) / sum(end - start for start, end in stretches)
    segments, x = [], x0
    for start, end in stretches:
        right = x + least + scale * (end - start)
        segments.append(Segment(start, end, x, right))
        x = right + width
    return segments
