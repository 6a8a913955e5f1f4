"""The commands together, and what they share: --app, --debug, --version."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from .edge import Commands
from .local import local
from .next import next_
from .project import Project
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
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Scheduled fan-out on AWS Lambda that you can run, test, price and trust before you deploy it.

    [bold]drumbeat tasks[/]            what the app declares, and when it fires next

    [bold]drumbeat next sunrise[/]     the next fires of one task, changes of clocks included

    [bold]drumbeat local[/]            deploy the app on this machine, and run a day of it in virtual time

    Exit status: 0 if all went well, 1 if a run failed, 2 if what you asked for can't be done.
    """
    del debug, version  # read at the edge
    context.obj = Project(folder)


def main() -> None:
    """Run the command line; the script `drumbeat` is this."""
    app()
