"""`drumbeat local`: deploy the app on this machine, and run it in virtual time."""

import sys
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .edge import Refused
from .files import check_new_file
from .times import day_of, read_time

if TYPE_CHECKING:
    from .project import Project

TIME = "ISO 8601 with a zone, such as 2026-11-22T00:00:00Z"


def local(  # noqa: PLR0917  (Typer passes them by name)
    context: typer.Context,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help=f"{TIME}; the midnight UTC that began today, if left out."),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", help="No fire from then on; 24 hours after --from, if left out."),
    ] = None,
    task: Annotated[str | None, typer.Option("--task", metavar="NAME", help="Let only this task fire.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Copy what the runs publish here, and draw runs.svg.")
    ] = None,
    timeline: Annotated[
        Path | None,
        typer.Option("--timeline", metavar="FILE.svg", help="Draw fires, invocations and queues over virtual time."),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option("--log", metavar="FILE", help="Write every event: .jsonl for JSON Lines, .txt for people."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same number gives the same events.")] = 0,
    permissions: Annotated[
        bool,
        typer.Option("--permissions", help="Tell by role what was granted and never used, and the smallest policy."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document on standard output, and nothing else there.")
    ] = False,
) -> None:
    """Deploy the app on this machine, without AWS or Docker, and run a day of its schedules in virtual time.

    The app is synthesized if its sources have changed, and its template is deployed into an AWS in memory.
    Its schedules fire from --from on, its functions run as they would in Lambda, and at --to it runs on until all is
    done. Files under inputs/ are in the app's bucket beforehand.

    [bold]drumbeat local[/]

    [bold]drumbeat local --from 2026-11-22T00:00:00Z --task sunrise --out out[/]

    [bold]drumbeat local --from 2027-03-28T00:00:00+01:00 --json | jq .runs[/]

    [bold]drumbeat local --timeline day.svg --log day.jsonl --seed 7[/]

    [bold]drumbeat local --permissions --json | jq '.permissions | .[].unused'[/]

    Exit status: 0 if all runs succeeded, 1 if one has not, 2 if what you asked for can't be done.
    """
    project: Project = context.obj
    start = read_time(from_, option="--from") if from_ is not None else day_of(datetime.now(UTC))
    end = read_time(to, option="--to") if to is not None else start + timedelta(days=1)
    if end <= start:
        raise Refused(f"--to {end:%Y-%m-%dT%H:%M:%SZ} isn't after --from {start:%Y-%m-%dT%H:%M:%SZ}; give a later one")
    if task is not None:
        project.task(task)
    check_new_file(timeline, "--timeline", (".svg",))
    check_new_file(log, "--log", (".jsonl", ".txt"))
    files = Files(out=out, timeline=timeline, log=log)
    asked = Asked(start, end, task=task, seed=seed, files=files)
    succeeded = _run(project, asked, permissions=permissions, as_json=as_json)
    raise typer.Exit(0 if succeeded else 1)


@dataclass(frozen=True)
class Files:
    """What to write, and where."""

    out: Path | None
    timeline: Path | None
    log: Path | None


@dataclass(frozen=True)
class Asked:
    """Which fires to run, and what to keep of them."""

    start: datetime
    end: datetime
    task: str | None
    seed: int
    files: Files


def _run(project: "Project", asked: Asked, *, permissions: bool, as_json: bool) -> bool:
    from drumbeat.local.synth import synthesize

    from . import permissions as told
    from . import picture, report, summary
    from .bars import Bars
    from .files import prepare
    from .screen import progress_screen, screen
    from .simulation import Order, simulate

    tasks = project.tasks()
    files = asked.files
    prepare(files.out)
    errors = progress_screen()
    with errors.status("synthesizing the app") if errors.is_terminal else nullcontext():
        assembly = synthesize(project.folder)
    order = Order(
        project.folder,
        assembly,
        tasks,
        asked.start,
        asked.end,
        seed=asked.seed,
        only=asked.task,
        out=files.out,
        log=files.log,
        timeline=files.timeline,
    )
    with Bars(errors, asked.start, asked.end) as bars:
        result = simulate(order, bars.show)
    drawing = picture.draw(result, files.out) if files.out is not None else None
    if as_json:
        sys.stdout.write(report.text(result, with_permissions=permissions) + "\n")
    else:
        summary.show(result, drawing, screen())
        if permissions:
            told.show(result, screen())
    return all(run.state in ("SUCCEEDED", "SKIPPED") for run in result.runs) and result.idle
