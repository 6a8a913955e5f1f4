"""`drumbeat cancel`: stop a run."""

from typing import Annotated

import typer

from . import documents, options
from .connection import connected
from .screen import screen
from .words import counts, state


def cancel(
    context: typer.Context,
    run: options.Run,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Don't wait for what is in flight: count it as dropped at once.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Cancel a run: its workers take no further item within seconds, and it ends CANCELLED, with exact counts.

    What wasn't done is kept, and redrive does it.

    [bold]drumbeat cancel invoices/latest[/]

    [bold]drumbeat cancel invoices/2026-11-22T01:30:00Z --abandon[/]
    """
    with connected(context) as control:
        status = control.cancel(run, abandon=abandon)
    if as_json:
        documents.put({"run": documents.run(status)})
    else:
        screen().print(f"[cyan]{status.record.id}[/] {state(status)} {counts(status)}")
