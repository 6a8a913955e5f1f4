"""`drumbeat backfill`: run past fires of a task."""

from typing import TYPE_CHECKING, Annotated

import typer

from . import documents, options
from .connection import connected
from .edge import Refused
from .screen import screen
from .times import read_time

if TYPE_CHECKING:
    from drumbeat.control import BackfillPlan, Control
    from drumbeat.ledger.backfills import Backfill

    from .project import Project


def backfill(  # noqa: PLR0917  (Typer passes them by name)
    context: typer.Context,
    task: options.Task,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help=f"The first fire, {options.TIME}.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="TIME", help="The last fire; both are included.")] = None,
    max_active: Annotated[
        int, typer.Option("--max-active", metavar="N", help="How many of its runs at the same time.")
    ] = 1,
    order: Annotated[str, typer.Option("--order", metavar="ORDER", help="oldest or newest first.")] = "oldest",
    only: Annotated[
        str, typer.Option("--only", metavar="WHICH", help="missing: fires without a run; failed; or all.")
    ] = "missing",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell which runs that would be.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Open no further run of the backfill under way.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Run the past fires of a task, behind its live runs. Without --from and --to, tell how the latest backfill stands.

    The task is read from the app's folder, for its schedule.

    [bold]drumbeat backfill invoices --from 2026-11-01T00:00:00Z --to 2026-11-21T00:00:00Z --dry-run[/]

    [bold]drumbeat backfill invoices --from 2026-11-01T00:00:00Z --to 2026-11-21T00:00:00Z --only failed[/]

    [bold]drumbeat backfill invoices --stop[/]
    """
    if stop and (from_ is not None or to is not None):
        raise Refused("--stop ends the backfill under way; leave out --from and --to")
    if (from_ is None) != (to is None):
        raise Refused("a backfill needs both --from and --to; they are included")
    if from_ is None or to is None:
        with connected(context) as control:
            _tell_state(control, task, stop=stop, as_json=as_json)
        return
    first, last = read_time(from_, option="--from"), read_time(to, option="--to")
    project: Project = context.obj
    declared = project.task(task)
    with connected(context) as control:
        plan = control.backfill(declared, first, last, max_active=max_active, order=order, only=only, dry_run=dry_run)
    _tell_plan(plan, dry_run=dry_run, as_json=as_json)


def _tell_plan(plan: "BackfillPlan", *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        first = list(plan.first)
        documents.put({"task": plan.task, "runs": plan.runs, "first": first, "fires": plan.fires, "dry_run": dry_run})
        return
    would = "would open" if dry_run else "opens"
    screen().print(f"the backfill of [cyan]{plan.task}[/] {would} {plan.runs:,} runs, of {plan.fires:,} fires:")
    for run in plan.first:
        screen().print(f"  [cyan]{run}[/]")
    if plan.runs > len(plan.first):
        screen().print("  [dim]and so on[/]")


def _tell_state(control: "Control", task: str, *, stop: bool, as_json: bool) -> None:
    found = control.stop_backfill(task) if stop else control.show_backfill(task)
    if as_json:
        documents.put({"backfill": None if found is None else documents.backfill(found)})
    elif found is None:
        screen().print(f"task [cyan]{task}[/] has had no backfill")
    else:
        screen().print(_said(found))


def _said(found: "Backfill") -> str:
    active = f", active: {', '.join(sorted(found.runs))}" if found.runs else ""
    return (
        f"the backfill of [cyan]{found.task}[/] from {found.first} to {found.last} is {found.state}: it has opened "
        f"{found.opened:,} runs, the last one for {found.cursor or 'no fire yet'}{active}"
    )
