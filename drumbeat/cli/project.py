"""The app that the command line works on: a folder with `handlers/`, `app.py` and `cdk.json`."""

import sys
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from drumbeat.discovery import discover
from drumbeat.errors import UnknownTask
from drumbeat.task import Task

from .edge import Refused

HANDLERS = "handlers"


@dataclass(frozen=True)
class Project:
    """An app's folder, and the names of the stacks that it is deployed as, if they were given."""

    folder: Path
    stacks: tuple[str, ...] = ()

    def tasks(self) -> dict[str, Task]:
        """Import the app's handlers and return its tasks by name."""
        if not (self.folder / HANDLERS).is_dir():
            raise Refused(
                f"no folder {HANDLERS}/ in {self.folder}; run in the folder of your app, or name it with --app"
            )
        path = str(self.folder.resolve())
        if path not in sys.path:
            sys.path.insert(0, path)
        tasks = discover(HANDLERS)
        if not tasks:
            raise Refused(f"no task in {self.folder / HANDLERS}/; declare one: report = Task('report', ...)")
        return tasks

    def task(self, name: str) -> Task:
        """Return one task; the error for an unknown name tells the nearest ones."""
        tasks = self.tasks()
        if name in tasks:
            return tasks[name]
        close = get_close_matches(name, tasks, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(sorted(tasks))}"
        raise UnknownTask(f"no task {name!r} in {self.folder / HANDLERS}/; {hint}")
