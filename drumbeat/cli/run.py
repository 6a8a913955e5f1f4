"""`drumbeat run`: start a run by hand."""

from pathlib import Path
from typing import Annotated

import typer

from . import documents, options
from .connection import connected
from .follow import follow
from .screen import progress_screen, screen
from .times import read_time

_PATIENCE_S = 120


def run(  # noqa: PLR0917  (Typer passes them by name)
    context: typer.Context,
    task: options.Task,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help=f"Its scheduled time, {options.TIME}; now, if left out.")
    ] = None,
    name: Annotated[
        str,
        typer.Option(
            "--name",
            metavar="NAME",
            help="Tells it from another run of the task at this time; by-hand-SECOND, if --at is left out, too.",
        ),
    ] = "",
    settings: options.Settings = None,
    items: Annotated[
        Path | None,
        typer.Option("--items", metavar="FILE.jsonl", help="Items, one a line, in place of what expand yields."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the run until it ends.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Start a run of a task by hand, and print its id.

    Its functions see the parameters as run.params. The overlap of the task is heeded: the run may wait, or be skipped.

    [bold]drumbeat run invoices[/]

    [bold]drumbeat run invoices --at 2026-11-22T01:30:00Z --wait[/]

    [bold]drumbeat run invoices --name again --set tenant=42 --items bad.jsonl[/]

    Exit status: with --wait 0 if the run succeeded, 1 if it ended in another way.
    """
    time = None if at is None else read_time(at, option="--at")
    params = options.read_settings(settings)
    given = None if items is None else options.read_items(items)
    with connected(context) as control:
        started = control.run(task, at=time, params=params, items=given, name=name)
        if not wait:
            if as_json:
                documents.put({"run": started.id})
            else:
                typer.echo(started.id)
            return
        console = progress_screen() if as_json else screen()
        last = follow(control.follow(started.id, patience_s=_PATIENCE_S), console, now=control.now)
    if as_json:
        documents.put({"run": documents.run(last)})
    raise typer.Exit(1 if last.has_failed else 0)
