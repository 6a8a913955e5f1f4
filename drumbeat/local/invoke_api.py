"""Lambda's Invoke: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html."""

import io
import json
from typing import Any

from botocore.response import StreamingBody

from .baton import current
from .functions import Recursive, Throttled
from .sandbox import Outcome
from .services import Answer, Call, ServiceError
from .world import World, function_name

SYNC_BYTES = 6 * 1024 * 1024


class InvokeApi:
    """Operations by name, for the gateway."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.answers: dict[str, Answer] = {"Invoke": self.invoke}

    def invoke(self, call: Call) -> dict[str, Any]:
        world, params = self._world, call.params
        name = function_name(params["FunctionName"])
        if world.functions.function(name) is None:
            arn = f"arn:aws:lambda:{world.deployment.region}:{world.deployment.account}:function:{name}"
            raise ServiceError("ResourceNotFoundException", f"Function not found: {arn}", 404)
        payload = _bytes(params.get("Payload"))
        try:
            event = json.loads(payload) if payload else {}
        except ValueError as error:
            raise ServiceError(
                "InvalidRequestContentException", f"Could not parse request body into json: {error}"
            ) from error
        kind = params.get("InvocationType", "RequestResponse")
        source = call.invocation.function.name if call.invocation is not None else "operator"
        lineage = call.invocation.lineage if call.invocation is not None else None
        if kind == "DryRun":
            return {"StatusCode": 204, "Payload": _stream(b"")}
        if kind == "Event":
            world.async_queue.accept(name, payload or b"{}", source=source, lineage=lineage)
            return {"StatusCode": 202, "Payload": _stream(b"")}
        outcome = self._synchronous(name, event, source, lineage)
        answer = {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": _stream(outcome.payload)}
        if outcome.error is not None:
            answer["FunctionError"] = outcome.error
        return answer

    def _synchronous(self, name: str, event: Any, source: str, lineage: Any) -> Outcome:
        world, strand = self._world, current()
        outcomes: list[Outcome] = []

        def done(outcome: Outcome) -> None:
            outcomes.append(outcome)
            if strand is not None:
                strand.unpark()

        try:
            world.functions.start(name, event, done, source=source, lineage=lineage)
        except Throttled as error:
            raise ServiceError(
                "TooManyRequestsException", "Rate Exceeded.", 429, fields={"Reason": error.reason}
            ) from error
        except Recursive as error:
            raise ServiceError(
                "RecursiveInvocationException", "Lambda detected a recursive loop and stopped it."
            ) from error
        while not outcomes:
            if strand is not None:
                strand.park()
            else:
                world.loop.run(world.clock.ns + 3_600 * 1_000_000_000, lambda: bool(outcomes))
        return outcomes[0]


def _bytes(payload: Any) -> bytes:
    if payload is None:
        return b""
    if isinstance(payload, str):
        return payload.encode()
    return bytes(payload) if isinstance(payload, bytes | bytearray) else payload.read()


def _stream(payload: bytes) -> StreamingBody:
    return StreamingBody(io.BytesIO(payload), len(payload))
