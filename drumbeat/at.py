"""One-time schedules of EventBridge Scheduler.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .errors import InvalidSchedule
from .instants import require_aware, require_window, through, within, zone_named

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class At:
    """Fires once, at a date and time in `timezone`: "at(2026-03-29T02:30:00)".

    `when` is text in that form, a datetime without a zone (both local times in `timezone`), or one with a
    zone, which is converted. It is kept as the aware local time; `instant` is the same in UTC. Whole seconds
    only. A local time that a change of clocks skips is refused, as AWS doesn't say what it does with it; of a
    doubled one, the first is meant (as for Cron).
    """

    when: datetime | str
    _: KW_ONLY
    timezone: str = "UTC"
    window_minutes: int = 0

    def __post_init__(self) -> None:
        zone = zone_named(self.timezone)
        when = _parse_local(self.when) if isinstance(self.when, str) else self.when
        if when.microsecond:
            raise InvalidSchedule(f"at {when.isoformat()}: only whole seconds are allowed; .replace(microsecond=0)")
        local = when.replace(tzinfo=zone, fold=0) if when.tzinfo is None else when.astimezone(zone)
        if local.utcoffset() != local.replace(fold=0).utcoffset():
            raise InvalidSchedule(
                f"at {when.isoformat()}: this is the second {local:%H:%M:%S} of a day on which "
                f"{self.timezone} puts its clocks back, and at() means the first; give the instant in UTC"
            )
        shown = local.astimezone(UTC).astimezone(zone)
        if shown.replace(tzinfo=None) != local.replace(tzinfo=None):
            raise InvalidSchedule(
                f"at {local:%Y-%m-%dT%H:%M:%S}: {self.timezone} has no such time, its clocks skip it, and "
                f"AWS doesn't say what it does then; write {shown:%Y-%m-%dT%H:%M:%S}, or the instant in UTC"
            )
        object.__setattr__(self, "when", local.replace(fold=0))
        require_window(self.window_minutes)

    @property
    def expression(self) -> str:
        """The time as AWS wants it, local to `timezone`: "at(2026-03-29T02:30:00)"."""
        return f"at({self._local.replace(tzinfo=None).isoformat()})"

    @property
    def instant(self) -> datetime:
        """The one fire, in UTC."""
        return self._local.astimezone(UTC)

    @property
    def needs_scheduler(self) -> bool:
        """True: rules have no one-time schedules."""
        return True

    def fires(
        self, *, after: datetime, until: datetime | None = None, anchor: datetime | None = None
    ) -> Iterator[datetime]:
        """Yield the one fire, if it is after `after` and not after `until`; `anchor` doesn't matter."""
        require_aware(after=after, until=until, anchor=anchor)
        return through(iter([self.instant] if self.instant > after else []), until)

    @property
    def _local(self) -> datetime:
        assert isinstance(self.when, datetime)  # for the type: __post_init__ made it one
        return self.when

    def __str__(self) -> str:
        return f"{self.expression} {self.timezone}{within(self.window_minutes)}"


def _parse_local(text: str) -> datetime:
    match = re.fullmatch(r"(at\()?([0-9]{4}(?:-[0-9]{2}){2}T[0-9]{2}(?::[0-9]{2}){2})(?(1)\))", text.strip())
    try:
        return datetime.fromisoformat(match[2] if match else "")
    except ValueError as error:
        raise InvalidSchedule(
            f"at {text!r}: a date and time yyyy-mm-ddThh:mm:ss is allowed, without offset; write for example "
            "'2026-03-29T02:30:00' and the zone as timezone=\"Europe/Berlin\", or pass an aware datetime"
        ) from error
