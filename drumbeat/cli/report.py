"""The result as one JSON document."""

import json
from typing import Any

from . import permissions
from .simulation import Result

_FIELDS = (
    *("id", "task", "state", "scheduled_at", "items", "succeeded", "failed", "chunks", "messages", "attempts"),
    *("dead_letters", "started_at", "completed_at"),
)


def document(result: Result, *, with_permissions: bool = False) -> dict[str, Any]:
    """Runs, AWS requests by service and operation, invocations by function, dollars; what roles needed, if asked."""
    return {
        "runs": [{field: getattr(run, field) for field in _FIELDS} for run in result.runs],
        "requests": result.requests,
        "invocations": result.invocations,
        "cost_usd": round(result.bill.dollars, 9),
        **({"permissions": permissions.document(result)} if with_permissions else {}),
    }


def text(result: Result, *, with_permissions: bool = False) -> str:
    """The document as text, for standard output."""
    return json.dumps(document(result, with_permissions=with_permissions), indent=2)
