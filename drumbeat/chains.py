"""Which task comes after which, over all tasks of an app."""

from collections.abc import Mapping
from difflib import get_close_matches

from .errors import InvalidTask
from .task import Task


def check_chains(tasks: Mapping[str, Task]) -> None:
    """Check that every upstream task is declared, and that none comes after itself by way of others."""
    for task in tasks.values():
        for name in task.upstream:
            if name not in tasks:
                close = get_close_matches(name, tasks, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(tasks))}"
                raise InvalidTask(f"task {task.name!r} comes after {name!r}, which isn't declared in this app; {hint}")
    for name in tasks:
        circle = _circle(tasks, (name,))
        if circle:
            raise InvalidTask(f"tasks come after each other in a circle: {' after '.join(circle)}; break it somewhere")


def _circle(tasks: Mapping[str, Task], path: tuple[str, ...]) -> tuple[str, ...]:
    for name in tasks[path[-1]].upstream:
        if name == path[0]:
            return (*path, name)
        if name not in path and (found := _circle(tasks, (*path, name))):
            return found
    return ()
