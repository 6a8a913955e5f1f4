"""`drumbeat advance`: let time pass in a local cloud that is kept."""

from typing import TYPE_CHECKING, Annotated

import typer

from . import documents, options
from .edge import Refused
from .screen import screen
from .times import read_time

if TYPE_CHECKING:
    from .kept import Passed
    from .project import Project


def advance(
    context: typer.Context,
    to: Annotated[str | None, typer.Option("--to", metavar="TIME", help=f"Until then, {options.TIME}.")] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", metavar="N", min=0, help="For so long; 0.5 is half a minute.")
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Let time pass in the cloud of --local: until nothing is under way, or as far as you say.

    Schedules fire on the way. What runs at the end ends first, while nothing new begins: the clock may stand some
    seconds later than you said.

    [bold]drumbeat --local cloud advance[/]

    [bold]drumbeat --local cloud advance --to 2026-11-23T00:00:00Z[/]

    [bold]drumbeat --local cloud advance --minutes 5[/]
    """
    project: Project = context.obj
    if project.local is None:
        raise Refused("time passes by itself on AWS; name a local cloud, drumbeat --local DIR advance")
    if to is not None and minutes is not None:
        raise Refused("--to and --minutes: give one of them")
    until = None if to is None else read_time(to, option="--to")
    from .kept import advance as let_pass
    from .kept import kept

    with kept(project) as control:
        passed = let_pass(control, until, minutes)
    if as_json:
        documents.put(_document(passed))
    else:
        _show(passed)


def _document(passed: "Passed") -> dict[str, object]:
    return {
        "now": f"{passed.now:%Y-%m-%dT%H:%M:%S.%f}Z",
        "fires": passed.fires,
        "invocations": passed.invocations,
        "idle": passed.is_idle,
        "next_fire": None if passed.next_fire is None else f"{passed.next_fire:%Y-%m-%dT%H:%M:%SZ}",
    }


def _show(passed: "Passed") -> None:
    said = "nothing is under way" if passed.is_idle else "[yellow]work is under way[/]"
    after = "" if passed.next_fire is None else f", the next fire comes at {passed.next_fire:%Y-%m-%dT%H:%M:%SZ}"
    screen().print(
        f"it is [cyan]{passed.now:%Y-%m-%dT%H:%M:%SZ}[/] after {passed.fires:,} fires and {passed.invocations:,} "
        f"invocations; {said}{after}"
    )
