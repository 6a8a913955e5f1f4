"""Faults that belong to a scene: they break the calls that they name.

A call is named by who makes it, what it does, to which record or object, and the how manyeth such call it is: so the
same call is found again in whatever order concurrent workers come.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from drumbeat.local.faults import Apply, Seam, unreachable
from drumbeat.local.services import Call
from drumbeat.testing.single import OUTAGE_ATTEMPTS, prepare, role, strike, target

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Named(NamedTuple):
    """One call of a scene."""

    role: str
    operation: str
    target: str
    turn: int


class Given(NamedTuple):
    """A call and what happens there."""

    call: Named
    kind: str


@dataclass
class Driver(Seam):
    """Breaks the calls of one scene that are given; `calls` are those of the task, `hits` the faults that struck."""

    task: str = ""
    faults: tuple[Given, ...] = ()
    hits: set[Given] = field(default_factory=set)
    calls: list[Named] = field(default_factory=list)
    _turns: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _out: Counter[str] = field(default_factory=Counter)

    def touches(self, call: Call) -> bool:
        """Take down the call; it goes the long way if it is to break."""
        named = self._named(call)
        if named is None:
            return False
        self.calls.append(named)
        for fault in self.faults:
            if fault.call == named:
                self.hits.add(fault)
                self.break_at(call, fault.kind)
        return "kind" in call.notes or self._out[call.operation] > 0

    def break_at(self, call: Call, kind: str) -> None:
        """Let this call break."""
        call.notes["kind"] = kind
        self._out[call.operation] += OUTAGE_ATTEMPTS if kind == "outage" else 0
        prepare(kind, call)

    def attempt(self, call: Call, apply: Apply) -> Any:
        """Break an attempt of the chosen call, or let it happen."""
        if self._out[call.operation] > 0:
            self._out[call.operation] -= 1
            unreachable()
        kind = call.notes.get("kind", "")
        return apply() if call.attempts > 1 or kind == "outage" else strike(kind, call, apply)

    def _named(self, call: Call) -> Named | None:
        if call.invocation is None:
            return None
        who, about = role(call.invocation.function), target(call)
        if self.task not in (call.invocation.function.environment.get("DRUMBEAT_TASK"), "") and self.task not in about:
            return None  # another task's business
        about = _ID.sub("ID", _TIME.sub("TIME", about).replace(f"{self.task}/TIME", "RUN"))
        self._turns[who, call.operation, about] += 1
        return Named(who, call.operation, about, self._turns[who, call.operation, about])
