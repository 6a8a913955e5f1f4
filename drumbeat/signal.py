"""What drumbeat's functions tell each other: the events of a dispatcher, each a value here and JSON on the wire."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from .errors import MalformedFire
from .limits import MAX_CHUNKS, MAX_ITEMS
from .run import BACKFILL, LIVE, RUN_NAME, Run, format_time, parse_time
from .untrusted import MAX_DEPTH, is_too_deep, is_whole

PARAMS_BYTES = 32 * 1024
"""Ours: parameters are kept in the run's record; larger ones belong into S3."""

SOURCE = "drumbeat"
"""Of the events that tell of runs."""
HOPS = 100
"""Ours: how many runs in a row may each be started by an event that told of the one before."""


def hops_of(params: Mapping[str, Any]) -> int:
    """How many runs, one started by the event of the other, came before the run with these parameters."""
    match params.get("event"):
        case {"source": "drumbeat", "detail": {"hops": int(hops)}}:
            return hops + 1
        case {"source": "drumbeat"}:
            return 1
    return 0


@dataclass(frozen=True)
class Fire:
    """A schedule is due: open the run. AWS's schedules keep time to the minute, so runs are named by the minute.

    A run that is started by hand may have items of its own: JSON Lines under `items_key` in the app's bucket.
    One of the lane "backfill" gives way to the live ones; one that catches up waits where others would be skipped; one
    by hand runs even when the task is paused.
    """

    run: Run
    items_key: str = ""
    lane: str = LIVE
    catch_up: bool = False
    by_hand: bool = False

    def event(self) -> dict[str, Any]:
        """What the rule or schedule sends."""
        fire: dict[str, Any] = {"task": self.run.task, "scheduled_at": format_time(self.run.scheduled_at)}
        optional = {
            "name": self.run.name,
            "params": dict(self.run.params),
            "items": self.items_key,
            "lane": "" if self.lane == LIVE else self.lane,
            "catch_up": self.catch_up,
            "by_hand": self.by_hand,
        }
        return fire | {key: value for key, value in optional.items() if value}


@dataclass(frozen=True)
class Resume:
    """Go on with the expansion of a run, or of a part of it, that was handed over under this epoch."""

    run: Run
    epoch: int
    part: int | None = None

    def event(self) -> dict[str, Any]:
        """What the dispatcher sends to its successor or to each part, and the keeper in a dead one's place."""
        part = {} if self.part is None else {"part": self.part}
        return {"task": self.run.task, "resume": self.run.id, "epoch": self.epoch} | part


@dataclass(frozen=True)
class Finish:
    """All chunks are settled: fan in, announce, close."""

    run: Run

    def event(self) -> dict[str, Any]:
        """What the worker sends that settled the last chunk, or the keeper in its place."""
        return {"task": self.run.task, "finish": self.run.id}


@dataclass(frozen=True)
class Sweep:
    """A halted run shall end now: count what isn't settled as dropped."""

    run: Run

    def event(self) -> dict[str, Any]:
        """What an operator's `cancel --abandon` sends, or the keeper."""
        return {"task": self.run.task, "sweep": self.run.id}


@dataclass(frozen=True)
class Follow:
    """A run of a task before this one has ended: open the run that comes after it, if all of them have."""

    run: Run

    def event(self) -> dict[str, Any]:
        """What the rule on drumbeat's own events sends, and the keeper in its place."""
        return {"task": self.run.task, "follow": self.run.id}


@dataclass(frozen=True)
class Combine:
    """Combine the results under one leaf of a run's counting tree."""

    run: Run
    leaf: int

    def event(self) -> dict[str, Any]:
        """What the dispatcher that finishes a large run sends, once for each leaf."""
        return {"task": self.run.task, "combine": self.run.id, "leaf": self.leaf}


_PLAIN: dict[str, type[Finish | Sweep]] = {"finish": Finish, "sweep": Sweep}
Signal = Fire | Resume | Finish | Sweep | Follow | Combine


def parse_signal(event: Any, *, task: str, bucket: str, takes_events: bool = False) -> Signal:
    """Read a dispatcher's event; raises MalformedFire for one that isn't, or that is another task's.

    takes_events: whether the task is started by events, which then arrive as they are.
    The error says what is wrong and quotes nothing of the event, which is kept: it is logged.
    """
    if is_too_deep(event, MAX_DEPTH):
        raise MalformedFire(f"task {task!r}: the event is nested more than {MAX_DEPTH} deep")
    if takes_events and isinstance(event, Mapping) and "task" not in event:
        match event:
            case {"id": str(event_id), "time": str(time), "detail-type": str()}:
                run = Run(task, _minute(time, task), bucket, {"event": event}, _name(event_id, task))
                if hops_of(run.params) >= HOPS:
                    raise MalformedFire(
                        f"task {task!r}: {HOPS} runs in a row were each started by the event of the one before; let "
                        "the pattern of `on` leave out what its own runs lead to, or chain tasks with after=[...]"
                    )
                return Fire(_checked(run))
    if not isinstance(event, Mapping) or not isinstance(event.get("task"), str):
        raise MalformedFire(
            f'task {task!r}: {{"task": ..., "scheduled_at": ...}} is expected of a rule, not {_shape(event)}'
        )
    if event["task"] != task:
        raise MalformedFire(f"a fire of another task reached the dispatcher of {task!r}; correct the rule's input")
    signal = _told(event, task, bucket)
    if signal is None:
        raise MalformedFire(f"task {task!r}: the event has no scheduled_at; correct the rule's input ({_shape(event)})")
    return signal


def _told(event: Mapping[str, Any], task: str, bucket: str) -> Signal | None:
    match event:
        case {"scheduled_at": str(time)}:
            return _fire(event, task, _minute(time, task), bucket)
        case {"follow": str(run_id)}:
            return Follow(replace(_run(run_id, task, bucket), task=task))
        case {"resume": str(run_id), "epoch": epoch} if is_whole(epoch, most=MAX_ITEMS):
            return Resume(_own(run_id, task, bucket), epoch, _part(event.get("part")))
        case {"combine": str(run_id), "leaf": leaf} if is_whole(leaf, most=MAX_CHUNKS):
            return Combine(_own(run_id, task, bucket), leaf)
    for name, kind in _PLAIN.items():
        if isinstance(event.get(name), str):
            return kind(_own(event[name], task, bucket))
    return None


def _minute(time: str, task: str) -> datetime:
    try:
        return parse_time(time).replace(second=0)
    except MalformedFire as error:
        raise MalformedFire(f"task {task!r}: the time {str(error).removeprefix(f'{time!r} ')}") from None


def _fire(event: Mapping[str, Any], task: str, time: datetime, bucket: str) -> Fire:
    params, lane = event.get("params", {}), event.get("lane", LIVE)
    if not isinstance(params, Mapping):
        raise MalformedFire(f"task {task!r}: params must be an object, as in {{'tenant': 42}}")
    if lane not in (LIVE, BACKFILL):
        raise MalformedFire(f"task {task!r}: the lane is {LIVE} or {BACKFILL}")
    run = _checked(Run(task, time, bucket, params, _name(event.get("name", ""), task)))
    return Fire(
        run,
        _items_key(event.get("items", ""), run),
        lane,
        catch_up=event.get("catch_up") is True,
        by_hand=event.get("by_hand") is True,
    )


def _checked(run: Run) -> Run:
    try:
        size = len(json.dumps(dict(run.params), allow_nan=False).encode())
    except (TypeError, ValueError):
        raise MalformedFire(f"run {run.id}: its parameters aren't JSON, which has no NaN or Infinity") from None
    if size > PARAMS_BYTES:
        raise MalformedFire(
            f"run {run.id}: its parameters are {size:,} bytes of JSON, {PARAMS_BYTES:,} allowed; keep more in S3"
        )
    return run


def _name(name: Any, task: str) -> str:
    if name != "" and not (isinstance(name, str) and RUN_NAME.fullmatch(name)):
        raise MalformedFire(
            f"task {task!r}: the run's name isn't one; 1 to 64 letters, digits, dots, underscores and hyphens are "
            "allowed, a letter or digit first"
        )
    return str(name)


def items_key(run: Run) -> str:
    """Where the items of a run are kept that are given by hand."""
    return f"runs/{run.id}/items.jsonl"


def _items_key(key: Any, run: Run) -> str:
    if key not in ("", items_key(run)):
        raise MalformedFire(
            f"run {run.id!r}: its items are elsewhere; only {items_key(run)} of the app's bucket is read"
        )
    return str(key)


def _part(number: Any) -> int | None:
    if number is not None and not is_whole(number, most=MAX_CHUNKS):
        raise MalformedFire("the number of a part is expected, from 0")
    return None if number is None else int(number)


def _own(run_id: str, task: str, bucket: str) -> Run:
    run = _run(run_id, task, bucket)
    if run.task != task:
        raise MalformedFire(f"the run isn't one of task {task!r}")
    return run


def _run(run_id: str, task: str, bucket: str) -> Run:
    try:
        return Run.parse(run_id, bucket=bucket)
    except MalformedFire:
        raise MalformedFire(f"task {task!r}: no run id; TASK/TIME or TASK/TIME/NAME is expected") from None


def _shape(event: Any) -> str:
    if isinstance(event, Mapping):
        return f"an object with {len(event)} keys"
    return f"a {type(event).__name__}"
