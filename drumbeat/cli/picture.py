"""One picture of the runs: items done and worker concurrency over virtual time."""

from datetime import datetime
from pathlib import Path

from drumbeat.ledger.record import RunRecord
from drumbeat.run import parse_time

from .chart import Panel, clock, document
from .simulation import Result

NAME = "runs.svg"
_MOST = 6


def draw(result: Result, out: Path) -> Path:
    """Write `runs.svg`: a panel for each run, for the largest ones if there are many."""
    largest = sorted(result.runs, key=lambda run: -run.items)[:_MOST]
    chosen = [run for run in result.runs if run in largest]
    note = f"{len(chosen)} of {len(result.runs):,} runs, those with the most items" if len(result.runs) > _MOST else ""
    path = out / NAME
    path.write_text(document([_panel(run, result) for run in chosen], note=note), encoding="utf-8")
    return path


def _panel(run: RunRecord, result: Result) -> Panel:
    began = parse_time(run.scheduled_at)
    ended = parse_time(run.completed_at) if run.completed_at else result.ended
    watched = result.watch.runs.get(run.id)
    done = _since(began, watched.done if watched else [])
    workers = _since(began, result.concurrency.get(run.task, []))
    last = max((second for second, _ in done), default=0.0)
    span = max((ended - began).total_seconds(), last, 1.0)
    return Panel(
        title=run.id,
        subtitle=f"{run.items:,} items done after {clock(round(last))}, {run.state} after {clock(round(span))}",
        span_s=span,
        first=done,
        first_label="items done",
        second=[point for point in workers if 0 <= point[0] <= span],
        second_label="workers",
    )


def _since(began: datetime, series: list[tuple[datetime, int]]) -> list[tuple[float, float]]:
    return [((at - began).total_seconds(), value) for at, value in series]
