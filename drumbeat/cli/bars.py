"""Progress on standard error: a bar for virtual time and one for each active run, or plain lines in a pipe."""

from datetime import datetime
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from .watch import Watch

_SHOWN = 8
"""Bars of runs at the same time; ended ones make room."""


class Bars:
    """Shows how far virtual time and the runs are. Repaints when it is told, not by a thread of its own."""

    def __init__(self, console: Console, start: datetime, end: datetime) -> None:
        self._console, self._start, self._end = console, start, end
        self._runs: dict[str, TaskID] = {}
        self._told: set[str] = set()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=32),
            TextColumn("[bold]{task.percentage:>3.0f} %[/]"),
            TextColumn("{task.fields[done]}"),
            TimeElapsedColumn(),
            console=console,
            auto_refresh=False,
            transient=True,
            disable=not console.is_terminal,
        )
        self._clock = self._progress.add_task("virtual time", total=(end - start).total_seconds(), done="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, now: datetime, watch: Watch) -> None:
        """Repaint."""
        passed = max(0.0, (min(now, self._end) - self._start).total_seconds())
        self._progress.update(self._clock, completed=passed, done=f"{now:%Y-%m-%d %H:%M:%S} UTC")
        for run_id, run in watch.runs.items():
            if run.state and run_id not in self._told:
                self._tell(run_id, f"{run_id}: {run.state}, {run.settled:,} items")
            elif not run.state and run_id not in self._runs and len(self._runs) < _SHOWN:
                self._runs[run_id] = self._progress.add_task(f"[cyan]{run_id}[/]", total=None, done="")
            if run_id in self._runs:
                done = f"{run.settled:,} of {run.items:,} items" if run.items is not None else "expanding"
                self._progress.update(self._runs[run_id], completed=run.settled, total=run.items, done=done)
        self._progress.refresh()

    def _tell(self, run_id: str, text: str) -> None:
        self._told.add(run_id)
        if run_id in self._runs:
            self._progress.remove_task(self._runs.pop(run_id))
        if not self._console.is_terminal:
            self._console.print(text)
