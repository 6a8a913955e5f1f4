"""What happens in the local cloud, as it happens: items done, invocations under way, fires."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any

from drumbeat.chunk import parse
from drumbeat.errors import DrumbeatError
from drumbeat.task import Task

if TYPE_CHECKING:
    from drumbeat.local import LocalCloud
    from drumbeat.local.deployment import Deployment, Function
    from drumbeat.local.log import Entry
    from drumbeat.local.output import Line

IDLE_S = 0.002
"""Compute time of a dispatcher or keeper, beside its calls: a guess."""

SPREAD = (0.8, 1.2)
"""Two chunks never take the same time; how far they differ is a guess as well."""


@dataclass
class Progress:
    """How far a run is; `done` are pairs of an instant and the items settled by then."""

    items: int | None = None
    done: list[tuple[datetime, int]] = field(default_factory=list)
    invocations: int = 0
    state: str = ""

    @property
    def settled(self) -> int:
        return self.done[-1][1] if self.done else 0


class Watch:
    """Follows the functions' own log lines, and the events of the cloud.

    `duration` and `see` are hooks that LocalCloud takes; `read` is to be called now and then, and at the end.
    """

    def __init__(self, tasks: dict[str, Task]) -> None:
        self._tasks = tasks
        self._last: dict[str, Line] = {}
        self._active: Counter[str] = Counter()
        self.runs: dict[str, Progress] = {}
        self.concurrency: dict[str, list[tuple[datetime, int]]] = {}
        self.fires: Counter[str] = Counter()

    def duration(self, function: "Function", event: Any, rng: Random) -> float:
        """Seconds of virtual time for an invocation: what the task says its items take."""
        task = self._tasks.get(function.environment.get("DRUMBEAT_TASK", ""))
        if task is None or not isinstance(event, dict) or "Records" not in event:
            return IDLE_S
        items, runs = 0, set()
        for record in event["Records"]:
            run, count = _chunk(record.get("body", ""))
            items += count
            runs |= {run} if run else set()
        for run in runs:
            self._run(run).invocations += 1
        return max(IDLE_S, items * task.item_s / task.concurrency * rng.uniform(*SPREAD))

    def see(self, entry: "Entry") -> None:
        """Count fires, and invocations under way by function."""
        if entry.kind == "fire":
            self.fires[entry.subject] += 1
        elif entry.kind in ("invoke.start", "invoke.end"):
            self._active[entry.subject] += 1 if entry.kind == "invoke.start" else -1
            series = self.concurrency.setdefault(entry.subject, [])
            series.append((entry.time, self._active[entry.subject]))

    def read(self, cloud: "LocalCloud") -> None:
        """Take in what the functions have logged since the last call."""
        for function in cloud.deployment.functions:
            lines = cloud.logs(function.name)
            if not lines:
                continue
            last = self._last.get(function.name)
            fresh = []
            for line in reversed(lines):
                if line is last:
                    break
                fresh.append(line)
            for line in reversed(fresh):
                self._take(line)
            self._last[function.name] = lines[-1]

    def _take(self, line: "Line") -> None:
        """Take in a line if it is one of ours: handlers may print what they like."""
        if '"message":"' not in line.text:
            return
        try:
            said = json.loads(line.text)
        except ValueError:
            return
        match said:
            case {"message": "run sealed", "run": str(run_id), "items": int(items)}:
                self._run(run_id).items = items
            case {"message": "chunks settled", "settled": dict(settled)}:
                for run_id, counted in settled.items():
                    run = self._run(run_id)
                    run.done.append((line.time, run.settled + counted["succeeded"] + counted["failed"]))
            case {"message": "run ended", "run": str(run_id), "state": str(state)}:
                self._run(run_id).state = state

    def _run(self, run_id: str) -> Progress:
        return self.runs.setdefault(run_id, Progress())


def functions_of(deployment: "Deployment", task: str, handler: str) -> list[str]:
    """The names of a task's functions whose entry point is in this module of the runtime."""
    return [
        function.name
        for function in deployment.functions
        if function.environment.get("DRUMBEAT_TASK") == task and f".{handler}." in function.handler
    ]


def _chunk(body: str) -> tuple[str, int]:
    """The run and the number of items of a message, however it carries them."""
    try:
        chunk = parse(body, bucket="")
    except DrumbeatError:  # none of ours: the worker will say so
        return "", 0
    return chunk.run.id, chunk.count
