"""AWS's cron expressions: six fields read into the minutes, hours, days, months and years they name.

Our own parser, because a task file is imported inside Lambda, where core has the standard library only, and
no library has the whole dialect: croniter and cronsim lack `?` and 1=SUN; pyawscron doesn't validate and stops
after ten steps; aws-cron-expression-validator only validates; aws-croniter gives up after ten steps, fails
on `LW` and never fires on a lone `L`. The last is the oracle in our tests, where it is right.

Sources: the field table, wildcards and examples of
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html, the same as in
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html. Where they are silent, Quartz, as
the dialect is its own: https://www.quartz-scheduler.org/api/2.3.0/org/quartz/CronExpression.html. Where
Quartz guesses (a list with `L` or `W`, an increment behind a name), we refuse and say what to write.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn

from .errors import InvalidSchedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Days = Callable[[int, int], Sequence[int]]

_PART = re.compile(r"(?:\*|(?P<low>[A-Z]+|[0-9]+)(?:-(?P<high>[A-Z]+|[0-9]+))?)(?:/(?P<step>[0-9]+))?")
_SATURDAY, _SUNDAY = 5, 6  # as datetime counts
_NTH = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5}
_LONGEST = 256  # characters; ScheduleExpression in both APIs


@dataclass(frozen=True)
class Field:
    """One of the six fields: its values, their names, the wildcards AWS lists for it."""

    name: str
    low: int
    high: int
    wildcards: str
    names: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        named = f" or {self.names[0]}-{self.names[-1]}" if self.names else ""
        return f"{self.low}-{self.high}{named} and the wildcards {self.wildcards}"

    def refuse(self, expression: str, value: str, remedy: str) -> NoReturn:
        msg = f"cron expression {expression!r}, field {self.name}: {value!r} is not valid"
        raise InvalidSchedule(f"{msg}, allowed are {self.allowed}; {remedy}")


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

MINUTES = Field("minutes", 0, 59, ", - * /")
HOURS = Field("hours", 0, 23, ", - * /")
DAY_OF_MONTH = Field("day-of-month", 1, 31, ", - * ? / L W")
MONTH = Field("month", 1, 12, ", - * /", _MONTHS)
DAY_OF_WEEK = Field("day-of-week", 1, 7, ", - * ? L #", _WEEKDAYS)
YEAR = Field("year", 1970, 2199, ", - * /")


@dataclass(frozen=True, eq=False, slots=True)
class CronFields:
    """What an expression names: years, months, a month's days, a day's times, all ascending."""

    years: tuple[int, ...]
    months: tuple[int, ...]
    days: Days
    times: tuple[time, ...]

    def wall_times(self, start: datetime) -> Iterator[datetime]:
        """Yield the wall-clock times from `start` on, ascending, without a zone.

        Jumps from field to field: the cost is that of the months passed over, not of the minutes.
        """
        first = start.date()
        for year in self.years[bisect_left(self.years, first.year) :]:
            for month in self.months:
                if (year, month) < (first.year, first.month):
                    continue
                for day in self.days(year, month):
                    on = date(year, month, day)
                    if on >= first:
                        skip = bisect_left(self.times, start.time()) if on == first else 0
                        yield from (datetime.combine(on, at) for at in self.times[skip:])


@lru_cache(maxsize=256)
def parse_cron(expression: str) -> CronFields:
    """Return what a normalised expression names; raise InvalidSchedule where AWS would refuse it."""
    minutes, hours, day_of_month, month, day_of_week, year = expression.split()
    if (day_of_month == "?") == (day_of_week == "?"):
        _refuse_day_fields(expression)
    by_month = day_of_week == "?"
    clock = _values(expression, HOURS, hours), _values(expression, MINUTES, minutes)
    fields = CronFields(
        years=_values(expression, YEAR, year),
        months=_values(expression, MONTH, month),
        days=_days_of_month(expression, day_of_month) if by_month else _days_of_week(expression, day_of_week),
        times=tuple(time(hour, minute) for hour in clock[0] for minute in clock[1]),
    )
    if next(fields.wall_times(datetime(YEAR.low, 1, 1)), None) is None:  # noqa: DTZ001 - wall-clock times have no zone
        days = f"day-of-month {day_of_month!r}" if by_month else f"day-of-week {day_of_week!r}"
        raise InvalidSchedule(
            f"cron expression {expression!r} can never fire: no month {month!r} of the years {year!r} has "
            f"{days}; name a day that these months have (L is the last day of any month)"
        )
    return fields


def normalise(expression: str) -> str:
    """Return the six fields in capitals, one space between, without the wrapping cron().

    Scheduler's guide lets the year be left out; rules don't, so we ask for all six.
    """
    text = " ".join(expression.split()).upper()
    if not text.isascii() or len(text) > _LONGEST:
        raise InvalidSchedule(f"cron expression {expression!r}: {_LONGEST} ASCII characters are allowed; shorten it")
    if wrapped := re.fullmatch(r"CRON ?\((.*)\)", text):
        text = wrapped[1].strip()
    fields = text.split()
    if len(fields) != len(("minutes", "hours", "day-of-month", "month", "day-of-week", "year")):
        _refuse_count(expression, fields)
    return text


def _values(expression: str, field: Field, text: str) -> tuple[int, ...]:
    """Return the values that a list of numbers, names, ranges and increments names."""
    return tuple(sorted({value for part in text.split(",") for value in _part(expression, field, part)}))


def _part(expression: str, field: Field, part: str) -> range | list[int]:
    match = _PART.fullmatch(part)
    if match is None:
        field.refuse(expression, part, _remedy(field, part))
    low, high, step = match["low"], match["high"], match["step"]
    if step is not None and "/" not in field.wildcards:
        field.refuse(expression, part, "list the values instead, such as MON,WED,FRI")
    if step is not None and low and low.isalpha():
        field.refuse(expression, part, "put numbers, not names, before an increment")
    if low and high and low.isalpha() != high.isalpha():
        field.refuse(expression, part, "write both ends of a range as numbers or both as names")
    by = int(step or 1)
    if not 1 <= by <= field.high:
        field.refuse(expression, part, f"the increment must be 1 to {field.high}")
    first = _number(expression, field, low) if low else field.low
    end = high or (low if step is None else None)
    last = _number(expression, field, end) if end else field.high
    if first <= last:
        return range(first, last + 1, by)
    if field is YEAR:
        field.refuse(expression, part, f"years don't wrap around, write {last}-{first}")
    size = field.high - field.low + 1  # wraps: hours 20-2 are 20, 21, 22, 23, 0, 1, 2 (an example of AWS's)
    return [(value - field.low) % size + field.low for value in range(first, last + size + 1, by)]


def _number(expression: str, field: Field, text: str) -> int:
    if text in field.names:
        return field.names.index(text) + field.low
    if not text.isdigit() or not field.low <= int(text) <= field.high:
        field.refuse(expression, text, _remedy(field, text))
    return int(text)


def _remedy(field: Field, text: str) -> str:
    """Say what to write instead, for the slips that are known from other crons."""
    short = next((name for name in field.names if text.startswith(name)), None)
    foreign = next((wildcard for wildcard in "LW#" if wildcard in text and wildcard not in field.wildcards), None)
    step = f", or an increment such as {field.low}/2" if "/" in field.wildcards else ""
    alone = "? stands alone, in one of the two day fields" if "?" in field.wildcards else "write *"
    remedies = (
        (not text, "remove the comma that has nothing beside it"),
        (text.isalpha() and short, f"names have three letters, write {short}"),
        (text == "0" and field is DAY_OF_WEEK, "AWS counts 1-7 from Sunday, write 1 or SUN"),
        (text.isdigit(), f"write a value from {field.low} to {field.high}"),
        (text.startswith("/"), f"write {field.low}{text}"),
        ("?" in text, alone),
        (foreign, f"{foreign} belongs in a day field"),
        (True, f"write a value, a range such as {field.low}-{field.low + 1}, *{step}"),
    )
    return next(remedy for applies, remedy in remedies if applies)


def _days_of_month(expression: str, text: str) -> Days:
    """Return the days that the day-of-month field names; in a month without them, none.

    L-3 is three days before the last, as Quartz computes it (AWS doesn't tell). 15W is the weekday nearest to
    the 15th in the same month: 1W is Monday 3 when the 1st is a Saturday. 31W is nothing in a month of 30
    days.
    """
    if match := re.fullmatch(r"L(?:-([0-9]+))?(W)?", text):
        before, nearest = int(match[1] or 0), bool(match[2])
        if match[1] and not 1 <= before <= DAY_OF_MONTH.high - 1:
            DAY_OF_MONTH.refuse(expression, text, "L- takes 1 to 30 days before the last")
        return lambda year, month: _one_day(year, month, monthrange(year, month)[1] - before, nearest=nearest)
    if match := re.fullmatch(r"([0-9]+)W", text):
        day = _number(expression, DAY_OF_MONTH, match[1])
        return lambda year, month: _one_day(year, month, day, nearest=True)
    if "L" in text or "W" in text:
        DAY_OF_MONTH.refuse(expression, text, "L, LW, L-3 and 15W stand alone; make a schedule of each")
    days = _values(expression, DAY_OF_MONTH, text)
    return lambda year, month: [day for day in days if day <= monthrange(year, month)[1]]


def _one_day(year: int, month: int, day: int, *, nearest: bool) -> list[int]:
    first, last = monthrange(year, month)
    if not 1 <= day <= last:
        return []
    weekday = (first + day - 1) % 7
    if nearest and weekday == _SATURDAY:
        return [day - 1 if day > 1 else day + 2]
    if nearest and weekday == _SUNDAY:
        return [day + 1 if day < last else day - 2]
    return [day]


def _days_of_week(expression: str, text: str) -> Days:
    """Return the days that the day-of-week field names.

    A lone L is Saturday, 6L the month's last Friday, 3#2 its second Tuesday. AWS's table has no / here,
    though that of CloudWatch Events once had: we refuse it, as a list says the same.
    """
    if "#" in text:
        day, _, nth = text.partition("#")
        if "," in text:
            DAY_OF_WEEK.refuse(expression, text, "only one # expression fits in a cron; make a schedule of each")
        if nth not in _NTH:
            DAY_OF_WEEK.refuse(expression, text, "put a number from 1 to 5 after #")
        weekday = _number(expression, DAY_OF_WEEK, day)
        return lambda year, month: _weekdays(year, month, (weekday,))[_NTH[nth] - 1 : _NTH[nth]]
    if text == "L":
        return lambda year, month: _weekdays(year, month, (DAY_OF_WEEK.high,))
    if text.endswith("L") and "," not in text:
        last = _number(expression, DAY_OF_WEEK, text[:-1])
        return lambda year, month: _weekdays(year, month, (last,))[-1:]
    if "L" in text:
        DAY_OF_WEEK.refuse(expression, text, "L and 6L stand alone; make a schedule of each")
    days = _values(expression, DAY_OF_WEEK, text)
    return lambda year, month: _weekdays(year, month, days)


def _weekdays(year: int, month: int, weekdays: tuple[int, ...]) -> list[int]:
    """Return the days of the month that fall on these days of the week, 1 being Sunday."""
    first, last = monthrange(year, month)
    return [day for day in range(1, last + 1) if (first + day) % 7 + 1 in weekdays]


def _refuse_day_fields(expression: str) -> NoReturn:
    minutes, hours, day_of_month, month, day_of_week, year = expression.split()
    if day_of_month == "?":
        raise InvalidSchedule(
            f"cron expression {expression!r}: both day fields are ?; name the days in one, such as "
            f"'{minutes} {hours} * {month} ? {year}' for every day"
        )
    raise InvalidSchedule(
        f"cron expression {expression!r}: both day fields are set (day-of-month {day_of_month!r}, "
        f"day-of-week {day_of_week!r}); put ? in one: '{' '.join(_with_question_mark(expression.split()))}'"
    )


def _refuse_count(expression: str, fields: list[str]) -> NoReturn:
    given = f"cron expression {expression!r}: {len(fields)} fields given"
    six = "AWS cron has six (minutes hours day-of-month month day-of-week year)"
    if len(fields) == 5:  # noqa: PLR2004 - Unix
        wanted = " ".join(_with_question_mark([*fields, "*"]))
        hint = ", and count days of the week from 1, Sunday" if re.search(r"\d", fields[4]) else ""
        raise InvalidSchedule(f"{given}; {six}, add the year: '{wanted}'{hint}")
    if len(fields) == 7:  # noqa: PLR2004 - Quartz
        raise InvalidSchedule(f"{given}; {six}, leave out the seconds: '{' '.join(fields[1:])}'")
    raise InvalidSchedule(f"{given}; {six}, such as '0 0 * * ? *' for every midnight")


def _with_question_mark(fields: list[str]) -> list[str]:
    minutes, hours, day_of_month, month, day_of_week, year = fields
    if "?" in (day_of_month, day_of_week):
        return fields
    if day_of_week == "*":
        return [minutes, hours, day_of_month, month, "?", year]
    return [minutes, hours, "?", month, day_of_week, year]
