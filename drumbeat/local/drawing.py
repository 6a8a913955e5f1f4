"""The timeline as SVG: fires, invocations by function and messages by queue, below each other on one axis of time.

Long spans in which nothing happens are cut out, and the breaks are marked.

The number of shapes is bounded: an invocation is a bar while its function has few, else a step of a curve; no curve
has more steps than the picture has columns of pixels.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

from .axis import Axis, Span
from .clock import SECOND, to_datetime
from .series import Column, Series
from .timeline import ERROR, IN_FLIGHT, RUNNING, THROTTLE, TIMEOUT, WAITING, FunctionTrack, Timeline

WIDTH, LEFT, RIGHT = 1080, 250, 24
_X0, _X1 = LEFT, WIDTH - RIGHT
_TOP, _GAP = 84, 14
_FIRES, _AREA, _LANE, _BAR, _MARKS = 22, 54, 9, 7, 6
_MOST_LANES, _MOST_ROWS = 14, 24
_LABEL = 34
_BAD = (ERROR, TIMEOUT, THROTTLE)
_HASH = re.compile(r"[0-9A-F]{8}$")

STYLE = """
svg { font: 12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif; }
.back { fill: #ffffff; } .band { fill: #f5f7fa; } .name { fill: #1f2933; font-weight: 600; }
.title { fill: #1f2933; font-size: 16px; font-weight: 600; } .text { fill: #52606d; } .small { font-size: 11px; }
.grid { stroke: #e4e7eb; } .axis { stroke: #9aa5b1; } .break { fill: #9aa5b1; fill-opacity: .3; }
.fire { fill: #7c3aed; } .ok { fill: #2563eb; } .error { fill: #dc2626; } .timeout { fill: #e07b00; }
.throttle { fill: #a16207; } .cold { fill: #93b4f5; }
.running { fill: #2563eb; fill-opacity: .22; stroke: #2563eb; } .waiting { fill: #0d9488; fill-opacity: .25; }
.flight { fill: none; stroke: #b45309; stroke-width: 1.4; } .wait { fill: #0d9488; } .fly { fill: #b45309; }
@media (prefers-color-scheme: dark) {
  .back { fill: #14181d; } .band { fill: #1b2026; } .name, .title { fill: #f0f4f8; } .text { fill: #a3b1bf; }
  .grid { stroke: #2a3138; } .axis { stroke: #52606d; } .cold { fill: #33548f; } .ok { fill: #60a5fa; }
  .running { fill: #60a5fa; stroke: #60a5fa; } .flight { stroke: #fbbf4d; } .fly { fill: #fbbf4d; }
  .error { fill: #f87171; } .timeout { fill: #fbbf4d; } .throttle { fill: #d6b45c; } .fire { fill: #a78bfa; }
}
""".strip()
_LEGEND = (
    ("fire", "fire"),
    ("ok", "invocation"),
    ("cold", "cold start"),
    ("error", "error"),
    ("timeout", "timeout"),
    ("throttle", "throttled"),
    ("wait", "messages waiting"),
    ("fly", "messages in flight"),
)
_BREAK = ("break", "nothing happens")


@dataclass(frozen=True)
class Row:
    """One track: its name and what it comes to at the left, and what draws it into a height."""

    name: str
    notes: tuple[str, ...]
    height: int
    shapes: Callable[[int], Iterator[str]]


def draw(timeline: Timeline) -> str:
    """One SVG of the whole timeline, readable on light and on dark."""
    axis = _axis(timeline)
    rows, left_out = _rows(timeline, axis)
    body, y = [], _TOP
    for number, row in enumerate(rows):
        if number % 2 == 0:
            body.append(_rect("band", 0, y - _GAP / 2, WIDTH, row.height + _GAP))
        body.append(_text(16, y + 12, row.name, kind="name"))
        body += [_text(16, y + 27 + 14 * line, note, kind="text small") for line, note in enumerate(row.notes)]
        body += row.shapes(y)
        y += row.height + _GAP
    height = y + (46 if left_out else 30)
    bands = [shape for shape in body if 'class="band"' in shape]
    shapes = [shape for shape in body if 'class="band"' not in shape]
    parts = [*_head(axis), *bands, *_times(axis, y - _GAP / 2), *shapes]
    if left_out:
        parts.append(_text(16, height - 10, left_out, kind="text small"))
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><style>{STYLE}</style>'
        f'<rect class="back" width="100%" height="100%"/>{"".join(parts)}</svg>\n'
    )


def _axis(timeline: Timeline) -> Axis:
    first = min((ns for series in _all_series(timeline) for ns, _ in series), default=timeline.start_ns)
    span = max(timeline.end_ns - first, SECOND)
    start, end = max(timeline.start_ns, first - span // 50), timeline.end_ns + span // 50
    return Axis(start, end, _busy(timeline), x0=_X0, x1=_X1)


def _busy(timeline: Timeline) -> Iterator[Span]:
    """When something happened, or ran."""
    for series in _all_series(timeline):
        yield from ((ns, ns + series.width_ns) for ns, _ in series)
    for track in timeline.functions.values():
        yield from ((bar.start_ns, timeline.end_ns if bar.end_ns is None else bar.end_ns) for bar in track.bars)
        running_since = None
        for ns, column in track.series:
            if running_since is not None:
                yield running_since, ns
            running_since = ns if column.last.get(RUNNING) else None


def _all_series(timeline: Timeline) -> Iterator[Series]:
    yield from timeline.fires.values()
    yield from (track.series for track in timeline.functions.values())
    yield from timeline.queues.values()


def _rows(timeline: Timeline, axis: Axis) -> tuple[list[Row], str]:
    rows = [_fires(_label(timeline, name), series, axis) for name, series in sorted(timeline.fires.items())]
    functions = sorted(timeline.functions.items(), key=lambda item: _label(timeline, item[0]))
    rows += [_function(_label(timeline, name), track, axis, timeline) for name, track in functions]
    queues = sorted(timeline.queues.items(), key=lambda item: _label(timeline, item[0]))
    rows += [_queue(_label(timeline, name), series, axis) for name, series in queues]
    left_out = f"and {len(rows) - _MOST_ROWS} more tracks" if len(rows) > _MOST_ROWS else ""
    return rows[:_MOST_ROWS], left_out


def _label(timeline: Timeline, name: str) -> str:
    label = _HASH.sub("", timeline.labels.get(name, name)) or name
    return label if len(label) <= _LABEL else f"{label[: _LABEL - 1]}…"


# -- tracks ------------------------------------------------------------------------------------------------


def _fires(name: str, series: Series, axis: Axis) -> Row:
    columns = list(_per_pixel(series, axis))
    total = sum(sum(column.counts.values()) for _, column in columns)
    size = 5 if len(columns) < 100 else 2  # noqa: PLR2004  triangles, or strokes where they would overlap

    def shapes(y: int) -> Iterator[str]:
        bottom = y + _FIRES - 4
        for x, _ in columns:
            yield f'<path class="fire" d="M{x - size:.1f} {y + 4}h{2 * size}L{x:.1f} {bottom}z"/>'

    return Row(name, (_many(total, "fire"),), _FIRES + 8, shapes)


def _function(name: str, track: FunctionTrack, axis: Axis, timeline: Timeline) -> Row:
    bad = [_many(track.counts[kind], kind) for kind in _BAD if track.counts[kind]]
    notes = (f"{_many(track.started, 'invocation')}, {track.cold:,} cold, {track.peak:,} at once", ", ".join(bad))
    if track.bars and track.lanes <= _MOST_LANES:
        height = max(_LANE * track.lanes, 30) + _MARKS
        return Row(name, notes, max(height, 44), lambda y: _bars(track, axis, timeline, y))
    return Row(name, notes, _AREA + _MARKS, lambda y: _curve(track, axis, y))


def _bars(track: FunctionTrack, axis: Axis, timeline: Timeline, y: int) -> Iterator[str]:
    for bar in track.bars:
        top, end = y + _LANE * bar.lane, bar.end_ns if bar.end_ns is not None else timeline.end_ns
        x, width = axis.x(bar.start_ns), max(1.5, axis.x(end) - axis.x(bar.start_ns))
        yield _rect(bar.outcome, x, top, width, _BAR)
        if bar.cold:
            cold = min(width, max(1.0, axis.x(bar.start_ns + timeline.cold_ns) - x))
            yield _rect("cold", x, top, cold, _BAR)
    yield from _marks(track, axis, y + max(_LANE * track.lanes, 30), only=(THROTTLE,))


def _curve(track: FunctionTrack, axis: Axis, y: int) -> Iterator[str]:
    yield from _area(track.series, RUNNING, axis, y, top=track.peak, shape="running")
    yield from _marks(track, axis, y + _AREA, only=_BAD)


def _marks(track: FunctionTrack, axis: Axis, y: float, *, only: tuple[str, ...]) -> Iterator[str]:
    """A stroke for each column of pixels in which something went wrong; the worst of it gives the colour."""
    for x, column in _per_pixel(track.series, axis):
        worst = next((kind for kind in only if column.counts.get(kind)), None)
        if worst is not None:
            yield _rect(worst, x, y, 1.5, _MARKS)


def _queue(name: str, series: Series, axis: Axis) -> Row:
    waiting = max((column.highest.get(WAITING, 0) for _, column in series), default=0)
    flying = max((column.highest.get(IN_FLIGHT, 0) for _, column in series), default=0)
    top = max(waiting, flying, 1)

    def shapes(y: int) -> Iterator[str]:
        yield from _area(series, WAITING, axis, y, top=top, shape="waiting")
        yield f'<polyline class="flight" points="{_steps(series, IN_FLIGHT, axis, y, top)}"/>'

    return Row(name, (f"queue: up to {waiting:,} waiting,", f"{flying:,} in flight"), _AREA + _MARKS, shapes)


def _area(series: Series, kind: str, axis: Axis, y: int, *, top: int, shape: str) -> Iterator[str]:
    steps, bottom = _steps(series, kind, axis, y, top), y + _AREA
    yield f'<polygon class="{shape}" points="{_X0},{bottom} {steps} {_X1},{bottom}"/>'
    yield _text(_X1, y + 10, f"{top:,}", anchor="end", kind="text small")


def _steps(series: Series, kind: str, axis: Axis, y: int, top: int) -> str:
    """A line that keeps each value until the next; in a column of pixels it reaches the highest value."""
    bottom, before, line = y + _AREA, 0, [f"{_X0},{y + _AREA}"]

    def at(value: int) -> str:
        return f"{bottom - (_AREA - 4) * value / max(top, 1):.1f}"

    for x, column in _per_pixel(series, axis):
        if kind not in column.last:
            continue
        line += [f"{x:.1f},{at(before)}", f"{x:.1f},{at(column.highest[kind])}", f"{x + 1:.1f},{at(column.last[kind])}"]
        before = column.last[kind]
    return " ".join([*line, f"{_X1},{at(before)}"])


def _per_pixel(series: Series, axis: Axis) -> Iterator[tuple[float, Column]]:
    """The columns of a series, put together where several fall on one column of pixels."""
    at, together = -1, Column()
    for ns, column in series:
        x = round(axis.x(ns))
        if x != at:
            if at >= 0:
                yield at, together
            at, together = x, Column()
        together.absorb(column)
    if at >= 0:
        yield at, together


# -- around them -------------------------------------------------------------------------------------------


def _head(axis: Axis) -> Iterator[str]:
    begin, end = to_datetime(axis.start_ns), to_datetime(axis.end_ns)
    same_day = begin.date() == end.date()
    until = f"{end:%H:%M:%S}" if same_day else f"{end:%Y-%m-%d %H:%M:%S}"
    yield _text(16, 28, f"{begin:%Y-%m-%d %H:%M:%S} to {until} UTC, virtual time", kind="title")
    x = 16.0
    for shape, label in (*_LEGEND, *([_BREAK] if len(axis.segments) > 1 else [])):
        yield _rect(shape, x, 43, 11, 11)
        yield _text(x + 16, 53, label)
        x += 16 + 7.0 * len(label) + 18


def _times(axis: Axis, bottom: float) -> Iterator[str]:
    top = _TOP - _GAP / 2
    yield f'<line class="axis" x1="{_X0}" x2="{_X1}" y1="{bottom:.1f}" y2="{bottom:.1f}"/>'
    for left, right in axis.breaks():
        yield _rect("break", left, top, right - left, bottom - top + 4)
    for x, time in axis.ticks():
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>'
        yield _text(x, bottom + 17, time, anchor="middle")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 or what == THROTTLE else f"{count:,} {what}s"


def _rect(kind: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _text(x: float, y: float, text: str, *, kind: str = "text", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
