"""Event patterns: moto's matcher, which is good, without the rest of moto's event bus."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from moto.events.models import EventPattern


@lru_cache(maxsize=1_024)
def _matcher(pattern: str) -> Any:
    return EventPattern.load(pattern)


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html."""
    return bool(_matcher(json.dumps(pattern)).matches_event(event))
