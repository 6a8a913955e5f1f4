"""The fault driver: it names every call that a scene makes to AWS, and breaks the one it is told to.

A call is named by who makes it, what it does, to which record or object, and the how manyeth such call it is: so the
same point is found again although concurrent workers change their order.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from drumbeat.local.faults import Apply, Seam, crash, lose_reply, refuse, refuse_entries, unreachable
from drumbeat.local.services import Call

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
OUTAGE_ATTEMPTS = 6
"""Longer than the patience of one call: drumbeat's clients try four times, boto3's own five times."""


class Point(NamedTuple):
    """One call of a scene."""

    role: str
    operation: str
    target: str
    turn: int

    def __str__(self) -> str:
        return f"{self.role} {self.operation} {self.target} ({self.turn})"


KINDS = ("crash before", "crash after", "lost reply", "throttled", "outage")
"""What may happen to any call."""
IN_PART = "refused in part"
"""What may happen to a call with entries."""


class Fault(NamedTuple):
    """A point and what happens there."""

    point: Point
    kind: str

    def __str__(self) -> str:
        return f"{self.kind} at {self.point}"


def faults_at(points: list[Point]) -> list[Fault]:
    """Every kind of fault at every point that it fits."""
    found = []
    for point in points:
        kinds = (*KINDS, IN_PART) if point.operation in ("SendMessageBatch", "PutEvents") else KINDS
        found += [Fault(point, kind) for kind in kinds]
    return found


@dataclass
class Driver(Seam):
    """Follows one run at a time; `roles` are the names of the functions that may be broken."""

    roles: dict[str, str] = field(default_factory=dict)
    run_id: str = ""
    faults: tuple[Fault, ...] = ()
    hits: set[Fault] = field(default_factory=set)
    calls: list[Point] = field(default_factory=list)
    announced: list[dict[str, Any]] = field(default_factory=list)
    on_announce: Callable[[dict[str, Any]], None] = lambda _: None
    _turns: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _out: Counter[str] = field(default_factory=Counter)

    def follow(self, run_id: str, roles: dict[str, str], *faults: Fault) -> None:
        """Begin with a run."""
        self.run_id, self.roles, self.faults = run_id, roles, faults
        self.calls, self.announced, self.hits = [], [], set()
        self._out.clear()
        self._turns.clear()

    def touches(self, call: Call) -> bool:
        """Take down the call; it goes the long way if it is to break, or to be overheard."""
        point = self._point(call)
        if point is None:
            return False
        self.calls.append(point)
        call.notes["point"] = point
        for fault in self.faults:
            if fault.point == point:
                self.hits.add(fault)
                self._prepare(call, fault.kind)
        return "kind" in call.notes or self._out[call.operation] > 0 or call.operation == "PutEvents"

    def _prepare(self, call: Call, kind: str) -> None:
        call.notes["kind"] = kind
        if kind == "outage":
            self._out[call.operation] = OUTAGE_ATTEMPTS
        if kind == IN_PART:
            refuse_entries(call, {"0", 0})

    def attempt(self, call: Call, apply: Apply) -> Any:
        """Break an attempt of the chosen call, or let it happen."""
        do = self._overheard(call, apply)
        if self._out[call.operation] > 0:
            self._out[call.operation] -= 1
            unreachable()
        if call.attempts > 1:
            return do()
        return self.break_(call.notes.get("kind", ""), call, do)

    @staticmethod
    def break_(kind: str, call: Call, do: Apply) -> Any:
        """Let an attempt end in this kind of fault."""
        match kind:
            case "crash before":
                crash(call)
            case "crash after":
                do()
                crash(call)
            case "lost reply":
                lose_reply(do)
            case "throttled":
                return refuse(call, "SlowDown" if call.service == "s3" else "ThrottlingException", status=_status(call))
        return do()

    def _overheard(self, call: Call, apply: Apply) -> Apply:
        if call.operation != "PutEvents" or "refuse" in call.notes:
            return apply

        def announce() -> Any:
            answer = apply()
            for entry in call.params["Entries"]:
                detail = json.loads(entry["Detail"])
                if detail["run"] == self.run_id:
                    self.announced.append(detail)
                    self.on_announce(detail)
            return answer

        return announce

    def _point(self, call: Call) -> Point | None:
        role = self.roles.get(call.invocation.function.name, "") if call.invocation else ""
        if not role:
            return None
        task, _, time = self.run_id.partition("/")
        target = _ID.sub("ID", self._target(call).replace(self.run_id, "RUN").replace(time, "TIME"))
        if role == "keeper" and "RUN" not in target and task not in target:
            return None  # another task's business
        self._turns[role, call.operation, target] += 1
        return Point(role, call.operation, target, self._turns[role, call.operation, target])

    @staticmethod
    def _target(call: Call) -> str:
        params = call.params
        match call.service:
            case "dynamodb":
                key = params.get("Key") or params.get("Item") or {}
                return "/".join(key[name]["S"] for name in ("pk", "sk") if name in key)
            case "s3":
                return str(params.get("Key", ""))
            case "lambda":
                return json.dumps(json.loads(params["Payload"]))
            case "sqs":
                return str(params["QueueUrl"]).rpartition("/")[2]
        return ""


def _status(call: Call) -> int:
    return 503 if call.service == "s3" else 400
