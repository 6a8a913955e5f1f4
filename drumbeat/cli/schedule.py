"""`drumbeat schedule`: schedules that are added while an app runs, without a deploy."""

import json
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from drumbeat.at import At
from drumbeat.run import format_time
from drumbeat.schedule import Cron, Rate, parse_schedule

from . import documents, options
from .connection import connected
from .edge import Refused
from .plain import plain
from .screen import screen
from .times import read_time

if TYPE_CHECKING:
    from drumbeat.control import ScheduleView

Name = Annotated[str, typer.Option("--name", metavar="NAME", help="The schedule's name; its runs have it as well.")]
CronText = Annotated[
    str | None, typer.Option("--cron", metavar="EXPRESSION", help="AWS's cron, such as '0 6 * * ? *'.")
]
RateText = Annotated[str | None, typer.Option("--rate", metavar="RATE", help="A rate, such as '5 minutes'.")]
AtText = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="Once: ISO 8601 with a zone, or local time with --timezone."),
]
Zone = Annotated[
    str | None, typer.Option("--timezone", metavar="ZONE", help="Such as Europe/Berlin; UTC, if left out.")
]
Start = Annotated[str | None, typer.Option("--start", metavar="TIME", help="No fire before, ISO 8601 with a zone.")]
End = Annotated[str | None, typer.Option("--end", metavar="TIME", help="No fire after, ISO 8601 with a zone.")]
Window = Annotated[
    int | None, typer.Option("--window", metavar="MINUTES", help="Fire within so many minutes of the time.")
]
State = Annotated[bool | None, typer.Option("--enabled/--disabled", help="Whether it fires.")]

commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Schedules that are added while the app runs, without a deploy: add, list, show, change, remove.",
)


@commands.command("add")
def add(  # noqa: PLR0917  (Typer passes them by name)
    context: typer.Context,
    task: options.Task,
    name: Name,
    cron: CronText = None,
    rate: RateText = None,
    at: AtText = None,
    timezone: Zone = None,
    start: Start = None,
    end: End = None,
    window: Window = None,
    settings: options.Settings = None,
    enabled: State = None,
    as_json: options.AsJson = False,
) -> None:
    """Add a schedule to a task: its runs have this name, and the parameters as run.params.

    One with --at removes itself once it has fired.

    [bold]drumbeat schedule add invoices --name tenant-42 --cron '0 6 * * ? *' --set tenant=42[/]

    [bold]drumbeat schedule add reminder --name order-7 --at 2026-12-24T18:00:00+01:00 --set order=7[/]
    """
    schedule = _schedule(cron, rate, at, timezone, start, end, window)
    if schedule is None:
        raise Refused("when? give one of --cron, --rate and --at")
    params = options.read_settings(settings)
    with connected(context) as control:
        view = control.schedules.add(task, name, schedule, params=params, enabled=enabled is not False)
    _show(view, as_json=as_json)


@commands.command("list")
def list_(
    context: typer.Context,
    task: options.Task,
    prefix: Annotated[str, typer.Option("--prefix", metavar="TEXT", help="Only schedules whose names start so.")] = "",
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many to show.")] = 100,
    as_json: options.AsJson = False,
) -> None:
    """List the names of a task's added schedules; `drumbeat schedule show` tells what one says.

    [bold]drumbeat schedule list invoices --prefix tenant-4[/]
    """
    with connected(context) as control:
        stream = control.schedules.list(task, prefix=prefix)
        found = list(islice(stream, limit))
        rest = next(stream, None) is not None
    if as_json:
        documents.put({"schedules": [documents.entry(entry) for entry in found], "more": rest})
        return
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 3, 0, 0))
    for heading in ("name", "state", "changed"):
        table.add_column(heading, no_wrap=True)
    for entry in found:
        state = "enabled" if entry.enabled else "[yellow]disabled[/]"
        table.add_row(f"[cyan]{plain(entry.name)}[/]", state, format_time(entry.changed_at))
    screen().print(table if found else "no such schedule")
    if rest:
        screen().print("[dim]and more; --limit N shows them, --prefix TEXT chooses[/]")


@commands.command("show")
def show(context: typer.Context, task: options.Task, name: Name, as_json: options.AsJson = False) -> None:
    """Show one added schedule.

    [bold]drumbeat schedule show invoices --name tenant-42[/]
    """
    with connected(context) as control:
        view = control.schedules.get(task, name)
    _show(view, as_json=as_json)


@commands.command("change")
def change(  # noqa: PLR0917  (Typer passes them by name)
    context: typer.Context,
    task: options.Task,
    name: Name,
    cron: CronText = None,
    rate: RateText = None,
    at: AtText = None,
    timezone: Zone = None,
    start: Start = None,
    end: End = None,
    window: Window = None,
    settings: options.Settings = None,
    enabled: State = None,
    as_json: options.AsJson = False,
) -> None:
    """Change an added schedule: what isn't given stays as it is, and --set replaces all parameters.

    [bold]drumbeat schedule change invoices --name tenant-42 --cron '0 7 * * ? *' --timezone Europe/Berlin[/]

    [bold]drumbeat schedule change invoices --name tenant-42 --disabled[/]
    """
    schedule = _schedule(cron, rate, at, timezone, start, end, window)
    params = options.read_settings(settings) if settings else None
    if schedule is None and params is None and enabled is None:
        raise Refused("nothing to change; give --cron, --rate or --at, --set, --enabled or --disabled")
    with connected(context) as control:
        view = control.schedules.change(task, name, schedule=schedule, params=params, enabled=enabled)
    _show(view, as_json=as_json)


@commands.command("remove")
def remove(context: typer.Context, task: options.Task, name: Name) -> None:
    """Remove an added schedule; runs that it has started go on.

    [bold]drumbeat schedule remove invoices --name tenant-42[/]
    """
    with connected(context) as control:
        control.schedules.remove(task, name)
    screen().print(f"removed schedule [cyan]{plain(name)}[/] of {task}")


def _schedule(  # noqa: PLR0917  (one option each)
    cron: str | None,
    rate: str | None,
    at: str | None,
    timezone: str | None,
    start: str | None,
    end: str | None,
    window: int | None,
) -> Cron | Rate | At | None:
    """Read the options that say when; None if there are none."""
    kinds = {"--cron": cron, "--rate": rate, "--at": at}
    given = [option for option, text in kinds.items() if text is not None]
    others = {"--timezone": timezone, "--start": start, "--end": end, "--window": window}
    if len(given) != 1:
        lost = [option for option, value in others.items() if value is not None]
        if given or lost:
            raise Refused(f"{' and '.join(given or lost)}: give exactly one of --cron, --rate and --at")
        return None
    bounds: dict[str, Any] = {
        "start": None if start is None else read_time(start, option="--start"),
        "end": None if end is None else read_time(end, option="--end"),
        "window_minutes": window or 0,
    }
    if at is not None:
        if start is not None or end is not None:
            raise Refused("--at fires once; leave out --start and --end")
        return At(_once(at, timezone), timezone=timezone or "UTC", window_minutes=window or 0)
    if cron is not None:
        return Cron(cron, timezone=timezone, **bounds)
    text = str(rate).strip()
    found = parse_schedule(text if text.startswith("rate(") else f"rate({text})", timezone=timezone, **bounds)
    assert isinstance(found, Rate)
    return found


def _once(text: str, timezone: str | None) -> datetime | str:
    """An instant, or a local time if --timezone says where."""
    return text if timezone is not None and not _has_zone(text) else read_time(text, option="--at")


def _has_zone(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _show(view: "ScheduleView", *, as_json: bool) -> None:
    if as_json:
        documents.put({"schedule": documents.schedule(view)})
        return
    off = "" if view.enabled else ", [yellow]disabled[/]"
    settings = ", ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in view.params.items())
    params = f", with {plain(settings)}" if settings else ""
    screen().print(f"[cyan]{plain(view.name)}[/] of {view.task}: {plain(str(view.schedule))}{params}{off}")
