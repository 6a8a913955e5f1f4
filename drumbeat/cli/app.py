"""The commands together, and what they share: --app, --debug, --version."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from . import schedule
from .advance import advance
from .backfill import backfill
from .cancel import cancel
from .cost import cost
from .edge import Commands, Refused
from .failures import failures
from .follow import watch
from .local import local
from .next import next_
from .pause import pause, resume
from .project import Local, Project
from .redrive import redrive
from .run import run
from .runs import runs
from .show import show
from .tasks import tasks
from .times import read_time

_WITHOUT_CLOUD = ("tasks", "next", "local", "cost")

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
app.command("advance")(advance)
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
def common(  # noqa: PLR0917  (Typer passes them by name)
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
    local: Annotated[
        Path | None,
        typer.Option(
            "--local",
            metavar="DIR",
            help="Work on a local cloud, kept in this folder, instead of AWS; new if need be.",
        ),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="What time it is in a new --local; now, if left out."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="Of a new --local: the same number gives the same events.")
    ] = None,
    redeploy: Annotated[
        bool, typer.Option("--redeploy", help="Deploy the app over what is in --local, its sources having changed.")
    ] = False,
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

    [bold]drumbeat --local cloud run sunrise --wait[/]   the same in a local cloud, kept in the folder cloud

    Exit status: 0 if all went well, 1 if a run failed, 2 if what you asked for can't be done.
    """
    del debug, version  # read at the edge
    context.obj = Project(folder, tuple(stacks or ()), _local(context, local, from_, seed, redeploy=redeploy))


def _local(
    context: typer.Context, folder: Path | None, start: str | None, seed: int | None, *, redeploy: bool
) -> Local | None:
    given = {"--from": start is not None, "--seed": seed is not None, "--redeploy": redeploy}
    options = [option for option, is_given in given.items() if is_given]
    if folder is None:
        if options:
            raise Refused(f"{' and '.join(options)} before the command: that is for --local DIR; name a folder")
        return None
    if context.invoked_subcommand in _WITHOUT_CLOUD:
        raise Refused(f"drumbeat {context.invoked_subcommand} works on no deployed app; leave out --local")
    return Local(folder, None if start is None else read_time(start, option="--from"), seed, redeploy)


def main() -> None:
    """Run the command line; the script `drumbeat` is this."""
    app()
