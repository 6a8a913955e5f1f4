"""The app that the command line works on: a folder with `app.py` or `cdk.json`, and `handlers/` or the like."""

import sys
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

from drumbeat.discovery import discover
from drumbeat.errors import UnknownTask
from drumbeat.task import Task

from .edge import Refused
from .packages import HANDLERS, packages


@dataclass(frozen=True)
class Local:
    """A local cloud that is kept in a folder; start and seed are for a new one."""

    folder: Path
    start: datetime | None = None
    seed: int | None = None
    redeploy: bool = False


@dataclass(frozen=True)
class Project:
    """An app's folder, and where it is deployed: as which stacks, if they were given, or in which local cloud."""

    folder: Path
    stacks: tuple[str, ...] = ()
    local: Local | None = None

    def tasks(self) -> dict[str, Task]:
        """Import the app's handlers and return its tasks by name."""
        found = packages(self.folder)
        if found == (HANDLERS,) and not (self.folder / HANDLERS).is_dir():
            raise Refused(
                f"no folder {HANDLERS}/ in {self.folder}; run in the folder of your app, or name it with --app"
            )
        path = str(self.folder.resolve())
        if path not in sys.path:
            sys.path.insert(0, path)
        tasks = {name: task for package in found for name, task in discover(package).items()}
        if not tasks:
            raise Refused(f"no task in {self._where(found)}; declare one: report = Task('report', ...)")
        return tasks

    def task(self, name: str) -> Task:
        """Return one task; the error for an unknown name tells the nearest ones."""
        tasks = self.tasks()
        if name in tasks:
            return tasks[name]
        close = get_close_matches(name, tasks, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(sorted(tasks))}"
        raise UnknownTask(f"no task {name!r} in {self._where(packages(self.folder))}; {hint}")

    def _where(self, found: tuple[str, ...]) -> str:
        return " and ".join(f"{self.folder.joinpath(*package.split('.'))}/" for package in found)
