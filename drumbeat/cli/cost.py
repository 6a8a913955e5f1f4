"""`drumbeat cost`: what a run and a month of a task cost, with the arithmetic, and what other ways would."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import AsJson, Task
from .screen import screen

if TYPE_CHECKING:
    from .project import Project


def cost(  # noqa: PLR0917  (typer's way)
    context: typer.Context,
    task: Task,
    items: Annotated[int, typer.Option("--items", metavar="N", min=0, help="How many items a run has.")],
    item_bytes: Annotated[
        int | None,
        typer.Option("--item-bytes", metavar="B", min=1, help="JSON of an item; 200 bytes, or a number's digits."),
    ] = None,
    item_seconds: Annotated[
        float | None, typer.Option("--item-seconds", metavar="S", min=0, help="Work of an item; the task's item_s.")
    ] = None,
    field_bytes: Annotated[
        int,
        typer.Option(
            "--field-bytes", metavar="B", min=0, help="How many of them name fields that all items have, in JSON."
        ),
    ] = 0,
    compresses_to: Annotated[
        float,
        typer.Option("--compresses-to", metavar="SHARE", min=0.01, max=1, help="What compression leaves of a message."),
    ] = 1,
    result_bytes: Annotated[
        int, typer.Option("--result-bytes", metavar="B", min=1, help="JSON of what work returns, if it is kept.")
    ] = 20,
    runs_per_month: Annotated[
        float | None,
        typer.Option("--runs-per-month", metavar="M", min=0, help="By default, the schedule's in 730 hours from now."),
    ] = None,
    failure_rate: Annotated[
        float, typer.Option("--failure-rate", metavar="F", min=0, max=1, help="The share of attempts that fail.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Show what a run and a month of a task cost, with the arithmetic, and what the same items would cost elsewhere.

    Each call of the task's functions is counted by a formula that agrees with the local cloud; the prices are those of
    drumbeat.plan.prices, dated. Nothing is asked of AWS.

    [bold]drumbeat cost sunrise --items 1000000[/]

    [bold]drumbeat cost invoices --items 10000000 --item-bytes 300 --item-seconds 0.05 --failure-rate 0.001[/]
    """
    from drumbeat.plan.quote import fires_per_month, quote

    from . import pricing
    from .documents import put

    project: Project = context.obj
    tasks = project.tasks()
    declared = project.task(task)
    runs = runs_per_month
    if runs is None:
        runs = fires_per_month(declared, since=datetime.now(UTC))
    options: dict[str, Any] = {"item_bytes": item_bytes, "item_s": item_seconds}
    found = quote(
        declared,
        items=items,
        failure_rate=failure_rate,
        runs_per_month=1 if runs is None else runs,
        tasks=len(tasks),
        field_bytes=min(field_bytes, max(0, (item_bytes or 200) - 2)),
        compresses_to=compresses_to,
        result_bytes=result_bytes,
        **options,
    )
    if as_json:
        put(pricing.document(found))
    else:
        pricing.show(found, screen(), by_hand=runs is None)
