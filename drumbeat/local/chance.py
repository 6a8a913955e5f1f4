"""Faults drawn from the cloud's seed: what may go wrong, and how often."""

from collections import Counter
from dataclasses import KW_ONLY, dataclass, field
from random import Random
from typing import Any

from .baton import virtual_sleep
from .faults import Apply, Seam, crash, lose_reply, refuse, refuse_entries
from .services import Call

_READS = ("Get", "List", "Describe", "Head", "Query", "Scan", "BatchGet", "Receive")
_LATE_S, _SLOW_S, _SKEW_S = 3600, 60, 300


@dataclass
class Faults(Seam):
    """What goes wrong: each as a probability (a float from 0 to 1) or as the how manyeth time (a whole number, from 1).

    duplicate_delivery: a message of a standard queue that was deleted comes once more, within a minute.
    reorder: a receive takes any of the waiting messages, not the oldest.
    throttle: a call is refused for its rate; the SDK tries it again.
    lost_reply: a call has its effect, but its answer is lost; the SDK repeats it.
    crash_before_settle: the invocation dies before a write to DynamoDB.
    crash_after_side_effect: the invocation dies right after a call that changed something.
    send_batch_partial_failure: SendMessageBatch takes only some of its entries.
    late_fire, duplicate_fire: what a rule or schedule delivers comes up to an hour late, or twice.
    slow: a call takes up to a minute.
    clock_jump: an invocation's clock is wrong by up to five minutes.

    The draws come from the cloud's seed, so the same seed gives the same faults; `strikes` counts them.
    """

    _: KW_ONLY
    duplicate_delivery: float = 0
    reorder: float = 0
    throttle: float = 0
    lost_reply: float = 0
    crash_before_settle: float = 0
    crash_after_side_effect: float = 0
    send_batch_partial_failure: float = 0
    late_fire: float = 0
    duplicate_fire: float = 0
    slow: float = 0
    clock_jump: float = 0
    strikes: Counter[str] = field(default_factory=Counter)
    _seen: Counter[str] = field(default_factory=Counter)
    _skews: dict[str, float] = field(default_factory=dict)
    _rng: Random = field(default_factory=lambda: Random(0))  # noqa: S311  (chance, not a secret)

    def seed(self, rng: Random) -> None:
        """Draw from the cloud's own stream of chance."""
        self._rng = rng

    def touches(self, call: Call) -> bool:
        """Decide what happens to a call of a handler's: the first fault that strikes."""
        if call.invocation is None:
            return False
        writes = not call.operation.startswith(_READS)
        entries = [entry["Id"] for entry in call.params.get("Entries", ())] if call.service == "sqs" else []
        for name, fits in (
            ("send_batch_partial_failure", call.operation == "SendMessageBatch"),
            ("crash_before_settle", call.service == "dynamodb" and writes),
            ("crash_after_side_effect", writes),
            ("lost_reply", writes),
            ("throttle", True),
            ("slow", True),
        ):
            if fits and self._strikes(name):
                call.notes["fault"] = name
                if name == "send_batch_partial_failure":
                    refuse_entries(call, set(self._rng.sample(entries, self._rng.randint(1, len(entries)))))
                return True
        return False

    def attempt(self, call: Call, apply: Apply) -> Any:
        """Let the first attempt of a struck call go wrong, and the SDK's next ones be."""
        if call.attempts > 1:
            return apply()
        match call.notes.get("fault"):
            case "crash_before_settle":
                crash(call)
            case "crash_after_side_effect":
                apply()
                crash(call)
            case "lost_reply":
                lose_reply(apply)
            case "throttle":
                status, code = (503, "SlowDown") if call.service == "s3" else (400, "ThrottlingException")
                return refuse(call, code, status=status)
            case "slow":
                virtual_sleep(self._rng.uniform(1, _SLOW_S))
        return apply()

    def deliveries(self, principal: str, source_arn: str, target_arn: str) -> tuple[float, ...]:
        """Deliver late, or twice."""
        del principal, source_arn, target_arn
        late = self._rng.uniform(1, _LATE_S) if self._strikes("late_fire") else 0.0
        return (late, late + self._rng.uniform(0, 60)) if self._strikes("duplicate_fire") else (late,)

    def pick(self, queue: str, waiting: int) -> int:
        """Take any of the waiting messages."""
        del queue
        return self._rng.randrange(waiting) if waiting > 1 and self._strikes("reorder") else 0

    def again(self, queue: str, message_id: str) -> float | None:
        """Bring a deleted message back."""
        del queue, message_id
        return self._rng.uniform(0, 60) if self._strikes("duplicate_delivery") else None

    def skew_s(self, request_id: str) -> float:
        """Set the clock of an invocation wrong, for as long as it lasts."""
        if not self.clock_jump:
            return 0.0
        if request_id not in self._skews:
            self._skews[request_id] = self._rng.uniform(-_SKEW_S, _SKEW_S) if self._strikes("clock_jump") else 0.0
        return self._skews[request_id]

    def _strikes(self, name: str) -> bool:
        chance = getattr(self, name)
        if not chance:
            return False
        self._seen[name] += 1
        nth = isinstance(chance, int) and not isinstance(chance, bool)
        struck = self._seen[name] == chance if nth else self._rng.random() < chance
        self.strikes[name] += struck
        return bool(struck)
