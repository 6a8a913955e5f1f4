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
from dataclasses import KW_ONLY, dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from itertools import takewhile
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from .cron import YEAR, normalise, parse_cron
from .errors import InvalidSchedule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

_LONGEST_WINDOW = 1440  # minutes; FlexibleTimeWindow in the Scheduler API
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
            _zone(self.timezone)
        _require_aware(start=self.start, end=self.end)
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise InvalidSchedule(f"end {self.end} is not after start {self.start}; give a later end, or none")
        _require_window(self.window_minutes)

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
        _require_aware(after=after, until=until, anchor=anchor)
        if self.start is not None and self.start > after:
            after = self.start - _INSTANT
        last = min((limit for limit in (until, self.end) if limit is not None), default=None)
        return _through(self._instants(after.astimezone(UTC), anchor), last)

    def _instants(self, after: datetime, anchor: datetime | None) -> Iterator[datetime]:
        raise NotImplementedError

    def _described(self, text: str) -> str:
        start = f", from {self.start.isoformat()}" if self.start else ""
        end = f", to {self.end.isoformat()}" if self.end else ""
        return f"{text}{_within(self.window_minutes)}{start}{end}"


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
        zone = _zone(self.timezone)
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
        _require_window(self.window_minutes)

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
        _require_aware(after=after, until=until, anchor=anchor)
        return _through(iter([self.instant] if self.instant > after else []), until)

    @property
    def _local(self) -> datetime:
        assert isinstance(self.when, datetime)  # for the type: __post_init__ made it one
        return self.when

    def __str__(self) -> str:
        return f"{self.expression} {self.timezone}{_within(self.window_minutes)}"


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


def _through(instants: Iterator[datetime], last: datetime | None) -> Iterator[datetime]:
    return instants if last is None else takewhile(lambda instant: instant <= last, instants)


def _within(minutes: int) -> str:
    return f", within {minutes} min" if minutes else ""


def _zone(name: str) -> ZoneInfo:
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


def _require_aware(**given: datetime | None) -> None:
    for name, value in given.items():
        if value is not None and value.utcoffset() is None:
            raise InvalidSchedule(f"{name} {value} has no time zone; give it one: .replace(tzinfo=UTC)")


def _require_window(minutes: int) -> None:
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 0 <= minutes <= _LONGEST_WINDOW:
        raise InvalidSchedule(f"window_minutes {minutes!r}: 1 to {_LONGEST_WINDOW} minutes are allowed, or 0 for none")


def _parse_local(text: str) -> datetime:
    match = re.fullmatch(r"(at\()?([0-9]{4}(?:-[0-9]{2}){2}T[0-9]{2}(?::[0-9]{2}){2})(?(1)\))", text.strip())
    try:
        return datetime.fromisoformat(match[2] if match else "")
    except ValueError as error:
        raise InvalidSchedule(
            f"at {text!r}: a date and time yyyy-mm-ddThh:mm:ss is allowed, without offset; write for example "
            "'2026-03-29T02:30:00' and the zone as timezone=\"Europe/Berlin\", or pass an aware datetime"
        ) from error
