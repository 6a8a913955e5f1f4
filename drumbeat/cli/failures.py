"""`drumbeat failures`: the items that a run has given up."""

import json
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from . import documents, options
from .connection import connected
from .plain import plain
from .screen import screen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drumbeat.control import ErrorCount, Failure

_WIDTH = 60


def failures(  # noqa: PLR0917  (Typer passes them by name)
    context: typer.Context,
    run: options.Run,
    error: options.ErrorFilter = "",
    by_error: Annotated[bool, typer.Option("--by-error", help="Count them by error, the most frequent first.")] = False,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many to show.")] = 50,
    as_json: options.AsJson = False,
) -> None:
    """List the items that a run has given up: number, item, error, attempts, when and in which invocation.

    Of an item that was done again, what its latest redrive says.

    [bold]drumbeat failures invoices/latest[/]

    [bold]drumbeat failures invoices/latest --by-error[/]

    [bold]drumbeat failures invoices/latest --error 'Timeout|50[0-9]' --limit 1000000 --json[/]
    """
    with connected(context) as control:
        if by_error:
            counted = control.failures_by_error(run, error=error)
            found, rest = [], False
        else:
            stream = control.failures(run, error=error)
            counted, found = [], list(islice(stream, limit))
            rest = next(stream, None) is not None
    if as_json:
        documents.put(
            {"errors": [documents.error(entry) for entry in counted[:limit]]}
            if by_error
            else {"failures": [documents.failure(entry) for entry in found], "more": rest}
        )
        return
    console = screen()
    if not counted and not found:
        console.print("no such failure in this run")
    elif by_error:
        _print_errors(console, counted[:limit])
    else:
        _print_failures(console, found)
        if rest:
            console.print("[dim]and more; --limit N shows them, --by-error counts them[/]")


def _print_errors(console: Console, counted: "Sequence[ErrorCount]") -> None:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("items", justify="right", no_wrap=True)
    table.add_column("error", overflow="fold")
    table.add_column("numbers", no_wrap=True)
    for entry in counted:
        numbers = ", ".join(map(str, entry.numbers)) + (", ..." if entry.count > len(entry.numbers) else "")
        table.add_row(f"{entry.count:,}", plain(entry.error), f"[dim]{numbers}[/]")
    console.print(table)


def _print_failures(console: Console, found: "Sequence[Failure]") -> None:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("number", justify="right", no_wrap=True)
    table.add_column("item", overflow="ellipsis", no_wrap=True, max_width=_WIDTH)
    table.add_column("error", overflow="fold")
    table.add_column("attempts", justify="right", no_wrap=True)
    table.add_column("at, in the log of", no_wrap=True)
    for failure in found:
        item = json.dumps(failure.item, ensure_ascii=False)
        table.add_row(
            str(failure.number),
            plain(item),
            plain(failure.text),
            str(failure.attempts),
            f"[dim]{failure.died_at} {failure.request_id}[/]",
        )
    console.print(table)
