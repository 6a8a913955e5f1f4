"""Faults that nothing can tell apart: playing one of them is enough."""

from collections.abc import Sequence

from drumbeat.local.clock import SECOND

from .single import Fault, Moment, Point

_READS = ("Get", "BatchGet", "Query", "Scan", "Head", "List", "Describe")
SOON_NS = SECOND


def distinct(faults: Sequence[Fault], moments: Sequence[Moment]) -> list[Fault]:
    """Leave out what is the same as another fault of these; `moments` has one for each call, in their order.

    To die after a call is to die before the next one, if the same invocation makes it within a second, no other call
    comes in between, and nothing was done outside AWS.  A lost reply of a call that only reads is a throttled call: it
    has no effect, and the SDK repeats it after the same pause.
    """
    given = {(fault.point.number, fault.kind) for fault in faults}
    return [fault for fault in faults if _other(fault, moments) not in given]


def _other(fault: Fault, moments: Sequence[Moment]) -> tuple[int, str] | None:
    """What a fault is the same as, if anything."""
    number = fault.point.number
    if fault.kind == "crash after" and number < len(moments):
        this, following = moments[number - 1 : number + 1]
        if this.invocation == following.invocation and this.outside == following.outside:
            return (number + 1, "crash before") if following.ns - this.ns < SOON_NS else None
    if fault.kind == "lost reply" and reads(fault.point):
        return number, "throttle"
    return None


def reads(point: Point) -> bool:
    """Whether a call changes nothing."""
    return point.operation.startswith(_READS)
