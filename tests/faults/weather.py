"""What goes wrong while the machine plays: calls that break, services that are away, wrong clocks, messages again."""

import json
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any
from zlib import crc32

from drumbeat.local.baton import virtual_sleep
from drumbeat.local.clock import seconds
from drumbeat.local.faults import Apply, Seam, crash, lose_reply, unreachable
from drumbeat.local.services import Call
from drumbeat.testing.invariants import COUNTED
from drumbeat.testing.single import KINDS, OUTAGE_ATTEMPTS, fits, prepare, role, strike
from tests.faults import witness

LATE_S = (0, 1, 61, 1800)
CALLS = (
    ("", ""),
    *(("dispatcher", operation) for operation in ("", "SendMessageBatch", "UpdateItem", "PutEvents", "PutObject")),
    *(("worker", operation) for operation in ("", "UpdateItem", "PutItem", "PutObject", "Invoke")),
    *(("keeper", operation) for operation in ("", "Invoke", "SendMessage")),
)
"""Who makes a call to what: those that change something are few among many."""
SERVICES = ("dynamodb", "sqs", "s3", "lambda", "events")
STANDS_STILL, ARRIVES_LATE, OVERTAKEN = "stands still", "arrives late", "overtaken"
LATE_KINDS = (STANDS_STILL, ARRIVES_LATE, OVERTAKEN)
"""The caller waits before its call, and goes on; it dies, and its call arrives; its call arrives after its repeat."""


@dataclass
class Planned:
    """The next call but so many will break, of those that this operation of this kind of function makes; "" is any.

    late_s: of the late kinds, by how much.
    """

    kind: str
    skip: int
    who: str
    operation: str
    late_s: float = 0.0


@dataclass
class Weather(Seam):
    """Breaks what was planned; besides, any call with these odds; deliveries are shuffled and repeated, clocks wrong.

    early: announcements of an end that told of more items than had been done.  hits: how many calls of dispatchers,
    workers and keepers broke.  late_until_ns: when the last of the calls that are late arrives.
    """

    rng: Random
    odds: float = 0.0
    again_odds: float = 0.0
    skew: int = 0
    planned: list[Planned] = field(default_factory=list)
    early: list[str] = field(default_factory=list)
    hits: Counter[str] = field(default_factory=Counter)
    late_until_ns: int = 0
    _out: dict[str, int] = field(default_factory=dict)
    _away: dict[str, int] = field(default_factory=dict)

    def leave(self, service: str, until_ns: int) -> None:
        """Let a service be away until then."""
        self._away[service] = until_ns

    def clear(self) -> None:
        """Break nothing that isn't broken yet."""
        self.planned.clear()
        self.odds = 0.0

    def touches(self, call: Call) -> bool:
        """Let a fault strike, if it is this call's turn."""
        if call.invocation is None:
            return False
        self._look_for_early_ends(call)
        planned = self._planned_for(call)
        kind = planned.kind if planned else self._drawn_for(call)
        if kind:
            self.hits[role(call.invocation.function)] += 1
            call.notes["kind"], call.notes["late_s"] = kind, planned.late_s if planned else 0.0
            self._out[call.operation] = OUTAGE_ATTEMPTS if kind == "outage" else 0
            prepare(kind, call)
        return "kind" in call.notes or self._out.get(call.operation, 0) > 0 or self._is_away(call)

    def attempt(self, call: Call, apply: Apply) -> Any:
        """Break an attempt, or let it happen."""
        if self._is_away(call):
            unreachable()
        if self._out.get(call.operation, 0) > 0:
            self._out[call.operation] -= 1
            unreachable()
        kind = call.notes.get("kind", "")
        if call.attempts > 1 or kind == "outage":
            return apply()
        return self._be_late(kind, call, apply) if kind in LATE_KINDS else strike(kind, call, apply)

    def _be_late(self, kind: str, call: Call, apply: Apply) -> Any:
        assert call.invocation is not None
        late_s, loop = call.notes["late_s"], call.invocation.loop
        if kind == STANDS_STILL:
            virtual_sleep(late_s)
            return apply()
        self.late_until_ns = max(self.late_until_ns, loop.clock.ns + seconds(late_s))
        loop.after(seconds(late_s), apply)
        return lose_reply(lambda: None) if kind == OVERTAKEN else crash(call)

    def pick(self, queue: str, waiting: int) -> int:
        """Any of them."""
        del queue
        return self.rng.randrange(waiting)

    def again(self, queue: str, message_id: str) -> float | None:
        """Some come again, at once or late."""
        del queue, message_id
        return self.rng.choice(LATE_S) if self.rng.random() < self.again_odds else None

    def skew_s(self, request_id: str) -> float:
        """Each invocation is wrong by some minutes of its own."""
        return crc32(request_id.encode()) % (2 * self.skew + 1) - self.skew

    def _planned_for(self, call: Call) -> Planned | None:
        assert call.invocation is not None
        made = role(call.invocation.function), call.operation
        for plan in self.planned:
            if made == (plan.who or made[0], plan.operation or made[1]) and fits(plan.kind, call.operation):
                plan.skip -= 1
                if plan.skip < 0:
                    self.planned.remove(plan)
                    return plan
        return None

    def _drawn_for(self, call: Call) -> str:
        if not self.odds or self.rng.random() >= self.odds:
            return ""
        kinds = [*KINDS, *KINDS[-1:] * len(KINDS)]  # few calls have entries that can be refused
        return self.rng.choice([kind for kind in kinds if fits(kind, call.operation)])

    def _is_away(self, call: Call) -> bool:
        assert call.invocation is not None
        return call.invocation.loop.clock.ns < self._away.get(call.service, 0)

    def _look_for_early_ends(self, call: Call) -> None:
        if call.operation != "PutEvents":
            return
        for entry in call.params["Entries"]:
            told = json.loads(entry["Detail"])
            done = witness.done_of(told.get("run", ""))
            if told.get("state") in COUNTED and told["succeeded"] > len(done):
                self.early.append(f"{told['id']} told of {told['succeeded']} items when {sorted(done)} were done")
