"""`drumbeat next`: when a task fires, and what changes of clocks do to it."""

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from drumbeat.at import At
from drumbeat.run import format_time
from drumbeat.schedule import Cron, Rate

from .clocks import rows
from .edge import Refused
from .screen import screen
from .times import read_time

if TYPE_CHECKING:
    from .project import Project


def next_(
    context: typer.Context,
    task: Annotated[str, typer.Argument(metavar="TASK", help="The name of a task.")],
    number: Annotated[int, typer.Option("-n", metavar="N", min=1, max=10_000, help="How many fires to show.")] = 5,
    after: Annotated[
        str | None, typer.Option("--after", metavar="TIME", help="ISO 8601 with a zone; now, if it is left out.")
    ] = None,
) -> None:
    """Show when a task fires next, in UTC and in its own time zone.

    A local time that the clocks skip doesn't fire, and one that comes twice fires once: both are noted.

    [bold]drumbeat next sunrise[/]

    [bold]drumbeat next invoices -n 3 --after 2027-03-27T00:00:00+01:00[/]
    """
    project: Project = context.obj
    declared = project.task(task)
    since = read_time(after, option="--after") if after is not None else datetime.now(UTC)
    schedule = declared.schedule
    if schedule is None:
        raise Refused(f"task {task!r} has no schedule: it is only started by hand")
    fires = list(islice(schedule.fires(after=since), number))
    screen().print(f"[bold cyan]{task}[/]  {schedule}")
    if not fires:
        screen().print(f"no fire after {format_time(since)}")
        return
    screen().print(_table(schedule, since, fires))
    if isinstance(schedule, Rate) and schedule.start is None:
        screen().print("[dim]A rate counts from its deployment: these are the fires if it were deployed at --after.[/]")


def _table(schedule: Cron | Rate | At, since: datetime, fires: list[datetime]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("UTC", no_wrap=True)
    table.add_column(schedule.timezone or "UTC", no_wrap=True)
    table.add_column("")
    for row in rows(schedule, since, fires):
        style = None if row.fire else "dim"
        table.add_row(format_time(row.fire) if row.fire else "-", row.local, f"[yellow]{row.note}[/]", style=style)
    return table
