"""`drumbeat pause` and `drumbeat resume`: let a task's fires rest."""

import typer

from . import options
from .connection import connected
from .screen import screen


def pause(context: typer.Context, task: options.Task) -> None:
    """Pause a task: its fires open no runs, and are recorded as MISSED. What runs goes on.

    [bold]drumbeat pause invoices[/]
    """
    with connected(context) as control:
        since = control.pause(task)
    screen().print(f"task [cyan]{task}[/] is paused since {since}")


def resume(context: typer.Context, task: options.Task) -> None:
    """End a pause. What was missed meanwhile is made up for if the task has catch_up, or by drumbeat backfill.

    [bold]drumbeat resume invoices[/]
    """
    with connected(context) as control:
        control.resume(task)
    screen().print(f"task [cyan]{task}[/] fires again")
