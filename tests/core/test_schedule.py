"""Cron, Rate and At: when they fire, through changes of clocks too, and what they refuse."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drumbeat.errors import DrumbeatError, InvalidSchedule
from drumbeat.schedule import At, Cron, Rate, parse_schedule

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
DAILY = "0 0 * * ? *"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(fires, zone: str) -> list[str]:
    return [fire.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes") for fire in fires]


CHANGES_OF_CLOCKS = [
    pytest.param(
        "30 2 * * ? *",
        "America/Los_Angeles",
        "2026-03-07",
        ["2026-03-07T02:30-08:00", "2026-03-09T02:30-07:00"],
        id="the guide's example in spring: skipped",
    ),
    pytest.param(
        "30 1 * * ? *",
        "America/Los_Angeles",
        "2026-11-01",
        ["2026-11-01T01:30-07:00", "2026-11-02T01:30-08:00"],
        id="the guide's example in autumn: once, before the shift",
    ),
    pytest.param(
        "0/30 0-3 29 3 ? 2026",
        "Europe/Berlin",
        "2026-03-29",
        [
            *["2026-03-29T00:00+01:00", "2026-03-29T00:30+01:00", "2026-03-29T01:00+01:00", "2026-03-29T01:30+01:00"],
            *["2026-03-29T03:00+02:00", "2026-03-29T03:30+02:00"],
        ],
        id="Berlin skips two o'clock",
    ),
    pytest.param(
        "0 1-3 25 10 ? 2026",
        "Europe/Berlin",
        "2026-10-25",
        ["2026-10-25T01:00+02:00", "2026-10-25T02:00+02:00", "2026-10-25T03:00+01:00"],
        id="Berlin doubles two o'clock",
    ),
    pytest.param(
        "0/15 2 * 10 ? 2026",
        "Australia/Lord_Howe",
        "2026-10-04",
        ["2026-10-04T02:30+11:00", "2026-10-04T02:45+11:00", "2026-10-05T02:00+11:00"],
        id="Lord Howe skips half an hour",
    ),
    pytest.param(
        "0/15 1 5 4 ? 2026",
        "Australia/Lord_Howe",
        "2026-04-05",
        ["2026-04-05T01:00+11:00", "2026-04-05T01:15+11:00", "2026-04-05T01:30+11:00", "2026-04-05T01:45+11:00"],
        id="Lord Howe doubles half an hour",
    ),
    pytest.param(
        "0 12 * * ? *",
        "Pacific/Apia",
        "2011-12-29",
        ["2011-12-29T12:00-10:00", "2011-12-31T12:00+14:00"],
        id="Apia skips a whole day",
    ),
    pytest.param(
        DAILY,
        "America/Havana",
        "2026-03-08",
        ["2026-03-09T00:00-04:00"],
        id="Havana skips midnight",
    ),
    pytest.param(
        DAILY,
        "America/Havana",
        "2026-10-31",
        ["2026-10-31T00:00-04:00", "2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00"],
        id="Havana doubles midnight",
    ),
    pytest.param(
        DAILY,
        "Asia/Beirut",
        "2026-03-28",
        ["2026-03-28T00:00+02:00", "2026-03-30T00:00+03:00"],
        id="Beirut skips midnight",
    ),
    pytest.param(
        "30 8 * * ? *",
        "America/New_York",
        "2026-03-07",
        ["2026-03-07T08:30-05:00", "2026-03-08T08:30-04:00"],
        id="the guide's morning in New York stays at half past eight",
    ),
    pytest.param(
        "0 8 ? * 2#1 *",
        "America/Los_Angeles",
        "2026-03-01",
        ["2026-03-02T08:00-08:00", "2026-04-06T08:00-07:00"],
        id="the guide's first Monday of every month",
    ),
    pytest.param(
        "30 2 ? 3 SUN#2 *",
        "America/New_York",
        "2026-01-01",
        [],
        id="only ever in the skipped hour: never",
    ),
    pytest.param(
        "0 0 29 6 ? 2100",
        "Europe/Berlin",
        "2026-01-01",
        ["2100-06-29T00:00+02:00"],
        id="clocks of the next century",
    ),
]


@pytest.mark.parametrize(("expression", "zone", "day", "expected"), CHANGES_OF_CLOCKS)
def test_a_cron_lives_through_changes_of_clocks(expression, zone, day, expected):
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)) - timedelta(seconds=1)

    fires = Cron(expression, timezone=zone).fires(after=midnight)

    assert expected == local(islice(fires, len(expected) or 1), zone)


def test_the_second_pass_of_a_doubled_hour_is_silent():
    cron = Cron("* * * * ? *", timezone="Europe/Berlin")

    fires = list(islice(cron.fires(after=utc("2026-10-25T00:58")), 3))

    assert [utc("2026-10-25T00:59"), utc("2026-10-25T02:00"), utc("2026-10-25T02:01")] == fires


def test_fires_are_after_after_and_through_until():
    cron = Cron(DAILY)

    fires = list(cron.fires(after=NEW_YEAR, until=NEW_YEAR + timedelta(days=2)))

    assert [NEW_YEAR + timedelta(days=1), NEW_YEAR + timedelta(days=2)] == fires


def test_start_and_end_bound_the_fires_and_are_included():
    cron = Cron(DAILY, start=NEW_YEAR + timedelta(days=1), end=NEW_YEAR + timedelta(days=3))

    fires = cron.fires(after=NEW_YEAR - timedelta(days=9), until=NEW_YEAR + timedelta(days=99))

    assert [NEW_YEAR + timedelta(days=day) for day in (1, 2, 3)] == list(fires)


@pytest.mark.parametrize("after", [datetime.min, datetime.max, datetime(1969, 12, 31, 23, 59)])  # noqa: DTZ001, DTZ901
@pytest.mark.parametrize("zone", [None, "Pacific/Apia", "America/New_York"])
def test_the_ends_of_the_calendar_are_no_error(after, zone):
    fires = Cron("0 0 1 1 ? 1970", timezone=zone).fires(after=after.replace(tzinfo=UTC))

    assert len(list(fires)) == (1 if after.year < 1970 else 0)


RATES = [
    (Rate(minutes=5), NEW_YEAR, ["00:05", "00:10", "00:15"], "a rule fires one interval after its creation"),
    (Rate(minutes=5, window_minutes=1), NEW_YEAR, ["00:00", "00:05", "00:10"], "a schedule fires at its creation"),
    (Rate(minutes=5, timezone="UTC"), NEW_YEAR, ["00:00", "00:05", "00:10"], "a schedule fires at its creation"),
    (Rate(minutes=5), NEW_YEAR - timedelta(minutes=2), ["00:03", "00:08"], "the anchor is where it counts from"),
    (Rate(hours=1, start=NEW_YEAR.replace(minute=7)), None, ["00:07", "01:07"], "start is the first fire"),
    (Rate(minutes=7, start=NEW_YEAR - timedelta(days=1)), None, ["00:02", "00:09"], "start keeps the beat"),
    (Rate(minutes=10, end=NEW_YEAR.replace(minute=20)), NEW_YEAR, ["00:00", "00:10", "00:20"], "end is included"),
]


@pytest.mark.parametrize(("rate", "anchor", "expected", "why"), RATES)
def test_a_rate_counts_from_its_anchor(rate, anchor, expected, why):
    fires = rate.fires(after=NEW_YEAR - timedelta(seconds=30), anchor=anchor)

    assert expected == [fire.strftime("%H:%M") for fire in islice(fires, len(expected))], why


def test_a_rate_without_anchor_counts_from_after():
    fires = list(Rate(hours=2).fires(after=NEW_YEAR, until=NEW_YEAR + timedelta(hours=5)))

    assert [NEW_YEAR + timedelta(hours=2), NEW_YEAR + timedelta(hours=4)] == fires


def test_a_day_is_24_hours_whatever_the_clocks_do():
    berlin = ZoneInfo("Europe/Berlin")
    rate = Rate(days=1, timezone="Europe/Berlin", start=datetime(2026, 3, 28, 12, tzinfo=berlin))

    fires = islice(rate.fires(after=NEW_YEAR), 3)

    assert ["2026-03-28T12:00+01:00", "2026-03-29T13:00+02:00", "2026-03-30T13:00+02:00"] == local(
        fires, "Europe/Berlin"
    )


def test_a_rate_longer_than_the_calendar_never_fires():
    assert [] == list(Rate(days=999_999_999).fires(after=NEW_YEAR))


@pytest.mark.parametrize(
    "expression",
    ["rate(1 minute)", "rate(5 minutes)", "rate(1 hour)", "rate(1 day)", "rate(7 days)", "rate(90 minutes)"],
)
def test_a_rate_is_written_as_it_was_read(expression):
    assert expression == Rate.parse(expression).expression
    assert expression == str(Rate.parse(expression))


ATS = [
    (At("2022-11-20T13:00:00", timezone="America/Los_Angeles"), "2022-11-20T21:00:00", "the guide's example"),
    (At("at(2026-07-01T12:30:15)"), "2026-07-01T12:30:15", "UTC unless said"),
    (At(datetime(2026, 7, 1, 12), timezone="Europe/Berlin"), "2026-07-01T10:00:00", "naive is local"),  # noqa: DTZ001
    (
        At(datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=-3))), timezone="Europe/Berlin"),
        "2026-07-01T15:00:00",
        "aware is converted",
    ),
    (At("2026-10-25T02:30:00", timezone="Europe/Berlin"), "2026-10-25T00:30:00", "of a doubled time the first"),
    (At(datetime(2026, 10, 25, 2, 30, fold=1), timezone="Europe/Berlin"), "2026-10-25T00:30:00", "fold or not"),  # noqa: DTZ001
]


@pytest.mark.parametrize(("at", "expected", "why"), ATS)
def test_a_one_time_schedule_fires_once(at, expected, why):
    instant = utc(expected)

    assert instant == at.instant, why
    assert [instant] == list(at.fires(after=instant - timedelta(seconds=1), until=instant))
    assert [] == list(at.fires(after=instant))
    assert [] == list(at.fires(after=NEW_YEAR - timedelta(days=9999), until=instant - timedelta(seconds=1)))


def test_an_aware_time_is_written_in_the_zone_of_the_schedule():
    at = At(datetime(2026, 7, 1, 10, tzinfo=UTC), timezone="Europe/Berlin")

    assert "at(2026-07-01T12:00:00)" == at.expression
    assert At("2026-07-01T12:00:00", timezone="Europe/Berlin") == at
    assert 1 == len({at, At("2026-07-01T12:00:00", timezone="Europe/Berlin")})


REFUSED = [
    (lambda: Cron(DAILY, timezone="Berlin"), "time zone 'Berlin'", "did you mean Europe/Berlin?"),
    (lambda: Cron(DAILY, timezone="Europe/Belrin"), "IANA", "did you mean Europe/Berlin"),
    (lambda: Cron(DAILY, timezone="europe/berlin "), "IANA", "did you mean Europe/Berlin"),
    (lambda: Cron(DAILY, timezone="America"), "IANA", "did you mean"),
    (lambda: Cron(DAILY, timezone="../etc/passwd"), "IANA", "write it as Continent/City"),
    (lambda: Cron(DAILY, timezone=""), "IANA", "write it as Continent/City"),
    (lambda: Cron(DAILY, start=datetime(2026, 1, 1)), "start 2026-01-01", "tzinfo=UTC"),  # noqa: DTZ001
    (lambda: Rate(days=1, end=datetime(2026, 1, 1)), "end 2026-01-01", "tzinfo=UTC"),  # noqa: DTZ001
    (lambda: Cron(DAILY, start=NEW_YEAR, end=NEW_YEAR), "is not after start", "give a later end"),
    (lambda: Cron(DAILY, window_minutes=1441), "window_minutes 1441", "1 to 1440 minutes"),
    (lambda: Rate(days=1, window_minutes=-1), "window_minutes -1", "or 0 for none"),
    (lambda: At("2026-01-01T00:00:00", window_minutes=True), "window_minutes True", "1 to 1440"),
    (lambda: Cron(DAILY).fires(after=datetime(2026, 1, 1)), "after 2026-01-01", "tzinfo=UTC"),  # noqa: DTZ001
    (Rate, "exactly one of minutes, hours and days, 0 given", "give one"),
    (lambda: Rate(minutes=1, hours=1), "2 given", "Rate(minutes=90)"),
    (lambda: Rate(minutes=0), "rate of 0 minutes", "positive integer"),
    (lambda: Rate(hours=0.5), "rate of 0.5 hours", "a smaller unit"),
    (lambda: Rate(days=True), "rate of True days", "positive integer"),
    (lambda: Rate.parse("rate(1 minutes)"), "in the singular after 1", "write 'rate(1 minute)'"),
    (lambda: Rate.parse("rate(5 minute)"), "in the plural after 5", "write 'rate(5 minutes)'"),
    (lambda: Rate.parse("rate(0 minutes)"), "rate of 0 minutes", "positive integer"),
    (lambda: Rate.parse("rate(30 seconds)"), "minutes, hours and days", "write 'rate(5 minutes)'"),
    (lambda: Rate.parse("rate(1.5 hours)"), "a positive number", "write 'rate(5 minutes)'"),
    (lambda: At("2026-03-29T02:30:00", timezone="Europe/Berlin"), "has no such time", "write 2026-03-29T03:30:00"),
    (lambda: At("2011-12-30T12:00:00", timezone="Pacific/Apia"), "clocks skip it", "write 2011-12-31T12:00:00"),
    (lambda: At(utc("2026-10-25T01:30"), timezone="Europe/Berlin"), "the second 02:30:00", "the instant in UTC"),
    (lambda: At("2026-02-30T00:00:00"), "yyyy-mm-ddThh:mm:ss", "timezone="),
    (lambda: At("2026-02-03"), "yyyy-mm-ddThh:mm:ss", "pass an aware datetime"),
    (lambda: At("2026-02-03T00:00:00Z"), "without offset", "pass an aware datetime"),
    (lambda: At("at(2026-02-03T00:00:00"), "yyyy-mm-ddThh:mm:ss", "pass an aware datetime"),
    (lambda: At(datetime(2026, 1, 1, microsecond=1, tzinfo=UTC)), "whole seconds", ".replace(microsecond=0)"),
    (lambda: At("2026-01-01T00:00:00", timezone="Mars/Olympus"), "IANA", "write it as Continent/City"),
    (lambda: parse_schedule("every day"), "none of cron(...), rate(...) and at(...)", "'cron(0 0 * * ? *)'"),
]


@pytest.mark.parametrize(("make", "wrong", "remedy"), REFUSED)
def test_a_refusal_is_an_instruction(make, wrong, remedy):
    with pytest.raises(InvalidSchedule) as refusal:
        make()

    message = str(refusal.value)
    assert wrong in message
    assert remedy in message


def test_a_python_without_time_zones_says_so(monkeypatch):
    monkeypatch.setattr("drumbeat.instants.available_timezones", set)

    with pytest.raises(InvalidSchedule, match="install the package tzdata"):
        Cron(DAILY, timezone="Mars/Olympus")


def test_a_refusal_is_both_drumbeats_and_a_value_error():
    assert issubclass(InvalidSchedule, DrumbeatError)
    assert issubclass(InvalidSchedule, ValueError)


NEEDS = [
    (Cron(DAILY), False),
    (Rate(days=1), False),
    (Cron(DAILY, timezone="UTC"), True),
    (Cron(DAILY, start=NEW_YEAR), True),
    (Rate(days=1, end=NEW_YEAR), True),
    (Rate(days=1, window_minutes=5), True),
    (At("2026-01-01T00:00:00"), True),
]


@pytest.mark.parametrize(("schedule", "expected"), NEEDS)
def test_a_rule_serves_what_has_neither_zone_nor_bounds_nor_window(schedule, expected):
    assert expected == schedule.needs_scheduler


SHOWN = [
    (Cron(DAILY), "cron(0 0 * * ? *) UTC"),
    (Cron(DAILY, timezone="Europe/Berlin", window_minutes=15), "cron(0 0 * * ? *) Europe/Berlin, within 15 min"),
    (Rate(minutes=5), "rate(5 minutes)"),
    (
        Rate(hours=1, start=NEW_YEAR, end=NEW_YEAR + timedelta(days=1)),
        "rate(1 hour), from 2026-01-01T00:00:00+00:00, to 2026-01-02T00:00:00+00:00",
    ),
    (At("2026-03-29T04:30:00", timezone="Europe/Berlin"), "at(2026-03-29T04:30:00) Europe/Berlin"),
    (At("2026-03-29T04:30:00", window_minutes=1), "at(2026-03-29T04:30:00) UTC, within 1 min"),
]


@pytest.mark.parametrize(("schedule", "expected"), SHOWN)
def test_a_schedule_reads_well_in_a_table(schedule, expected):
    assert expected == str(schedule)


@pytest.mark.parametrize(
    "schedule",
    [
        Cron(DAILY),
        Cron(DAILY, timezone="Asia/Tokyo", start=NEW_YEAR, end=NEW_YEAR + timedelta(days=1), window_minutes=9),
        Rate(days=2),
        Rate(hours=1, start=NEW_YEAR, window_minutes=1440),
        At("2026-01-01T00:00:00"),
        At("2026-01-01T00:00:00", timezone="Asia/Tokyo", window_minutes=3),
    ],
)
def test_a_template_gives_the_schedule_back(schedule):
    start, end = getattr(schedule, "start", None), getattr(schedule, "end", None)

    parsed = parse_schedule(schedule.expression, schedule.timezone, start, end, schedule.window_minutes)

    assert schedule == parsed


def test_at_in_a_template_ignores_start_and_end_as_aws_does():
    assert At("2026-01-01T00:00:00") == parse_schedule("at(2026-01-01T00:00:00)", start=NEW_YEAR, end=NEW_YEAR)


# Properties: the fields are drawn with the sets they mean, so that the expectation never passes through our parser.

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Beirut",
    "Asia/Kathmandu",
]
MOMENTS = [  # days on which some of these zones change their clocks, and some plain ones
    *["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01", "2026-02-27", "2027-12-30"]
]


def picks(low: int, high: int, most: int):
    values = st.sets(st.integers(low, high), min_size=1, max_size=most)
    return st.one_of(
        values.map(lambda some: (",".join(map(str, some)), some)),
        st.just(("*", set(range(low, high + 1)))),
        st.tuples(st.integers(low, high), st.integers(1, 9)).map(
            lambda drawn: (f"{drawn[0]}/{drawn[1]}", set(range(drawn[0], high + 1, drawn[1])))
        ),
    )


def aws_weekday(on: date) -> int:
    return on.isoweekday() % 7 + 1


def is_nearest_weekday(on: date, day: int) -> bool:
    last = monthrange(on.year, on.month)[1]
    weekdays = [other for other in range(1, last + 1) if on.replace(day=other).weekday() < 5]
    return day <= last and on.day == min(weekdays, key=lambda other: abs(other - day))


def is_last(on: date) -> bool:
    return (on + timedelta(days=1)).month != on.month


DAYS = st.one_of(
    picks(1, 31, 6).map(lambda drawn: (f"{drawn[0]} * ?", lambda on: on.day in drawn[1])),
    st.sets(st.integers(1, 7), min_size=1).map(
        lambda some: (f"? * {','.join(map(str, some))}", lambda on: aws_weekday(on) in some)
    ),
    st.just(("L * ?", is_last)),
    st.integers(1, 27).map(lambda n: (f"L-{n} * ?", lambda on: is_last(on + timedelta(days=n)))),
    st.integers(1, 31).map(lambda n: (f"{n}W * ?", lambda on: is_nearest_weekday(on, n))),
    st.integers(1, 7).map(
        lambda n: (f"? * {n}L", lambda on: aws_weekday(on) == n and (on + timedelta(days=7)).month != on.month)
    ),
    st.tuples(st.integers(1, 7), st.integers(1, 5)).map(
        lambda n: (f"? * {n[0]}#{n[1]}", lambda on: aws_weekday(on) == n[0] and (on.day - 1) // 7 + 1 == n[1])
    ),
)


@st.composite
def crons(draw):
    """Draw a cron and the predicate on local times that it means."""
    (minutes, in_minutes), (hours, in_hours) = draw(picks(0, 59, 4)), draw(picks(0, 23, 6))
    days, on_day = draw(DAYS)
    cron = Cron(f"{minutes} {hours} {days} *", timezone=draw(st.sampled_from(ZONES)))
    return cron, lambda wall: wall.minute in in_minutes and wall.hour in in_hours and on_day(wall.date())


def scanned(cron, matches, after: datetime, minutes: int) -> list[datetime]:
    """Look at every minute on the clock of the zone; a time shown for the second time (fold) doesn't count."""
    zone = ZoneInfo(cron.timezone)
    instants = (after + timedelta(minutes=minute) for minute in range(1, minutes + 1))
    return [at for at in instants if not (wall := at.astimezone(zone)).fold and matches(wall)]


@settings(max_examples=60, deadline=None)
@given(crons(), st.sampled_from(MOMENTS), st.integers(0, 1440))
def test_a_scan_of_every_minute_of_a_week_agrees(drawn, moment, back):
    cron, matches = drawn
    after = utc(f"{moment}T00:00") - timedelta(minutes=back)
    week = 7 * 24 * 60

    assert scanned(cron, matches, after, week) == list(cron.fires(after=after, until=after + timedelta(minutes=week)))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe"])
def test_a_scan_of_every_minute_of_months_agrees(zone):
    cron = Cron("7/20 1-3 ? * SUN *", timezone=zone)
    after, minutes = utc("2026-03-01T00:00"), 90 * 24 * 60

    def matches(wall):
        return wall.minute in (7, 27, 47) and wall.hour in (1, 2, 3) and wall.weekday() == 6

    assert scanned(cron, matches, after, minutes) == list(
        cron.fires(after=after, until=after + timedelta(minutes=minutes))
    )


@settings(max_examples=150, deadline=None)
@given(crons(), st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - made aware below
def test_fires_ascend_match_and_continue(drawn, after):
    cron, matches = drawn
    after = after.replace(tzinfo=UTC)

    fires = list(islice(cron.fires(after=after), 9))

    assert sorted({*fires, after}) == [after, *fires]
    assert all(matches(fire.astimezone(ZoneInfo(cron.timezone))) for fire in fires)
    assert all(fire.tzinfo is UTC for fire in fires)
    for sofar, fire in enumerate(fires):
        assert fires[sofar + 1 :] == list(islice(cron.fires(after=fire), 8 - sofar))


@settings(max_examples=150, deadline=None)
@given(
    st.builds(Rate, minutes=st.integers(1, 10_000)),
    st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1)),  # noqa: DTZ001 - made aware below
    st.timedeltas(timedelta(0), timedelta(days=400)),
    st.booleans(),
)
def test_a_rate_keeps_its_beat_wherever_one_looks(rate, anchor, later, scheduler):
    anchor = anchor.replace(tzinfo=UTC)
    rate = replace(rate, timezone="UTC") if scheduler else rate

    fires = list(islice(rate.fires(after=anchor + later, anchor=anchor), 5))

    assert sorted({*fires, anchor + later}) == [anchor + later, *fires]
    assert all((fire - anchor) % rate.interval == timedelta(0) for fire in fires)
    assert fires[0] - (anchor + later) <= rate.interval
    assert fires[1:] == list(islice(rate.fires(after=fires[0], anchor=anchor), 4))
