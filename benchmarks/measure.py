"""What the benchmarks share: the machine, contestants that take turns in processes of their own, tables, pictures.

A contestant is a function of a benchmark's module; `take_turns` runs each in a fresh process, several rounds, in
alternating order, so that what else the machine does falls on all alike.  CPU seconds are the process's own.
"""

import argparse
import contextlib
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"
sys.path.insert(0, str(ROOT))

Figures = dict[str, Any]
Contestants = Mapping[str, Callable[..., Figures]]
FAKE = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_SERVICE_NAME": "bench",
    "POWERTOOLS_METRICS_NAMESPACE": "bench",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
}
"""No benchmark reaches AWS: credentials are none, endpoints are on loopback."""


@dataclass(frozen=True)
class Options:
    """How a benchmark was asked to run: `quick` with tiny numbers, and where its results go; none if nowhere."""

    quick: bool
    out: Path | None
    rounds: int


def options(doc: str | None) -> Options:
    """Read the command line that every benchmark has."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="tiny numbers: does it run at all?")
    parser.add_argument("--out", type=Path, default=None, help="where to write results; benchmarks/results by default")
    parser.add_argument("--rounds", type=int, default=None, help="how often each contestant takes its turn")
    given = parser.parse_args()
    out = given.out or (None if given.quick else RESULTS)
    return Options(given.quick, out, given.rounds or (1 if given.quick else 5))


def machine(*packages: str) -> Figures:
    """Where, when and with what it was measured."""
    found: Figures = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load": round(os.getloadavg()[0], 1),
    }
    for name in packages:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


# -- contestants --------------------------------------------------------------------------------------------


def one(contestants: Contestants) -> bool:
    """In a contestant's process: run the one that the command line names, print its figures; whether there was one."""
    if len(sys.argv) < 3 or sys.argv[1] != "--one":  # noqa: PLR2004
        return False
    arguments = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}  # noqa: PLR2004
    with contextlib.redirect_stdout(sys.stderr):
        found = contestants[sys.argv[2]](**arguments)
    print(json.dumps(found))
    return True


def turn(script: str, name: str, arguments: Figures, *, environ: Mapping[str, str] = {}) -> Figures:
    """Run one contestant in a fresh process."""
    done = subprocess.run(
        [sys.executable, script, "--one", name, json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **FAKE, **environ, "PYTHONPATH": str(ROOT)},
        timeout=600,
    )
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["no word"])[-1]}
    answer: Figures = json.loads(done.stdout.splitlines()[-1])
    return answer


def take_turns(
    script: str, arguments: Mapping[str, Figures], *, rounds: int, environ: Mapping[str, str] = {}
) -> dict[str, list[Figures]]:
    """Each contestant's figures, round by round, the order turned round each time."""
    found: dict[str, list[Figures]] = {name: [] for name in arguments}
    for number in range(rounds):
        names = list(arguments)
        for name in names if number % 2 == 0 else reversed(names):
            found[name].append(turn(script, name, arguments[name], environ=environ))
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return found


def cpu(step: Callable[[], Any]) -> float:
    """CPU seconds that a step takes in this process, all its threads."""
    began = time.process_time()
    step()
    return time.process_time() - began


def median(turns: Iterable[Figures], name: str) -> float | None:
    """The median of a figure; None if no turn has it."""
    values = [found[name] for found in turns if name in found]
    return statistics.median(values) if values else None


# -- what is printed and kept -------------------------------------------------------------------------------


def table(where: Figures, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The machine, then columns: the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    lines = [", ".join(f"{name} {value}" for name, value in where.items())]
    for row in (heads, *rows):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def keep(given: Options, name: str, found: Figures, text: str, picture: str) -> None:
    """Print the table; write it with all figures and a picture, unless nothing is to be kept."""
    print(text)
    if given.out is None:
        return
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / f"{name}.json").write_text(json.dumps({**found, "table": text.splitlines()}, indent=1) + "\n")
    (given.out / f"{name}.svg").write_text(picture)


_COLORS = {"ours": "#2563eb", "theirs": "#9aa5b1"}
_WIDTH, _LEFT, _STEP = 760, 250, 26


def bars(title: str, said: str, rows: Sequence[tuple[str, float, str]], *, log: bool = True) -> str:
    """Bars of (label, value, "ours" or "theirs"), by default on a scale of powers of ten."""
    values = [value for _, value, _ in rows if value > 0] or [1.0]
    low = 10 ** math.floor(math.log10(min(values))) if log else 0.0
    span = math.log10(max(values) / low) if log else max(values)

    def x(value: float) -> float:
        share = (math.log10(max(value, low) / low) if log else value) / (span or 1)
        return _LEFT + (_WIDTH - _LEFT - 90) * share

    parts = [_text(16, 26, title, 'font-size="15" font-weight="600"'), _text(16, 44, said, 'fill="#52606d"')]
    for number, (label, value, kind) in enumerate(rows):
        y = 60 + _STEP * number
        parts.append(_text(_LEFT - 10, y + 13, label, 'text-anchor="end"'))
        parts.append(
            f'<rect x="{_LEFT}" y="{y}" width="{max(1, x(value) - _LEFT):.0f}" height="18" fill="{_COLORS[kind]}"/>'
        )
        told = f"{value:,.3g}" if value < 1e3 else f"{value:,.0f}"  # noqa: PLR2004
        parts.append(_text(round(x(value)) + 6, y + 13, told, 'fill="#52606d"'))
    return _svg(parts, 74 + _STEP * len(rows))


def lines(title: str, said: str, curves: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Curves of (x, y), both on scales of powers of ten."""
    points = [point for curve in curves.values() for point in curve if point[1] > 0]
    (x0, x1), (y0, y1) = ((min(axis), max(axis)) for axis in zip(*points, strict=True))
    left, top, width, height = 80, 64, _WIDTH - 250, 260

    def at(point: tuple[float, float]) -> tuple[float, float]:
        across = math.log10(point[0] / x0) / (math.log10(x1 / x0) or 1)
        up = math.log10(max(point[1], y0) / y0) / (math.log10(y1 / y0) or 1)
        return left + width * across, top + height * (1 - up)

    parts = [_text(16, 26, title, 'font-size="15" font-weight="600"'), _text(16, 44, said, 'fill="#52606d"')]
    for value in _powers(x0, x1):
        x = at((value, y0))[0]
        parts.append(f'<line x1="{x:.0f}" x2="{x:.0f}" y1="{top}" y2="{top + height}" stroke="#e4e7eb"/>')
        parts.append(_text(round(x), top + height + 18, f"{value:,.0f}", 'text-anchor="middle" fill="#52606d"'))
    for value in _powers(y0, y1):
        y = at((x0, value))[1]
        parts.append(f'<line x1="{left}" x2="{left + width}" y1="{y:.0f}" y2="{y:.0f}" stroke="#e4e7eb"/>')
        parts.append(_text(left - 8, round(y) + 4, f"{value:,.4g}", 'text-anchor="end" fill="#52606d"'))
    for (name, curve), color in zip(curves.items(), ("#2563eb", "#0d9488", "#b45309", "#7c3aed"), strict=False):
        path = " ".join(f"{x:.0f},{y:.0f}" for x, y in map(at, curve))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        x, y = at(curve[-1])
        parts.append(_text(round(x) + 8, round(y) + 4, name, f'fill="{color}"'))
    return _svg(parts, top + height + 40)


def _powers(low: float, high: float) -> Iterator[float]:
    yield from (10.0**power for power in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1))


def _text(x: float, y: float, text: str, style: str) -> str:
    safe = text.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x}" y="{y}" {style}>{safe}</text>'


def _svg(parts: Iterable[str], height: int) -> str:
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    font = 'font-family="system-ui, \'Segoe UI\', Roboto, sans-serif" font-size="12" fill="#1f2933"'
    back = '<rect width="100%" height="100%" fill="#fff"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>{back}{"".join(parts)}</svg>\n'
