"""How the state of a run and its counts are said, in tables and lines alike."""

from datetime import timedelta
from typing import TYPE_CHECKING

from drumbeat.run import parse_time

from .plain import plain

if TYPE_CHECKING:
    from drumbeat.control import Status
    from drumbeat.ledger.count import Totals

_COLORS = {
    "SUCCEEDED": "green",
    "FAILED": "bold red",
    "UPSTREAM_FAILED": "red",
    "CANCELLED": "yellow",
    "RUNNING": "cyan",
    "WAITING": "cyan",
}


def state(status: "Status") -> str:
    """The state in its colour, with what the run is at."""
    name, phase = status.record.state, status.phase
    return f"[{_COLORS.get(name, 'yellow')}]{name}[/]{f' ({phase})' if phase else ''}"


def counts(status: "Status") -> str:
    """How many items are done, failed and dropped."""
    totals, items = status.totals, status.items
    of = f"{status.done:,} items so far" if items is None else f"{status.done:,} of {items:,} items"
    failed = f", [red]{totals.failed:,} failed[/]" if totals.failed else ""
    dropped = f", {totals.dropped:,} dropped" if totals.dropped else ""
    return f"{of}{failed}{dropped}"


def ending(status: "Status") -> str:
    """How a run has ended, in a line."""
    record = status.record
    why = f": {plain(record.reason)}" if record.reason else ""
    return f"[cyan]{plain(record.id)}[/] {state(status)} {counts(status)}{took(status)}{why}"


def took(status: "Status") -> str:
    """How long the run took, if it has begun and ended."""
    record = status.record
    if not record.started_at or not record.completed_at:
        return ""
    return f", in {span(parse_time(record.completed_at) - parse_time(record.started_at))}"


def worked(totals: "Totals") -> str:
    """How long workers took for the items, and for one attempt at one; nothing if they took no time."""
    if not totals.worked_ms or not totals.attempts:
        return ""
    seconds = totals.worked_ms / 1000
    length = f"{seconds:.3g} s" if seconds < 1 else span(timedelta(seconds=seconds))
    return f"{length}, {seconds / totals.attempts:.3g} s an attempt"


def span(length: timedelta) -> str:
    """Write a span like 16 s, 3 min 9 s, 24 h 0 min."""
    minutes, seconds = divmod(max(0, round(length.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
