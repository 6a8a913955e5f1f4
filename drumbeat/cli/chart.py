"""A panel of a chart as SVG: two lines over time, each with an axis of its own. It knows nothing of runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 860, 300
LEFT, RIGHT, TOP, BOTTOM = 76, 60, 58, 44
_X0, _X1, _Y0, _Y1 = LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM, TOP
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
_TICKS = 8
_QUARTERS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7.5, 8)

STYLE = """
svg { font: 12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif; }
.back { fill: #ffffff; } .text { fill: #52606d; } .title { fill: #1f2933; font-size: 15px; font-weight: 600; }
.grid { stroke: #e4e7eb; } .axis { stroke: #9aa5b1; }
.area { fill: #2563eb; opacity: .13; } .first { stroke: #2563eb; fill: none; stroke-width: 2; }
.second { stroke: #e07b00; fill: none; stroke-width: 1.6; }
.first-text { fill: #2563eb; } .second-text { fill: #b86500; }
@media (prefers-color-scheme: dark) {
  .back { fill: #14181d; } .text { fill: #a3b1bf; } .title { fill: #f0f4f8; }
  .grid { stroke: #2a3138; } .axis { stroke: #52606d; }
  .area { fill: #60a5fa; opacity: .16; } .first { stroke: #60a5fa; } .second { stroke: #fbbf4d; }
  .first-text { fill: #60a5fa; } .second-text { fill: #fbbf4d; }
}
""".strip()

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """`first` has its axis on the left and an area under it, `second` on the right; both are steps over seconds."""

    title: str
    subtitle: str
    span_s: float
    first: Points
    first_label: str
    second: Points
    second_label: str


def document(panels: Sequence[Panel], *, note: str = "") -> str:
    """One SVG with the panels below each other, readable on light and on dark."""
    height = HEIGHT * max(1, len(panels)) + (28 if note else 0)
    body = "".join(
        f'<g transform="translate(0 {HEIGHT * row})">{_panel(panel)}</g>' for row, panel in enumerate(panels)
    )
    if note:
        body += _text(WIDTH / 2, height - 12, note, anchor="middle")
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
        f'<style>{STYLE}</style><rect class="back" width="100%" height="100%"/>{body}</svg>\n'
    )


def _panel(panel: Panel) -> str:
    span = max(panel.span_s, 1.0)
    left, right = _top(panel.first), _top(panel.second)
    first, second = _steps(panel.first, span, left), _steps(panel.second, span, right)
    parts = [
        _text(LEFT, 24, panel.title, kind="title"),
        _text(LEFT, 43, panel.subtitle),
        _text(_X1, 43, f"― {panel.first_label}", kind="first-text", anchor="end", dx=-9 * len(panel.second_label) - 20),
        _text(_X1, 43, f"― {panel.second_label}", kind="second-text", anchor="end"),
        *_grid(left, right),
        *_seconds(span),
    ]
    if first:
        end = first.rpartition(" ")[2].partition(",")[0]
        parts.append(f'<polygon class="area" points="{_X0},{_Y0} {first} {end},{_Y0}"/>')
    parts += [f'<polyline class="second" points="{second}"/>', f'<polyline class="first" points="{first}"/>']
    return "".join(parts)


def _grid(left: float, right: float) -> list[str]:
    """Five lines; both axes have round numbers on them, because both tops are multiples of four."""
    parts = []
    for quarter in range(5):
        y = _Y0 + (_Y1 - _Y0) * quarter / 4
        kind = "axis" if quarter == 0 else "grid"
        parts += [
            f'<line class="{kind}" x1="{_X0}" x2="{_X1}" y1="{y:.1f}" y2="{y:.1f}"/>',
            _text(_X0 - 8, y + 4, f"{left * quarter / 4:,.0f}", kind="first-text", anchor="end"),
            _text(_X1 + 8, y + 4, f"{right * quarter / 4:,.0f}", kind="second-text"),
        ]
    return parts


def _seconds(span: float) -> list[str]:
    step = next((step for step in _STEPS_S if span / step <= _TICKS), span / _TICKS)
    parts = []
    for number in range(int(span / step) + 1):
        x = _X0 + (_X1 - _X0) * number * step / span
        parts += [
            f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{_Y0}" y2="{_Y0 + 4}"/>',
            _text(x, _Y0 + 18, clock(number * step), anchor="middle"),
        ]
    return parts


def _steps(points: Points, span: float, top: float) -> str:
    """A line that keeps each value until the next, one point per pixel at most: the highest of it."""
    columns: dict[int, float] = {}
    lasts: dict[int, float] = {}
    for second, value in points:
        column = round(min(1.0, max(0.0, second / span)) * (_X1 - _X0))
        columns[column] = max(columns.get(column, 0.0), value)
        lasts[column] = value
    line, before = [f"{_X0},{_Y0}"], 0.0
    for column in sorted(columns):
        x = _X0 + column
        line += [f"{x},{_Y0 + (_Y1 - _Y0) * value / top:.1f}" for value in (before, columns[column], lasts[column])]
        before = lasts[column]
    line.append(f"{_X1},{_Y0 + (_Y1 - _Y0) * before / top:.1f}")
    return " ".join(line)


def _top(points: Points) -> float:
    """Four times a round number, at or above the highest value."""
    highest = max((value for _, value in points), default=0.0)
    quarters = (float(f"{digits}e{power}") for power in range(18) for digits in _QUARTERS)
    return 4 * next(quarter for quarter in quarters if 4 * quarter >= highest and quarter.is_integer())


def clock(seconds: float) -> str:
    """Write seconds like 15 s, 2 min, 1:30 min, 3 h."""
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:g} s"
    unit, name = (3600, "h") if seconds >= 3600 else (60, "min")  # noqa: PLR2004
    whole, rest = divmod(round(seconds), unit)
    return f"{whole}:{rest * 60 // unit:02} {name}" if rest else f"{whole} {name}"


def _text(x: float, y: float, text: str, *, kind: str = "text", anchor: str = "start", dx: float = 0) -> str:
    return f'<text class="{kind}" x="{x + dx:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
