"""The commands together, and what they share: --app, --debug, --version."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from . import schedule
from .backfill import backfill
from .cancel import cancel
from .cost import cost
from .edge import Commands
from .failures import failures
from .follow import watch
from .local import local
from .next import next_
from .pause import pause, resume
from .project import Project
from .redrive import redrive
from .run import run
from .runs import runs
from .show import show
from .tasks import tasks

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("tasks")(tasks)
app.command("next")(next_)
app.command("local")(local)
app.command("cost")(cost)
app.command("run")(run)
app.command("runs")(runs)
app.command("show")(show)
app.command("watch")(watch)
app.command("failures")(failures)
app.command("redrive")(redrive)
app.command("cancel")(cancel)
app.command("pause")(pause)
app.command("resume")(resume)
app.command("backfill")(backfill)
app.add_typer(schedule.commands, name="schedule")


def _show_version(wanted: bool) -> None:
    if wanted:
        try:
            number = version("drumbeat")
        except PackageNotFoundError:  # a checkout that isn't installed
            number = "(not installed)"
        typer.echo(f"drumbeat {number}")
        raise typer.Exit


@app.callback()
def common(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Option("--app", metavar="DIR", help="The app: where handlers/, app.py and cdk.json are.")
    ] = Path(),
    stacks: Annotated[
        list[str] | None,
        typer.Option(
            "--stack",
            metavar="NAME",
            envvar="DRUMBEAT_STACK",
            help="The deployed stack, if it isn't that of the app's cdk.out; may be repeated.",
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Scheduled fan-out on AWS Lambda that you can run, test, price and trust before you deploy it.

    [bold]drumbeat tasks[/]            what the app declares, and when it fires next

    [bold]drumbeat next sunrise[/]     the next fires of one task, changes of clocks included

    [bold]drumbeat local[/]            deploy the app on this machine, and run a day of it in virtual time

    [bold]drumbeat cost sunrise --items 1000000[/]   what a run and a month cost, with the arithmetic

    [bold]drumbeat runs[/]             the runs of the deployed app, for show, watch, failures, redrive and cancel

    [bold]drumbeat run sunrise[/]      start a run by hand

    Exit status: 0 if all went well, 1 if a run failed, 2 if what you asked for can't be done.
    """
    del debug, version  # read at the edge
    context.obj = Project(folder, tuple(stacks or ()))


def main() -> None:
    """Run the command line; the script `drumbeat` is this."""
    app()
