"""The services between two moments: how many pollers, what a stream's batches have before them, what was counted."""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from drumbeat.local.mapping import Mapping_
from drumbeat.local.pool import Allowance
from drumbeat.local.redrive import Moves, _Task
from drumbeat.local.streams import Lane, StreamMapping

from .inside import Inside, Line, state

_Names = tuple[str, ...]
_KEPT: dict[str, tuple[_Names, _Names]] = {
    "AsyncQueue": (("pending",), ("_world", "_rng")),
    "Delivery": (("pending",), ("_world", "_rng", "_jitter", "_told", "_universal")),
    "BucketEvents": (("_sequence",), ("_world", "_rng", "operation", "_real")),
    "Mapping_": (
        ("active", "_poll_due", "_ramp_due", "_backlog", "_level", "_noted_ns", "_created", "_slowed", "_first_seen"),
        ("mapping", "store", "_world", "_rng", "_name"),
    ),
    "Pool": (("made", "peak", "requests", "_growth"), ("function", "rng", "idle", "active")),
    "Functions": (
        ("_requests",),
        ("_world", "_stage", "_importer", "_output", "_capture", "_durations", "_memory", "_own", "_shared", "_ahead",
         "account_concurrency", "pools", "running", "samples"),
    ),
}  # fmt: skip
"""By class: the attributes that are kept, and those that each command makes anew.

Anew are generators of chance (each command has its own), execution environments (so that a command's first invocations
are cold) and series for pictures. Nothing runs while a cloud is kept, so what counts what runs is zero.
"""


def _actors(inside: Inside) -> dict[str, Any]:
    world = inside.world
    found: dict[str, Any] = {
        "async": world.async_queue,
        "delivery": world.delivery,
        "bucket events": inside.gateway._buckets,  # noqa: SLF001
        "functions": world.functions,
    }
    found |= {f"function {name}": pool for name, pool in world.functions.pools.items()}
    mappings = world.mappings.all.items()
    return found | {f"mapping {uuid}": one for uuid, one in mappings if isinstance(one, Mapping_)}


def moves_of(inside: Inside) -> Moves:
    """The message move tasks, behind the answer to their call."""
    answer: Any = inside.gateway._answers["sqs", "StartMessageMoveTask"]  # noqa: SLF001
    moves: Moves = answer.__self__
    return moves


def save(inside: Inside) -> Iterator[Line]:
    """Each actor's own state."""
    for name, actor in _actors(inside).items():
        held = state(actor, *_KEPT[type(actor).__name__])
        shown = {key: _allowance(one) if isinstance(one, Allowance) else one for key, one in held.items()}
        yield {"kind": "actor", "name": name, "state": shown}
    for uuid, mapping in inside.world.mappings.all.items():
        if isinstance(mapping, StreamMapping):
            lanes = [_lane(lane) for lane in mapping._lanes]  # noqa: SLF001
            yield {"kind": "lanes", "mapping": uuid, "lanes": lanes}
    for handle, task in moves_of(inside)._tasks.items():  # noqa: SLF001
        shown = {one.name: getattr(task, one.name) for one in fields(task) if one.name != "source"}
        yield {"kind": "move", "handle": handle, "source": task.source.queue.name, "task": shown}
    meter = inside.world.meter
    yield {"kind": "meter", **{one.name: sorted(getattr(meter, one.name).items()) for one in fields(meter)}}


def _allowance(found: Allowance) -> list[Any]:
    return [found._left, found._at_ns]  # noqa: SLF001


def _lane(lane: Lane) -> Line:
    return {
        "waiting": [sequence(record) for record in lane.waiting],
        "batches": [[sequence(record) for record in batch] for batch in lane.batches],
        "active": lane.active,
        "polling": lane.polling,
        "first_ns": lane.first_ns,
    }


def sequence(record: dict[str, Any]) -> int:
    """A change's number in its stream."""
    return int(record["dynamodb"]["SequenceNumber"])


def changes(mapping: StreamMapping, numbers: list[int]) -> list[dict[str, Any]]:
    """The changes of these numbers; one that was undone (its transaction failed) isn't there any more."""
    shard = mapping._shard()  # noqa: SLF001
    first = shard.starting_sequence_number
    return [shard.items[number - first].record for number in numbers if number - first < len(shard.items)]


def load(inside: Inside, line: Line) -> None:
    """Put an actor's state back."""
    match line["kind"]:
        case "actor":
            _load_actor(inside, line)
        case "lanes":
            _load_lanes(inside, line)
        case "meter":
            _load_meter(inside, line)
        case "move":
            source = inside.world.queues.by_name(line["source"])
            if source is not None:
                moves_of(inside)._tasks[line["handle"]] = _Task(source=source, **line["task"])  # noqa: SLF001


def _load_actor(inside: Inside, line: Line) -> None:
    actor = _actors(inside).get(line["name"])
    if actor is None:
        return
    for name, held in line["state"].items():
        before = getattr(actor, name)
        if isinstance(before, Allowance):
            before._left, before._at_ns = held  # noqa: SLF001
        else:
            setattr(actor, name, held)


def _load_lanes(inside: Inside, line: Line) -> None:
    mapping = inside.world.mappings.all.get(line["mapping"])
    if not isinstance(mapping, StreamMapping):
        return
    for lane, kept in zip(mapping._lanes, line["lanes"], strict=False):  # noqa: SLF001
        lane.waiting = deque(changes(mapping, kept["waiting"]))
        lane.batches = deque(changes(mapping, batch) for batch in kept["batches"])
        lane.active, lane.polling, lane.first_ns = kept["active"], kept["polling"], kept["first_ns"]


def _load_meter(inside: Inside, line: Line) -> None:
    meter = inside.world.meter
    for one in fields(meter):
        found = {tuple(key) if isinstance(key, list) else key: count for key, count in line[one.name]}
        setattr(meter, one.name, Counter(found) if isinstance(getattr(meter, one.name), Counter) else found)
