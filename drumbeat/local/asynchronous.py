"""Asynchronous invocations: Lambda's own queue, its retries, destinations and dead-letter queue.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html: two retries after a function error,
one and two minutes later; throttles are retried with growing pauses of 1 s to 5 min until the event is too old;
with a reserved concurrency of zero there is no retry.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .clock import SECOND, to_datetime
from .functions import Recursive, Throttled
from .sandbox import Outcome
from .world import World

RETRY_AFTER_S = (60, 120)
LONGEST_PAUSE_S = 300


@dataclass(slots=True)
class AsyncEvent:
    """An event on its way to a function."""

    function: str
    payload: Any
    request_id: str
    source: str
    accepted_ns: int
    lineage: Mapping[str, int] = field(default_factory=dict)
    errors: int = 0
    throttles: int = 0


class AsyncQueue:
    """Accepts events and sees them through."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = world.seeds.stream("async")
        self.pending = 0  # accepted, not yet finished with

    def accept(self, function: str, payload: Any, *, source: str, lineage: Mapping[str, int] | None = None) -> str:
        """Queue an event; returns the request id that all its attempts have."""
        world = self._world
        event = AsyncEvent(function, payload, world.uuid(self._rng), source, world.clock.ns, lineage or {})
        self.pending += 1
        world.loop.after(world.latency.draw(world.latency.async_queue, self._rng), self._attempt, event)
        return event.request_id

    def _attempt(self, event: AsyncEvent) -> None:
        world = self._world
        function = world.functions.function(event.function)
        if function is None:
            self.pending -= 1
            return
        try:
            world.functions.start(
                event.function,
                json.loads(event.payload) if isinstance(event.payload, str | bytes) else event.payload,
                lambda outcome: self._done(event, outcome),
                source=event.source,
                lineage=event.lineage,
                request_id=event.request_id,
                synchronous=False,
            )
        except Throttled:
            self._throttled(event)
        except Recursive:
            self._give_up(event, None, "RecursiveInvocation")

    def _throttled(self, event: AsyncEvent) -> None:
        world = self._world
        function = world.functions.function(event.function)
        assert function is not None
        world.log.add("async.throttled", event.function, id=event.request_id)
        if function.reserved_concurrency == 0:
            self._give_up(event, None, "ZeroReservedConcurrency")
            return
        pause = min(2**event.throttles, LONGEST_PAUSE_S) * (0.5 + self._rng.random())
        event.throttles += 1
        self._again(event, int(pause * SECOND), None)

    def _done(self, event: AsyncEvent, outcome: Outcome) -> None:
        function = self._world.functions.function(event.function)
        assert function is not None
        if outcome.ok:
            self.pending -= 1
            if function.on_success_arn:
                record = self._record(event, outcome, "Success")
                self._world.delivery.destination(function.on_success_arn, record, role_arn=function.role_arn)
            return
        event.errors += 1
        if event.errors > function.max_retry_attempts:
            self._give_up(event, outcome, "RetriesExhausted")
            return
        self._again(event, RETRY_AFTER_S[min(event.errors, len(RETRY_AFTER_S)) - 1] * SECOND, outcome)

    def _again(self, event: AsyncEvent, pause: int, outcome: Outcome | None) -> None:
        world = self._world
        function = world.functions.function(event.function)
        assert function is not None
        if world.clock.ns + pause - event.accepted_ns > function.max_event_age_s * SECOND:
            self._give_up(event, outcome, "EventAgeExceeded")
            return
        world.loop.after(pause, self._attempt, event)

    def _give_up(self, event: AsyncEvent, outcome: Outcome | None, condition: str) -> None:
        world = self._world
        self.pending -= 1
        world.log.add("async.failed", event.function, id=event.request_id, condition=condition)
        function = world.functions.function(event.function)
        assert function is not None
        if function.on_failure_arn:
            record = self._record(event, outcome, condition)
            world.delivery.destination(function.on_failure_arn, record, role_arn=function.role_arn)
        if function.dead_letter_arn:
            attributes = {
                "RequestID": {"DataType": "String", "StringValue": event.request_id},
                "ErrorCode": {"DataType": "Number", "StringValue": "200"},
                "ErrorMessage": {"DataType": "String", "StringValue": outcome.message if outcome else condition},
            }
            world.delivery.dead_letter(
                function.dead_letter_arn,
                _text(event.payload),
                attributes=attributes,
                function_arn=function.arn,
                role_arn=function.role_arn,
            )

    def _record(self, event: AsyncEvent, outcome: Outcome | None, condition: str) -> dict[str, Any]:
        """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html."""
        world = self._world
        function = world.functions.function(event.function)
        assert function is not None
        now = to_datetime(world.clock.ns)
        record: dict[str, Any] = {
            "version": "1.0",
            "timestamp": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z",
            "requestContext": {
                "requestId": event.request_id,
                "functionArn": f"{function.arn}:$LATEST",
                "condition": condition,
                "approximateInvokeCount": event.errors + (condition == "Success"),
            },
            "requestPayload": json.loads(_text(event.payload)),
        }
        if outcome is not None:
            record["responseContext"] = {"statusCode": 200, "executedVersion": "$LATEST"}
            if outcome.error:
                record["responseContext"]["functionError"] = outcome.error
            record["responsePayload"] = outcome.value()
        return record


def _text(payload: Any) -> str:
    if isinstance(payload, bytes):
        return payload.decode()
    return payload if isinstance(payload, str) else json.dumps(payload)
