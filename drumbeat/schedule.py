"""When a task fires: Cron, Rate and At, the three kinds of schedule that EventBridge knows.

A schedule is a frozen value without a clock: `fires(after=...)` computes the instants, so that synth, the
local cloud, the plan and the command line agree. Instants are nominal: AWS delivers within the minute, or
within the flexible window after it.

Sources: EventBridge rules,
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html; EventBridge
Scheduler, https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html ("the guide" below) and
https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from .at import At
from .cron import YEAR, normalise, parse_cron
from .errors import InvalidSchedule
from .instants import require_aware, require_window, through, within, zone_named

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

_UNITS = ("minutes", "hours", "days")
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class _Recurring:
    """What Cron and Rate share: a zone, the first and last instant allowed, a flexible window, the fires."""

    timezone: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    window_minutes: int = 0

    def __post_init__(self) -> None:
        if self.timezone is not None:
            zone_named(self.timezone)
        require_aware(start=self.start, end=self.end)
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise InvalidSchedule(f"end {self.end} is not after start {self.start}; give a later end, or none")
        require_window(self.window_minutes)

    @property
    def needs_scheduler(self) -> bool:
        """True where a rule can't serve: rules are in UTC, without start, end and flexible window."""
        return bool(self.timezone is not None or self.start or self.end or self.window_minutes)

    def fires(
        self, *, after: datetime, until: datetime | None = None, anchor: datetime | None = None
    ) -> Iterator[datetime]:
        """Yield the fires after `after`, up to and including `until`, as ascending instants in UTC, lazily.

        `start` and `end` are included: "on, or after, the StartDate", "on, or before, the EndDate"
        (CreateSchedule). `anchor`, the creation of the rule or schedule, matters to a Rate only.
        """
        require_aware(after=after, until=until, anchor=anchor)
        if self.start is not None and self.start > after:
            after = self.start - _INSTANT
        last = min((limit for limit in (until, self.end) if limit is not None), default=None)
        return through(self._instants(after.astimezone(UTC), anchor), last)

    def _instants(self, after: datetime, anchor: datetime | None) -> Iterator[datetime]:
        raise NotImplementedError

    def _described(self, text: str) -> str:
        start = f", from {self.start.isoformat()}" if self.start else ""
        end = f", to {self.end.isoformat()}" if self.end else ""
        return f"{text}{within(self.window_minutes)}{start}{end}"


@dataclass(frozen=True)
class Cron(_Recurring):
    """Fires at the times of an AWS cron expression, "0 0 * * ? *", wrapped in cron() or not.

    `expression` is kept as AWS wants it, "cron(0 0 * * ? *)". In UTC, or in the IANA time zone `timezone`.

    Changes of clocks, as the guide says: a time that the spring skips does not fire ("your schedule
    invocation is skipped"); a time that the autumn doubles fires once, at its first occurrence ("only once at
    2:30 a.m. before the shift occurs, but does not repeat"). We read that of every expression, so that one that
    fires each minute pauses for the second pass of the doubled hour.
    """

    expression: str

    def __post_init__(self) -> None:
        fields = normalise(self.expression)
        parse_cron(fields)
        object.__setattr__(self, "expression", f"cron({fields})")
        super().__post_init__()

    def _instants(self, after: datetime, anchor: datetime | None) -> Iterator[datetime]:
        del anchor
        after = max(after, datetime(YEAR.low - 1, 12, 30, tzinfo=UTC))  # a day's margin for zones
        if after.year > YEAR.high:
            return
        zone = ZoneInfo(self.timezone) if self.timezone else UTC
        wall = after.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
        for at in parse_cron(normalise(self.expression)).wall_times(wall):
            fire = at.replace(tzinfo=zone).astimezone(UTC)  # fold=0: the first of a doubled time
            if fire > after and (zone is UTC or fire.astimezone(zone).replace(tzinfo=None) == at):
                yield fire

    def __str__(self) -> str:
        return self._described(f"{self.expression} {self.timezone or 'UTC'}")


@dataclass(frozen=True, kw_only=True)
class Rate(_Recurring):
    """Fires every so many minutes, hours or days; give exactly one, a positive integer.

    A day is 24 hours, whatever the clocks do (the guide). A rate counts from `start`, or else from `anchor`:

    - a schedule of EventBridge Scheduler fires at `start`, which sets "the first occurrence", or without one
      "immediately" (the guide): the anchor is a fire;
    - a rule "starts when you create" it (the rules' guide): we read that the first fire is one interval
      later, so the anchor is none. `needs_scheduler` tells which of the two it is.

    Without `anchor` and `start`, `fires` counts from `after`, as if the schedule were made at that instant.
    """

    minutes: int | None = None
    hours: int | None = None
    days: int | None = None

    def __post_init__(self) -> None:
        given = {unit: getattr(self, unit) for unit in _UNITS if getattr(self, unit) is not None}
        if len(given) != 1:
            raise InvalidSchedule(
                f"a rate has exactly one of minutes, hours and days, {len(given)} given ({given}); "
                "give one, such as Rate(minutes=90) for an hour and a half"
            )
        ((unit, value),) = given.items()
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= timedelta.max.days:
            raise InvalidSchedule(
                f"rate of {value!r} {unit}: a positive integer is allowed; give one, or a smaller unit "
                "(a minute is the smallest)"
            )
        super().__post_init__()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the rate of "rate(5 minutes)"; the unit is singular for 1 and plural above.

        Rules refuse "rate(1 hours)". Scheduler's guide shows "rate(1 days)" and its API lists both forms; we
        ask for the one that both services take.
        """
        match = re.fullmatch(r"\s*rate\(\s*([0-9]{1,12})\s+(minute|hour|day)(s?)\s*\)\s*", text)
        if match is None:
            raise InvalidSchedule(
                f"rate {text!r}: a positive number and one of minutes, hours and days are allowed; "
                "write 'rate(5 minutes)'"
            )
        value, unit = int(match[1]), match[2]
        if (match[3] == "s") == (value == 1):
            number, right = ("singular", unit) if value == 1 else ("plural", f"{unit}s")
            raise InvalidSchedule(
                f"rate {text!r}: AWS wants the unit in the {number} after {value}; write 'rate({value} {right})'"
            )
        given = {unit: value}
        return cls(minutes=given.get("minute"), hours=given.get("hour"), days=given.get("day"))

    @property
    def expression(self) -> str:
        """The rate as AWS wants it, "rate(1 hour)", "rate(5 minutes)"."""
        unit, value = self._given
        return f"rate({value} {unit.removesuffix('s') if value == 1 else unit})"

    @property
    def interval(self) -> timedelta:
        unit, value = self._given
        return timedelta(**{unit: value})

    @property
    def _given(self) -> tuple[str, int]:
        return next((unit, value) for unit in _UNITS if (value := getattr(self, unit)) is not None)

    def _instants(self, after: datetime, anchor: datetime | None) -> Iterator[datetime]:
        origin = (self.start or anchor or after).astimezone(UTC)
        count = max(0 if self.needs_scheduler else 1, (after - origin) // self.interval + 1)
        try:
            while True:
                yield origin + count * self.interval
                count += 1
        except OverflowError:  # past the year 9999
            return

    def __str__(self) -> str:
        return self._described(self.expression)


Schedule = Cron | Rate | At


def parse_schedule(
    text: str,
    timezone: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    window_minutes: int = 0,
) -> Schedule:
    """Return the schedule of "cron(...)", "rate(...)" or "at(...)", as a template gives it.

    For at(), `start` and `end` are left out, as AWS "ignores" them "for one-time schedules" (CreateSchedule).
    """
    kind = text.strip().partition("(")[0]
    if kind == "cron":
        return Cron(text, timezone=timezone, start=start, end=end, window_minutes=window_minutes)
    if kind == "rate":
        rate = Rate.parse(text)
        return replace(rate, timezone=timezone, start=start, end=end, window_minutes=window_minutes)
    if kind == "at":
        return At(text, timezone="UTC" if timezone is None else timezone, window_minutes=window_minutes)
    raise InvalidSchedule(
        f"schedule {text!r}: none of cron(...), rate(...) and at(...); write for example "
        "'cron(0 0 * * ? *)', 'rate(5 minutes)' or 'at(2026-03-29T02:30:00)'"
    )
