"""`drumbeat watch`: follow a run to its end."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from . import options
from .connection import connected
from .edge import INTERRUPTED
from .pace import Pace
from .plain import plain
from .screen import screen
from .words import counts, ending, state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from drumbeat.control import Status


def watch(
    context: typer.Context,
    run: options.Run,
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", min=0.2, max=3600, help="How often to look.")
    ] = 2,
) -> None:
    """Follow a run until it ends: a progress bar, the rate, the estimated finish, failures so far.

    Where standard output is no terminal, a line for each change. Ctrl-C ends the watching, not the run.

    [bold]drumbeat watch invoices/latest[/]

    [bold]drumbeat watch invoices/2026-11-22T01:30:00Z --every 10 >> watch.log[/]

    Exit status: 0 if the run succeeded, 1 if it ended in another way.
    """
    with connected(context) as control:
        try:
            last = follow(control.follow(run, every_s=every), screen(), now=control.now)
        except KeyboardInterrupt:
            screen().print("[dim]stopped watching; the run goes on[/]")
            raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(1 if last.has_failed else 0)


def follow(seen: "Iterable[Status]", console: Console, *, now: "Callable[[], datetime]") -> "Status":
    """Show each status as it comes; return the last one."""
    shown = _bar if console.is_terminal else _lines
    *_, last = shown(seen, console, now)  # a run has at least one status
    console.print(ending(last))
    return last


def _lines(seen: "Iterable[Status]", console: Console, now: "Callable[[], datetime]") -> "Iterator[Status]":
    pace, before = Pace(), ""
    for status in seen:
        pace.see(now(), status.done)
        if not status.has_ended and (line := f"{status.record.id} {state(status)} {counts(status)}") != before:
            before = line
            console.print(line + _estimate(pace, status, now()), soft_wrap=True)
        yield status


def _bar(seen: "Iterable[Status]", console: Console, now: "Callable[[], datetime]") -> "Iterator[Status]":
    columns = (
        TextColumn("[cyan]{task.description}[/]"),
        BarColumn(bar_width=32),
        TextColumn("[bold]{task.percentage:>3.0f} %[/]"),
        TextColumn("{task.fields[told]}"),
    )
    pace = Pace()
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as progress:
        bar = progress.add_task("", total=None, told="")
        for status in seen:
            pace.see(now(), status.done)
            told = f"{state(status)} {counts(status)}{_estimate(pace, status, now())}"
            progress.update(
                bar, description=plain(status.record.id), total=status.items, completed=status.done, told=told
            )
            progress.refresh()
            yield status


def _estimate(pace: Pace, status: "Status", now: datetime) -> str:
    rate, left = pace.per_s, pace.left(status.items)
    if rate is None:
        return ""
    shown = f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"  # noqa: PLR2004
    return f", {shown}/s" + (f", done about {_clock(now, left)}" if left else "")


def _clock(now: datetime, left: timedelta) -> str:
    done = (now + left).astimezone(UTC)
    return f"{done:%H:%M:%S} UTC" if left < timedelta(hours=12) else f"{done:%Y-%m-%d %H:%M} UTC"
