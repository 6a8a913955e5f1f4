"""What drumbeat's functions tell each other: the events of a dispatcher, each a value here and JSON on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import MalformedFire
from .run import Run, format_time, parse_time


@dataclass(frozen=True)
class Fire:
    """A schedule is due: open the run. AWS's schedules keep time to the minute, so runs are named by the minute.

    A run that is started by hand may have items of its own: JSON Lines under `items_key` in the app's bucket.
    """

    run: Run
    items_key: str = ""

    def event(self) -> dict[str, Any]:
        """What the rule or schedule sends."""
        fire = {"task": self.run.task, "scheduled_at": format_time(self.run.scheduled_at)}
        return fire | ({"items": self.items_key} if self.items_key else {})


@dataclass(frozen=True)
class Resume:
    """Go on with an expansion that was handed over under this epoch."""

    run: Run
    epoch: int

    def event(self) -> dict[str, Any]:
        """What the dispatcher sends to its successor, and the keeper in a dead one's place."""
        return {"task": self.run.task, "resume": self.run.id, "epoch": self.epoch}


@dataclass(frozen=True)
class Finish:
    """All chunks are settled: fan in, announce, close."""

    run: Run

    def event(self) -> dict[str, Any]:
        """What the worker sends that settled the last chunk, or the keeper in its place."""
        return {"task": self.run.task, "finish": self.run.id}


Signal = Fire | Resume | Finish


def parse_signal(event: Any, *, task: str, bucket: str) -> Signal:
    """Read a dispatcher's event; raises MalformedFire for one that isn't, or that is another task's."""
    if not isinstance(event, Mapping) or not isinstance(event.get("task"), str):
        raise MalformedFire(
            f'task {task!r}: {{"task": ..., "scheduled_at": ...}} is expected of a rule, not {_shape(event)}'
        )
    if event["task"] != task:
        raise MalformedFire(
            f"a fire of task {event['task']!r} reached the dispatcher of {task!r}; correct the rule's input"
        )
    match event:
        case {"scheduled_at": str(time)}:
            run = Run(task, parse_time(time).replace(second=0), bucket)
            return Fire(run, _items_key(event.get("items", ""), run))
        case {"resume": str(run_id), "epoch": int(epoch)}:
            return Resume(_own(run_id, task, bucket), epoch)
        case {"finish": str(run_id)}:
            return Finish(_own(run_id, task, bucket))
    raise MalformedFire(f"task {task!r}: the event has no scheduled_at; correct the rule's input ({_shape(event)})")


def items_key(run: Run) -> str:
    """Where the items of a run are kept that are given by hand."""
    return f"runs/{run.id}/items.jsonl"


def _items_key(key: Any, run: Run) -> str:
    if key not in ("", items_key(run)):
        raise MalformedFire(f"run {run.id!r}: items={key!r}; only {items_key(run)} of the app's bucket is read")
    return str(key)


def _own(run_id: str, task: str, bucket: str) -> Run:
    run = Run.parse(run_id, bucket=bucket)
    if run.task != task:
        raise MalformedFire(f"run {run_id!r} isn't one of task {task!r}")
    return run


def _shape(event: Any) -> str:
    if isinstance(event, Mapping):
        return f"an object with the keys {', '.join(sorted(map(str, event)))[:200] or '(none)'}"
    return f"a {type(event).__name__}"
