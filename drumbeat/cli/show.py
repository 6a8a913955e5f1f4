"""`drumbeat show`: one run as it stands."""

from typing import TYPE_CHECKING

import typer
from rich.table import Table

from . import documents, options
from .connection import connected
from .plain import plain
from .screen import screen
from .words import counts, state, took, worked

if TYPE_CHECKING:
    from drumbeat.control import Status
    from drumbeat.ledger.record import RunRecord


def show(context: typer.Context, run: options.Run, as_json: options.AsJson = False) -> None:
    """Show a run: its state, its counts of this moment, its parameters, what has become of it.

    [bold]drumbeat show invoices/latest[/]

    [bold]drumbeat show invoices/2026-11-22T01:30:00Z --json[/]
    """
    with connected(context) as control:
        status = control.show(run)
    if as_json:
        documents.put({"run": documents.run(status)})
    else:
        screen().print(_table(status))


def _chunks(record: "RunRecord") -> str:
    """How many chunks there are, in how many parts, and what was known when their size was chosen."""
    if not record.chunks:
        return ""
    parts = f" in {record.parts} parts" if record.parts else ""
    each, attempts = record.learned.item_s, record.learned.attempts
    return f"{record.chunks:,}{parts}" + (f" [dim](when it began, {each:.3g} s an item)[/]" if attempts else "")


def _table(status: "Status") -> Table:
    record, totals = status.record, status.totals
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    rows = {
        "run": f"[cyan]{plain(record.id)}[/]",
        "state": state(status),
        "reason": plain(record.reason),
        "blocked by": plain(record.blocked_by),
        "items": counts(status),
        "succeeded": f"{totals.succeeded:,}",
        "attempts": f"{totals.attempts:,}",
        "worked": worked(totals),
        "chunks": _chunks(record),
        "parameters": plain(record.params),
        "lane": record.lane if record.lane != "live" else "",
        "redrives": str(record.round) if record.round else "",
        "began": record.started_at,
        "ended": record.completed_at + took(status) if record.completed_at else "",
        "deadline": record.deadline_at,
        "result": plain(record.result),
    }
    for name, text in rows.items():
        if text:
            table.add_row(name, text)
    return table
