"""`drumbeat tasks`: what the app declares."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from drumbeat.run import format_time
from drumbeat.source import Source
from drumbeat.task import Task

from .screen import screen

if TYPE_CHECKING:
    from .project import Project


def tasks(context: typer.Context) -> None:
    """List the app's tasks: when they fire, where their items come from, what they need.

    [bold]drumbeat tasks[/]

    [bold]drumbeat --app examples/shop tasks[/]
    """
    project: Project = context.obj
    now = datetime.now(UTC)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("task", "schedule", "next fire", "source"):
        table.add_column(heading, overflow="fold")
    for heading in ("memory", "timeout", "concurrency", "retries"):
        table.add_column(heading, justify="right")
    table.add_column("module", overflow="fold")
    for task in project.tasks().values():
        table.add_row(*_row(task, now))
    screen().print(table)


def _row(task: Task, now: datetime) -> tuple[str, ...]:
    fire = next(iter(task.schedule.fires(after=now)), None) if task.schedule else None
    inside = f" x {task.concurrency}" if task.concurrency > 1 else ""
    return (
        f"[bold cyan]{task.name}[/]",
        str(task.schedule) if task.schedule else "by hand only",
        format_time(fire) if fire else "never",
        _source(task),
        f"{task.memory_mib:,} MiB",
        f"{task.timeout_s} s",
        f"{task.max_concurrency}{inside}",
        str(task.retries),
        task.module,
    )


def _source(task: Task) -> str:
    source = task.source
    if isinstance(source, Source):
        first = next(iter(vars(source).values()))
        return f"{type(source).__name__} {first}"
    return f"{getattr(source, '__name__', type(source).__name__)}()"
