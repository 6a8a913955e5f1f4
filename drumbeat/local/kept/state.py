"""All that a cloud holds, as lines, and back."""

from collections.abc import Iterator, Mapping

from drumbeat.local.mapping import Mapping_

from . import actors, buckets, calls, codec, messages, schedules, tables, timers
from .inside import Inside, Line, Load, Save

_SAVE: tuple[Save, ...] = (
    calls.save, tables.save, buckets.save, messages.save, schedules.save, actors.save, timers.save,
)  # fmt: skip
_LOAD: Mapping[str, Load] = {
    "calls": calls.load, "call": calls.load,
    "item": tables.load, "change": tables.load,
    "object": buckets.load, "marker": buckets.load, "upload": buckets.load,
    "queue": messages.load, "message": messages.load, "sent": messages.load,
    "schedule": schedules.load, "schedule gone": schedules.load, "armed": schedules.load,
    "actor": actors.load, "lanes": actors.load, "meter": actors.load, "move": actors.load,
    "due": timers.load,
}  # fmt: skip


def save(inside: Inside) -> Iterator[Line]:
    """Everything, in the order in which it is put back."""
    yield {"kind": "cloud", "now": inside.world.clock.ns, "events": inside.world.log.count}
    for part in _SAVE:
        yield from part(inside)


def load(inside: Inside) -> None:
    """Fill a cloud that has just been opened, and hasn't run.

    What its actors did by themselves when they were made is undone before their own state comes.
    """
    world, lines = inside.world, map(codec.value, inside.directory.lines())
    now = next(lines)
    tables.empty(inside)
    buckets.empty(inside)
    due = []
    for line in lines:
        if line["kind"] == "due":
            due.append(line)
        else:
            _LOAD[line["kind"]](inside, line)
    messages.line_up(inside)
    world.loop._heap.clear()  # noqa: SLF001
    world.loop._cancelled = 0  # noqa: SLF001
    world.clock.set(now["now"])
    world.loop.horizon = now["now"]
    schedules.arm(inside)
    for line in due:
        timers.load(inside, line)
    if inside.is_changed:
        _wake(inside)
    _forget_the_way(inside, now["events"])


def _wake(inside: Inside) -> None:
    """Let new pollers look at their queues: nothing of theirs was due."""
    for mapping in inside.world.mappings.all.values():
        if isinstance(mapping, Mapping_):
            mapping.wake()
    for store in inside.world.queues.stores.values():
        store._set_alarm()  # noqa: SLF001


def _forget_the_way(inside: Inside, events: int) -> None:
    """The log and the timeline begin with this command; the calls that were repeated don't show."""
    world = inside.world
    world.log._entries.clear()  # noqa: SLF001
    world.log.count = events
    timeline = world.timeline
    timeline.fires.clear()
    timeline.functions.clear()
    timeline.queues.clear()
    timeline.start_ns = timeline.end_ns = world.clock.ns
