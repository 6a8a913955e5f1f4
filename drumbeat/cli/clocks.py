"""Fires in local time, with what changes of clocks do to them: skipped, doubled, shifted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from drumbeat.at import At
from drumbeat.schedule import Cron, Rate


@dataclass(frozen=True)
class Row:
    """A fire, or in its place the local times that the clocks skip: then `fire` is None."""

    fire: datetime | None
    local: str
    note: str = ""


def rows(schedule: Cron | Rate | At, since: datetime, fires: Sequence[datetime]) -> Iterator[Row]:
    """Tell each fire in the schedule's own time zone, with notes."""
    zone = ZoneInfo(schedule.timezone or "UTC")
    before = since
    for fire in fires:
        if isinstance(schedule, Cron):
            yield from _skipped(schedule, zone, before, fire)
        yield Row(
            fire, _written(fire.astimezone(zone)), "; ".join(_notes(before.astimezone(zone), fire.astimezone(zone)))
        )
        before = fire


def _skipped(schedule: Cron, zone: ZoneInfo, before: datetime, fire: datetime) -> Iterator[Row]:
    """The times between two fires that the expression asks for and that the zone's clocks don't show."""
    if schedule.start is not None:
        before = max(before, schedule.start)
    walls = Cron(schedule.expression).fires(after=_wall(before, zone), until=_wall(fire, zone))
    missing = [wall for wall in walls if _wall(wall.replace(tzinfo=zone), zone) != wall]
    if missing:
        first, last = (f"{wall:%Y-%m-%d %H:%M:%S}" for wall in (missing[0], missing[-1]))
        if len(missing) == 1:
            yield Row(None, first, "skipped: that night the clocks go past it")
        else:
            yield Row(None, f"{first} to {last[-8:]}", f"{len(missing)} skipped: that night the clocks go past them")


def _notes(before: datetime, fire: datetime) -> Iterator[str]:
    if fire.replace(fold=0).utcoffset() != fire.replace(fold=1).utcoffset():
        yield "comes twice that night, fires the first time only"
    if fire.utcoffset() != before.utcoffset():
        yield f"the clocks have changed: {_offset(fire)}, before {_offset(before)}"


def _offset(time: datetime) -> str:
    return f"UTC{time.isoformat()[-6:]}"


def _wall(time: datetime, zone: ZoneInfo) -> datetime:
    """What a clock of the zone shows, as if it were UTC."""
    return time.astimezone(UTC).astimezone(zone).replace(tzinfo=UTC, fold=0)


def _written(time: datetime) -> str:
    name = time.tzname() or ""
    return f"{time:%a} {time.isoformat(sep=' ')} {name if name.isalpha() else ''}".rstrip()
