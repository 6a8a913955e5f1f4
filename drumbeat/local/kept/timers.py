"""What is due: each event of the loop, in its order, as a name and plain arguments.

A kind of event that isn't known here can't be kept, and saving says so.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from drumbeat.local.asynchronous import AsyncEvent
from drumbeat.local.deployment import Target
from drumbeat.local.expiry import Expiry
from drumbeat.local.inputs import schedule_input
from drumbeat.local.loop import Timer
from drumbeat.local.mapping import Mapping_
from drumbeat.local.streams import StreamMapping
from drumbeat.local.undelivered import SCHEDULER, Parcel, always

from . import actors, messages
from .errors import CannotKeep
from .inside import Inside, Line

_STRANDS = ("drumbeat.local.baton", "drumbeat.local.sandbox")


def runs_code(call: Callable[..., None]) -> bool:
    """Whether an event lets a handler go on, as opposed to beginning something."""
    return type(getattr(call, "__self__", None)).__module__ in _STRANDS


def save(inside: Inside) -> Iterator[Line]:
    """Events in the order in which they will happen."""
    for at, _, timer in sorted(inside.world.loop._heap, key=lambda entry: entry[:2]):  # noqa: SLF001
        if timer.call is None or runs_code(timer.call):  # of environments that are gone
            continue
        owner = getattr(timer.call, "__self__", None)
        name = f"{type(owner).__name__}.{getattr(timer.call, '__name__', '?')}"
        if name not in _EVENTS:
            raise CannotKeep(f"an event {name} is due at {at}, and drumbeat can't keep that; the cloud stays as it was")
        yield {"kind": "due", "at": at, "event": name, **_EVENTS[name].save(inside, owner, timer.args)}


def load(inside: Inside, line: Line) -> None:
    """Set an event again; of what is gone with new code, nothing is due."""
    found = _EVENTS[line["event"]].load(inside, line)
    if found is None:
        return
    call, args, keep = found
    loop = inside.world.loop
    timer = Timer(line["at"], call, args)
    loop._sequence += 1  # noqa: SLF001
    heapq.heappush(loop._heap, (line["at"], loop._sequence, timer))  # noqa: SLF001  it may be late, unlike loop.at's
    keep(timer)


_Loaded = tuple[Callable[..., None], tuple[Any, ...], Callable[[Timer], None]]


@dataclass(frozen=True)
class _Event:
    save: Callable[[Inside, Any, tuple[Any, ...]], Line]
    load: Callable[[Inside, Line], _Loaded | None]


def _forget(_timer: Timer) -> None:
    pass


# -- queues, their pollers, and move tasks -----------------------------------------------------------------------


def _load_ring(inside: Inside, line: Line) -> _Loaded | None:
    store = inside.world.queues.by_name(line["queue"])
    if store is None:
        return None
    return store._ring, (), lambda timer: setattr(store, "_alarm", timer)  # noqa: SLF001


def _uuid(_inside: Inside, owner: Any, _args: Any) -> Line:
    return {"mapping": owner.mapping.uuid}


def _mapping(inside: Inside, line: Line) -> Mapping_ | None:
    found = inside.world.mappings.all.get(line["mapping"])
    return found if isinstance(found, Mapping_) else None


def _load_poll(inside: Inside, line: Line) -> _Loaded | None:
    found = _mapping(inside, line)
    return None if found is None else (found._poll, (), _forget)  # noqa: SLF001


def _load_ramp(inside: Inside, line: Line) -> _Loaded | None:
    found = _mapping(inside, line)
    return None if found is None else (found._ramp, (), _forget)  # noqa: SLF001


def _save_batch(_inside: Inside, owner: Mapping_, args: tuple[Any, ...]) -> Line:
    held, receipts, until, tries = args
    found = [messages.reference(owner.store, message) for message in held]
    return {"mapping": owner.mapping.uuid, "messages": found, "receipts": receipts, "until": until, "tries": tries}


def _load_batch(inside: Inside, line: Line) -> _Loaded | None:
    found = _mapping(inside, line)
    if found is None:
        return None
    held = [messages.referred(found.store, one) for one in line["messages"]]
    return found._invoke, (held, line["receipts"], line["until"], line["tries"]), _forget  # noqa: SLF001


def _save_move(_inside: Inside, owner: Any, args: tuple[Any, ...]) -> Line:
    return {"move": next(handle for handle, task in owner._tasks.items() if task is args[0])}  # noqa: SLF001


def _load_move(inside: Inside, line: Line) -> _Loaded | None:
    moves = actors.moves_of(inside)
    task = moves._tasks.get(line["move"])  # noqa: SLF001
    return None if task is None else (moves._step, (task,), _forget)  # noqa: SLF001


# -- streams -----------------------------------------------------------------------------------------------------


def _save_lane(_inside: Inside, owner: StreamMapping, args: tuple[Any, ...]) -> Line:
    lane, *rest = args
    line: Line = {"mapping": owner.mapping.uuid, "lane": owner._lanes.index(lane)}  # noqa: SLF001
    if rest:
        batch, retries, throttles = rest
        line |= {"batch": [actors.sequence(one) for one in batch], "retries": retries, "throttles": throttles}
    return line


def _load_lane(inside: Inside, line: Line) -> _Loaded | None:
    found = inside.world.mappings.all.get(line["mapping"])
    if not isinstance(found, StreamMapping) or line["lane"] >= len(found._lanes):  # noqa: SLF001
        return None
    lane = found._lanes[line["lane"]]  # noqa: SLF001
    if "batch" not in line:
        return found._poll, (lane,), _forget  # noqa: SLF001
    batch = actors.changes(found, line["batch"])
    return found._invoke, (lane, batch, line["retries"], line["throttles"]), _forget  # noqa: SLF001


# -- events on their way -----------------------------------------------------------------------------------------


def _save_async(_inside: Inside, _owner: Any, args: tuple[Any, ...]) -> Line:
    return {"invoke": asdict(args[0])}


def _load_async(inside: Inside, line: Line) -> _Loaded:
    return inside.world.async_queue._attempt, (AsyncEvent(**line["invoke"]),), _forget  # noqa: SLF001


def _save_parcel(_inside: Inside, _owner: Any, args: tuple[Any, ...]) -> Line:
    parcel: Parcel = args[0]
    text: Any = "" if parcel.principal == SCHEDULER else parcel.text(1)
    return {"parcel": asdict(replace(parcel, text=text))}


def _load_parcel(inside: Inside, line: Line) -> _Loaded:
    kept = line["parcel"]
    parcel = Parcel(**{**kept, "target": Target(**kept["target"]), "text": always(kept["text"])})
    if parcel.principal == SCHEDULER:
        parcel.text = _scheduled(parcel)
    return inside.world.delivery._attempt, (parcel,), _forget  # noqa: SLF001


def _scheduled(parcel: Parcel) -> Callable[[int], str]:
    """A schedule's input tells which attempt it is; see `drumbeat.local.fires`."""
    known = {
        "schedule-arn": parcel.source_arn,
        "scheduled-time": parcel.event["time"],
        "execution-id": parcel.event_id,
    }
    return lambda attempt: schedule_input(parcel.target, {**known, "attempt-number": str(attempt)}, parcel.event)


# -- fires and the rest ------------------------------------------------------------------------------------------


def _load_fire(inside: Inside, line: Line) -> _Loaded | None:
    fires = inside.world.fires
    armed = fires._armed.get(line["arn"])  # noqa: SLF001
    if armed is None or armed.timer is not None:  # gone, or armed anew because it fires at other times
        return None
    return fires._due, (line["arn"], armed), lambda timer: setattr(armed, "timer", timer)  # noqa: SLF001


def _load_deletion(inside: Inside, line: Line) -> _Loaded | None:
    fires = inside.world.fires
    schedule = fires.schedules.get(line["arn"])
    return None if schedule is None else (fires._delete, (schedule,), _forget)  # noqa: SLF001


def _load_sweep(inside: Inside, _line: Line) -> _Loaded:
    (expiry,) = (one for one in inside.gateway._sources if isinstance(one, Expiry))  # noqa: SLF001
    return expiry._sweep, (), _forget  # noqa: SLF001


_EVENTS = {
    "Store._ring": _Event(lambda _inside, owner, _args: {"queue": owner.queue.name}, _load_ring),
    "Mapping_._poll": _Event(_uuid, _load_poll),
    "Mapping_._ramp": _Event(_uuid, _load_ramp),
    "Mapping_._invoke": _Event(_save_batch, _load_batch),
    "Moves._step": _Event(_save_move, _load_move),
    "StreamMapping._poll": _Event(_save_lane, _load_lane),
    "StreamMapping._invoke": _Event(_save_lane, _load_lane),
    "AsyncQueue._attempt": _Event(_save_async, _load_async),
    "Delivery._attempt": _Event(_save_parcel, _load_parcel),
    "Fires._due": _Event(lambda _inside, _owner, args: {"arn": args[0]}, _load_fire),
    "Fires._delete": _Event(lambda _inside, _owner, args: {"arn": args[0].arn}, _load_deletion),
    "Expiry._sweep": _Event(lambda _inside, _owner, _args: {}, _load_sweep),
}
