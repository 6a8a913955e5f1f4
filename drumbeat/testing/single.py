"""One fault in a run: a seam that numbers every call that functions make to AWS, and breaks the one it is told to.

A cloud with the same seed makes the same calls up to the fault, so a call's number says which one is meant.
"""

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random
from typing import Any, NamedTuple

from drumbeat.local.baton import current
from drumbeat.local.deployment import Function
from drumbeat.local.faults import Apply, Seam, crash, lose_reply, refuse, refuse_entries, unreachable
from drumbeat.local.services import Call

KINDS = ("crash before", "crash after", "lost reply", "throttle", "outage", "partial acceptance")
"""What may happen to a call; the last one only to a call with several entries."""
OUTAGE_ATTEMPTS = 6
"""Longer than the patience of one call: drumbeat's clients try four times, boto3's own five times."""
_WITH_ENTRIES = ("SendMessageBatch", "PutEvents")
_LONGEST = 120


class Point(NamedTuple):
    """A call that a function makes; calls are numbered from 1 in the order in which they are made."""

    number: int
    function: str
    operation: str
    target: str

    def __str__(self) -> str:
        about = self.target if len(self.target) <= _LONGEST else f"{self.target[: _LONGEST - 1]}…"
        return f"call {self.number}: {self.function} {self.operation} {about}".rstrip()


class Moment(NamedTuple):
    """When a call was made: by which invocation, at what time, and what had been done outside AWS before."""

    invocation: str
    ns: int
    outside: Any


class Fault(NamedTuple):
    """A point and what happens there; its text names it for a replay."""

    point: Point
    kind: str

    def __str__(self) -> str:
        return f"{self.point.number} {self.kind}"


def faults_at(points: Sequence[Point], kinds: Sequence[str] = KINDS) -> list[Fault]:
    """Every kind of fault at every point that it fits."""
    return [Fault(point, kind) for point in points for kind in kinds if fits(kind, point.operation)]


def fits(kind: str, operation: str) -> bool:
    """Whether this can happen to such a call."""
    return kind != KINDS[-1] or operation in _WITH_ENTRIES


def strike(kind: str, call: Call, apply: Apply) -> Any:
    """Let the first attempt of a call end in this kind of fault; see `prepare` for what comes before."""
    match kind:
        case "crash before":
            crash(call)
        case "crash after":
            apply()
            crash(call)
        case "lost reply":
            lose_reply(apply)
        case "throttle":
            status, code = (503, "SlowDown") if call.service == "s3" else (400, "ThrottlingException")
            return refuse(call, code, status=status)
        case "outage":
            unreachable()
    return apply()


def prepare(kind: str, call: Call) -> None:
    """Do what must be done before the first attempt: in `touches`."""
    if kind == "partial acceptance":
        refuse_entries(call, {entry["Id"] for entry in call.params["Entries"][:1] if "Id" in entry} or {0})


class Single(Seam):
    """Takes down all calls, in `points`, and breaks the one at `fault`; what else goes wrong, `inner` says.

    by_imports: whether modules make calls as they are imported.  moments: when each call was made, with what
    `outside()` had to say.
    """

    def __init__(self, inner: Seam, fault: Fault | None = None, outside: Callable[[], Any] = lambda: None) -> None:
        self.points: list[Point] = []
        self.moments: list[Moment] = []
        self.fault = fault
        self.by_imports = False
        self.struck = False
        self._inner, self._as_it_was = inner, deepcopy(inner)
        self._outside = outside
        self._out = 0

    def anew(self, fault: Fault | None = None) -> "Single":
        """The same before anything has happened."""
        return Single(deepcopy(self._as_it_was), fault, self._outside)

    def touches(self, call: Call) -> bool:
        """Count the call; the one at the fault goes the long way, and so do those that an outage may meet."""
        by_inner = call.notes["inner"] = self._inner.touches(call)
        if call.invocation is None:
            return by_inner
        point = Point(len(self.points) + 1, label(call.invocation.function), call.operation, target(call))
        self.points.append(point)
        self.moments.append(Moment(call.invocation.request_id, call.invocation.loop.clock.ns, self._outside()))
        strand = current()
        self.by_imports |= strand is not None and strand.held > 0
        if self.fault is not None and self.fault.point.number == point.number:
            self.struck = point == self.fault.point
            call.notes["single"] = self.fault.kind
            prepare(self.fault.kind, call)
            self._out = OUTAGE_ATTEMPTS if self.fault.kind == "outage" else 0
        return by_inner or "single" in call.notes or self._meets_outage(call)

    def attempt(self, call: Call, apply: Apply) -> Any:
        """Break the first attempt of the chosen call; an outage lasts for some attempts, whoever makes them."""
        if self._meets_outage(call):
            self._out -= 1
            unreachable()

        def do() -> Any:
            return self._inner.attempt(call, apply) if call.notes.get("inner") else apply()

        kind = call.notes.get("single", "")
        return do() if call.attempts > 1 or kind == "outage" else strike(kind, call, do)

    def _meets_outage(self, call: Call) -> bool:
        return self._out > 0 and self.fault is not None and call.operation == self.fault.point.operation

    # -- what is left to the other seam --------------------------------------------------------------------

    def seed(self, rng: Random) -> None:
        """Hand on."""
        self._inner.seed(rng)

    def deliveries(self, principal: str, source_arn: str, target_arn: str) -> Sequence[float]:
        """Hand on."""
        return self._inner.deliveries(principal, source_arn, target_arn)

    def delivery_error(self, principal: str, source_arn: str, target_arn: str, *, attempt: int) -> str | None:
        """Hand on."""
        return self._inner.delivery_error(principal, source_arn, target_arn, attempt=attempt)

    def pick(self, queue: str, waiting: int) -> int:
        """Hand on."""
        return self._inner.pick(queue, waiting)

    def skew_s(self, request_id: str) -> float:
        """Hand on."""
        return self._inner.skew_s(request_id)

    def again(self, queue: str, message_id: str) -> float | None:
        """Hand on."""
        return self._inner.again(queue, message_id)


def label(function: Function) -> str:
    """A function by its task and its part in it; one that isn't drumbeat's by its logical id."""
    if not function.handler.startswith("drumbeat."):
        return function.logical_id
    return f"{function.environment.get('DRUMBEAT_TASK', '')} {role(function)}".strip()


def role(function: Function) -> str:
    """What a function of drumbeat's is: dispatcher, worker or keeper."""
    return function.handler.split(".")[-2]


def target(call: Call) -> str:
    """What a call is about: a record's key or what a query looks for, an object's key, a queue's name, a payload."""
    params = call.params
    match call.service:
        case "dynamodb":
            key = params.get("Key") or params.get("Item") or params.get("ExpressionAttributeValues") or {}
            return "/".join(str(next(iter(value.values()))) for value in list(key.values())[:2] if value)
        case "s3":
            return str(params.get("Key", ""))
        case "lambda":
            return _text(params.get("Payload", ""))
        case "sqs":
            return str(params.get("QueueUrl", "")).rpartition("/")[2]
    return ""


def _text(payload: str | bytes) -> str:
    try:
        return json.dumps(json.loads(payload))
    except ValueError:
        return ""
