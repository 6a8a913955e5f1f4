"""Invoke a dispatcher asynchronously: how drumbeat's functions tell each other what is to be done."""

import json
from typing import Any

from .services import Services


def invoke(services: Services, function: str, event: dict[str, Any]) -> None:
    """Hand the event to Lambda, which keeps it until the function has taken it."""
    services.functions.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())
