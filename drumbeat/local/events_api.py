"""PutEvents: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html."""

import json
from datetime import UTC
from typing import Any

from .meter import EVENT_UNIT, units
from .services import Answer, Call, ServiceError
from .sizes import entry_size
from .world import World, name_of


class EventsApi:
    """Operations by name, for the gateway."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.answers: dict[str, Answer] = {"PutEvents": self.put_events}

    def put_events(self, call: Call) -> dict[str, Any]:
        answers: list[dict[str, Any]] = []
        refused = call.notes.get("refuse", ())
        for number, entry in enumerate(call.params["Entries"]):
            try:
                if number in refused:
                    raise ServiceError("InternalFailure", "Internal failure.", 500)
                answers.append({"EventId": self._put(entry)})
            except ServiceError as error:
                answers.append({"ErrorCode": error.code, "ErrorMessage": error.message})
        return {"FailedEntryCount": sum("ErrorCode" in answer for answer in answers), "Entries": answers}

    def _put(self, entry: dict[str, Any]) -> str:
        for key in ("Source", "DetailType", "Detail"):
            if not entry.get(key):
                raise ServiceError(
                    "InvalidArgument", f"Parameter {key} is not valid. Reason: {key} is a required argument."
                )
        try:
            detail = json.loads(entry["Detail"])
        except ValueError as error:
            raise ServiceError("MalformedDetail", "Detail is malformed.") from error
        if not isinstance(detail, dict):
            raise ServiceError("MalformedDetail", "Detail is malformed.")
        self._world.meter.bill("events", units(entry_size(entry), EVENT_UNIT))
        moment = entry.get("Time")
        return self._world.bus.put(
            name_of(entry.get("EventBusName") or "default"),
            source=entry["Source"],
            detail_type=entry["DetailType"],
            detail=detail,
            resources=entry.get("Resources", ()),
            time=f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if moment is not None else None,
        )
