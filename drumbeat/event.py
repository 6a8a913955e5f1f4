"""Events that start runs: a pattern for EventBridge's default bus."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import InvalidTask

_FIELDS = ("source", "detail_type", "detail", "account", "region", "resources")


@dataclass(frozen=True, init=False)
class Event:
    """An event pattern, in EventBridge's own words: each event that matches starts a run.

    `Event(source="my.shop", detail_type="Catalogue changed", detail={"size": [{"numeric": [">", 100]}]})`; a plain text
    stands for a list of one.  The run is named by the event's id, and has the whole event in `run.params["event"]`.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
    """

    pattern: Mapping[str, Any] = field(hash=False)

    def __init__(self, **fields: Any) -> None:
        unknown = sorted(set(fields) - set(_FIELDS))
        if unknown or not fields:
            raise InvalidTask(
                f"Event({', '.join(unknown)}): one or more of {', '.join(_FIELDS)} are expected, as in "
                'Event(source="my.shop", detail_type="Catalogue changed")'
            )
        pattern = {
            name.replace("_", "-"): _listed(value) if name != "detail" else value for name, value in fields.items()
        }
        if not isinstance(pattern.get("detail", {}), Mapping):
            raise InvalidTask(
                f'Event(detail={pattern["detail"]!r}): an object is expected, like {{"state": ["ready"]}}'
            )
        try:
            json.dumps(pattern)
        except (TypeError, ValueError) as error:
            raise InvalidTask(
                f"Event: the pattern isn't JSON ({error}); write texts, numbers, lists and dicts"
            ) from None
        object.__setattr__(self, "pattern", pattern)


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else [value]
