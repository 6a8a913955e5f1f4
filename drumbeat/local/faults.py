"""The seam for faults: what may go wrong around a call, a delivery and a queue.

`Seam` does nothing; a subclass overrides what it wants to break, as `chance.Faults` does by the seed.  A call that it
touches goes through botocore's own sending and retrying, and `attempt` decides on every attempt: so the SDK's silent
repeat of a call whose answer was lost is real, and its back-off takes virtual time only.
"""

# ruff: noqa: ARG002  what a subclass needs to decide

import json
from collections.abc import Callable, Collection, Sequence
from random import Random
from typing import Any, NoReturn

from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from .baton import Killed, current
from .sandbox import failure
from .services import Call

Reply = tuple[int, dict[str, str], str]
Apply = Callable[[], Any]


class Seam:
    """No faults."""

    def seed(self, rng: Random) -> None:
        """Take the cloud's stream of chance, when the cloud opens."""

    def touches(self, call: Call) -> bool:
        """Whether this call is to go attempt by attempt; asked once per call, after its latency."""
        return False

    def attempt(self, call: Call, apply: Apply) -> Any:
        """Answer one attempt (`call.attempts` counts from 1): `apply()` lets it happen; see the functions below."""
        return apply()

    def deliveries(self, principal: str, source_arn: str, target_arn: str) -> Sequence[float]:
        """Delays in seconds of what a rule or schedule delivers: one for each time that it is delivered."""
        return (0.0,)

    def delivery_error(self, principal: str, source_arn: str, target_arn: str, *, attempt: int) -> str | None:
        """The error code with which the target refuses an attempt (from 1) of a rule or schedule; it is a throttle."""
        return None

    def pick(self, queue: str, waiting: int) -> int:
        """Which of the waiting messages of a standard queue a receive takes next (0 is the oldest)."""
        return 0

    def skew_s(self, request_id: str) -> float:
        """By how many seconds the clock of an invocation is wrong."""
        return 0.0

    def again(self, queue: str, message_id: str) -> float | None:
        """After how many seconds a deleted message of a standard queue is delivered once more; None is never."""
        return None


def refuse(call: Call, code: str, message: str = "injected", status: int = 400) -> Reply:
    """An error answer: the call has no effect. ThrottlingException, or status 503, makes the SDK try again."""
    if call.service == "s3":
        return status, {}, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return status, {"x-amzn-errortype": code}, json.dumps({"__type": code, "message": message})


def lose_reply(apply: Apply) -> NoReturn:
    """The call has its effect, but the connection breaks before the answer: the SDK repeats it."""
    apply()
    raise ConnectionClosedError(endpoint_url="https://local")


def unreachable() -> NoReturn:
    """The call has no effect: no connection. The SDK repeats it a few times, then raises."""
    raise EndpointConnectionError(endpoint_url="https://local")


def crash(call: Call) -> NoReturn:
    """The process of the invocation dies here (out of memory, a host lost)."""
    invocation = call.invocation
    assert invocation is not None
    message = f"RequestId: {invocation.request_id} Error: Runtime exited with error: signal: killed"
    invocation.crash(failure("Runtime.ExitError", message, invocation.request_id))
    strand = current()
    if strand is not None:
        strand.call = None  # the thread serves another invocation next: its calls aren't attempts of this one
    raise Killed


def refuse_entries(call: Call, ids: Collection[str | int]) -> None:
    """Let SendMessageBatch (ids) or PutEvents (numbers) accept only the other entries; use it in `touches`."""
    call.notes["refuse"] = ids
