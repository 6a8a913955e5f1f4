"""What all schedules share: time zones by name, instants that know theirs, windows."""

from __future__ import annotations

from difflib import get_close_matches
from itertools import takewhile
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from .errors import InvalidSchedule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_LONGEST_WINDOW = 1440  # minutes; FlexibleTimeWindow in the Scheduler API


def through(instants: Iterator[datetime], last: datetime | None) -> Iterator[datetime]:
    return instants if last is None else takewhile(lambda instant: instant <= last, instants)


def within(minutes: int) -> str:
    return f", within {minutes} min" if minutes else ""


def zone_named(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, malformed, or a folder such as "America"
        known = sorted(available_timezones())
    if not known:
        raise InvalidSchedule(f"time zone {name!r}: this Python knows no time zones; install the package tzdata")
    lower = {zone.lower(): zone for zone in known}
    wanted = name.lower().replace(" ", "_")
    close = [zone for zone in known if zone.lower().endswith(f"/{wanted}")]
    close += [lower[match] for match in get_close_matches(wanted, lower, n=3)]
    meant = f"did you mean {' or '.join(dict.fromkeys(close))}?" if close else "write it as Continent/City"
    raise InvalidSchedule(f"time zone {name!r} is not in the IANA time zone database; {meant}")


def require_aware(**given: datetime | None) -> None:
    for name, value in given.items():
        if value is not None and value.utcoffset() is None:
            raise InvalidSchedule(f"{name} {value} has no time zone; give it one: .replace(tzinfo=UTC)")


def require_window(minutes: int) -> None:
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 0 <= minutes <= _LONGEST_WINDOW:
        raise InvalidSchedule(f"window_minutes {minutes!r}: 1 to {_LONGEST_WINDOW} minutes are allowed, or 0 for none")
