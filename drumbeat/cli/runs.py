"""`drumbeat runs`: the runs in the ledger, the newest first."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from . import documents, options
from .connection import connected
from .plain import plain
from .screen import screen
from .words import state, took

if TYPE_CHECKING:
    from drumbeat.control import Status


def runs(
    context: typer.Context,
    task: Annotated[str | None, typer.Argument(metavar="[TASK]", help="The name of a task; all, if left out.")] = None,
    states: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="Only runs in this state, such as FAILED; may be repeated."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many to show.")] = 20,
    as_json: options.AsJson = False,
) -> None:
    """List runs, the latest scheduled time first.

    [bold]drumbeat runs[/]

    [bold]drumbeat runs invoices --state FAILED --state CANCELLED --limit 100[/]

    [bold]drumbeat runs --json | jq '.runs[] | select(.failed > 0) | .id'[/]
    """
    with connected(context) as control:
        found = control.runs(task, states=tuple(name.upper() for name in states or ()))
        shown = [control.count(record) for record in islice(found, limit)]
    if as_json:
        documents.put({"runs": [documents.run(status) for status in shown]})
    elif shown:
        screen().print(_table(shown))
    else:
        screen().print("no such run in the ledger yet")


def _table(shown: "list[Status]") -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("run", overflow="fold")
    table.add_column("state", no_wrap=True)
    for heading in ("items", "succeeded", "failed", "dropped"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("took", no_wrap=True)
    table.add_column("reason", overflow="ellipsis", no_wrap=True, style="dim")
    for status in shown:
        totals = status.totals
        table.add_row(
            f"[cyan]{plain(status.record.id)}[/]",
            state(status),
            "?" if status.items is None else f"{status.items:,}",
            f"{totals.succeeded:,}",
            f"[red]{totals.failed:,}[/]" if totals.failed else "0",
            f"{totals.dropped:,}",
            took(status).removeprefix(", in "),
            plain(status.record.reason),
        )
    return table
