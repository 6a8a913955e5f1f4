"""What commands print with --json, as plain values."""

import json
import sys
from typing import TYPE_CHECKING, Any

from drumbeat.run import format_time

from .plain import visible_json

if TYPE_CHECKING:
    from drumbeat.control import ErrorCount, Failure, ScheduleEntry, ScheduleView, Status
    from drumbeat.ledger.backfills import Backfill

_OF_RECORD = (
    "id",
    "task",
    "name",
    "scheduled_at",
    "state",
    "reason",
    "blocked_by",
    "lane",
    "started_at",
    "completed_at",
)


def put(document: Any) -> None:
    """Print a document on standard output."""
    sys.stdout.write(visible_json(json.dumps(document, indent=2, ensure_ascii=False)) + "\n")


def run(status: "Status") -> dict[str, Any]:
    """A run with the counts of this moment; `items` is null while it isn't known how many there are."""
    record, totals = status.record, status.totals
    return {
        **{name: getattr(record, name) for name in _OF_RECORD},
        "params": json.loads(record.params) if record.params else {},
        "items": status.items,
        "succeeded": totals.succeeded,
        "failed": totals.failed,
        "dropped": totals.dropped,
        "attempts": totals.attempts,
        "worked_seconds": totals.worked_ms / 1000,
        "chunks": record.chunks,
        "parts": record.parts,
        "redrives": record.round,
        "result": record.result,
    }


def failure(found: "Failure") -> dict[str, Any]:
    """An item that was given up."""
    return {
        "number": found.number,
        "item": found.item,
        "error_type": found.error_type,
        "error": found.error,
        "attempts": found.attempts,
        "died_at": found.died_at,
        "chunk": found.chunk,
        "request_id": found.request_id,
    }


def error(found: "ErrorCount") -> dict[str, Any]:
    """An error and how often it came."""
    return {"error": found.error, "count": found.count, "numbers": found.numbers}


def backfill(found: "Backfill") -> dict[str, Any]:
    """A backfill as it stands."""
    names = ("task", "first", "last", "order", "only", "max_active", "state", "cursor", "opened")
    return {**{name: getattr(found, name) for name in names}, "active": sorted(found.runs)}


def schedule(view: "ScheduleView") -> dict[str, Any]:
    """A schedule with all that it says."""
    start, end = getattr(view.schedule, "start", None), getattr(view.schedule, "end", None)
    return {
        "task": view.task,
        "name": view.name,
        "schedule": view.schedule.expression,
        "timezone": view.schedule.timezone or "UTC",
        "start": format_time(start) if start else None,
        "end": format_time(end) if end else None,
        "window_minutes": view.schedule.window_minutes,
        "params": dict(view.params),
        "enabled": view.enabled,
    }


def entry(found: "ScheduleEntry") -> dict[str, Any]:
    """A schedule as a list has it."""
    return {
        "task": found.task,
        "name": found.name,
        "enabled": found.enabled,
        "changed_at": format_time(found.changed_at),
    }
