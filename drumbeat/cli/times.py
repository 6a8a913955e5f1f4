"""Instants on the command line: ISO 8601, always with a zone."""

import re
from datetime import UTC, datetime

from .edge import Refused

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def read_time(text: str, *, option: str) -> datetime:
    """Return the instant in UTC; raises Refused for anything that isn't one, or has no zone."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{option} {text!r} is no ISO 8601 time; write it like 2026-11-22T00:00:00Z") from None
    if time.tzinfo is None:
        example = f"{text}T00:00:00" if _DATE.fullmatch(text) else text
        raise Refused(f"{option} {text!r} has no time zone; write it like {example}Z or {example}+01:00")
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise Refused(f"{option} {text!r} is outside the years that a calendar has; choose another one") from None


def day_of(now: datetime) -> datetime:
    """The midnight UTC that began this day."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
