"""`drumbeat redrive`: do again what a run has given up."""

from typing import TYPE_CHECKING, Annotated

import typer

from . import documents, options
from .connection import connected
from .follow import follow
from .screen import progress_screen, screen

if TYPE_CHECKING:
    from drumbeat.control import Redrive


def redrive(  # noqa: PLR0917  (Typer passes them by name)
    context: typer.Context,
    run: options.Run,
    error: options.ErrorFilter = "",
    items: Annotated[
        str | None, typer.Option("--items", metavar="NUMBERS", help="Only these, such as 3,7,10-20, as failures tells.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell how many items that would be.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the run until it has ended again.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Do again just the items that a run has given up, or has dropped when it was cancelled; in the same run.

    The run must have ended. Its counts stay exact, and it may be redriven as often as you like.

    [bold]drumbeat redrive invoices/latest --dry-run[/]

    [bold]drumbeat redrive invoices/2026-11-22T01:30:00Z --error Timeout[/]

    [bold]drumbeat redrive invoices/2026-11-22T01:30:00Z --items 3,7,10-20 --wait[/]

    Exit status: with --wait 0 if the run has succeeded now, 1 if it ended in another way.
    """
    with connected(context) as control:
        done = control.redrive(run, error=error, items=items, dry_run=dry_run)
        if not as_json:
            _tell(done, dry_run=dry_run)
        console = progress_screen() if as_json else screen()
        last = follow(control.follow(done.run), console, now=control.now) if wait and not dry_run else None
    if as_json:
        numbers = {
            "failed": done.failed,
            "dropped": done.dropped,
            "redrive": done.round,
            "awaited_chunks": done.awaited_chunks,
        }
        state = {} if last is None else {"state": last.record.state}
        documents.put({"run": done.run, "items": done.items, **numbers, "dry_run": dry_run, **state})
    if last is not None:
        raise typer.Exit(1 if last.has_failed else 0)


def _tell(done: "Redrive", *, dry_run: bool) -> None:
    shown = ", ".join(map(str, done.numbers)) + (", ..." if done.items > len(done.numbers) else "")
    what = f"{done.failed:,} that had failed" + (f" and {done.dropped:,} that were dropped" if done.dropped else "")
    would = "would do" if dry_run else "does"
    screen().print(f"redrive {done.round} of [cyan]{done.run}[/] {would} {done.items:,} items again: {what} ({shown})")
    if done.awaited_chunks:
        screen().print(
            f"[yellow]the messages of {done.awaited_chunks:,} abandoned chunks are still to come, or were in flight: "
            "redrive the run again later[/]"
        )
