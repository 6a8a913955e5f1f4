"""The almanac against an independent one: the sun's altitude by the Astronomical Almanac's low-precision formula.

It shares nothing with astral: where the sun stands among the stars, how far the earth has turned, hence how high the
sun is.  Good to 0.01 degrees between 1950 and 2050, https://aa.usno.navy.mil/faq/sun_approx.
"""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import asin, atan2, cos, degrees, radians, sin
from zoneinfo import ZoneInfo

import airportsdata
import pytest

from handlers.sun import SunDay, sun_day

J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
DAYS = [
    date(2026, 3, 20),
    date(2026, 6, 21),
    date(2026, 9, 1),
    date(2026, 11, 22),
    date(2026, 12, 21),
    date(2028, 2, 29),
]
BY_LONGITUDE = sorted(airportsdata.load().values(), key=lambda airport: airport["lon"])
PLACES = BY_LONGITUDE[::400] + [airport for airport in BY_LONGITUDE if abs(airport["lat"]) > 66][::9]


def altitude(at: datetime, *, lat: float, lon: float) -> float:
    """Return how many degrees the sun's centre stands above the horizon, without refraction."""
    days = (at - J2000) / timedelta(days=1)
    anomaly = radians(357.529 + 0.98560028 * days)
    longitude = radians(280.459 + 0.98564736 * days + 1.915 * sin(anomaly) + 0.020 * sin(2 * anomaly))
    tilt = radians(23.439 - 0.00000036 * days)
    declination = asin(sin(tilt) * sin(longitude))
    right_ascension = atan2(cos(tilt) * sin(longitude), cos(longitude))
    sidereal = radians(15 * (18.697374558 + 24.06570982441908 * days) + lon)
    hour_angle = sidereal - right_ascension
    return degrees(asin(sin(radians(lat)) * sin(declination) + cos(radians(lat)) * cos(declination) * cos(hour_angle)))


def days_of_all_places():
    for place in PLACES:
        where = {"lat": place["lat"], "lon": place["lon"]}
        for day in DAYS:
            yield where, sun_day(day, ZoneInfo(place["tz"]), **where)


def test_the_sun_stands_at_the_horizon_when_it_rises_and_sets_and_six_degrees_below_at_dawn_and_dusk():
    for where, sun in days_of_all_places():
        heights = {sun.dawn: -6, sun.sunrise: -0.833, sun.sunset: -0.833, sun.dusk: -6}
        for at, height in heights.items():
            if at is not None:
                assert height == pytest.approx(altitude(at, **where), abs=0.03), (where, sun)


def test_the_sun_goes_up_before_noon_and_down_after_it():
    minute = timedelta(minutes=1)
    for where, sun in days_of_all_places():
        events = [at for at in (sun.dawn, sun.sunrise, sun.noon, sun.sunset, sun.dusk) if at is not None]
        assert all(earlier < later for earlier, later in pairwise(events)), sun
        assert events[-1] - events[0] < timedelta(hours=24)
        for at in (sun.dawn, sun.sunrise):
            assert at is None or altitude(at, **where) < altitude(at + minute, **where)
        for at in (sun.sunset, sun.dusk):
            assert at is None or altitude(at, **where) > altitude(at + minute, **where)
        if abs(where["lat"]) < 80:  # nearer to the pole, the highest sun is not that of noon
            half_an_hour = timedelta(minutes=30)
            assert altitude(sun.noon, **where) > altitude(sun.noon - half_an_hour, **where)
            assert altitude(sun.noon, **where) > altitude(sun.noon + half_an_hour, **where)


def test_what_does_not_happen_on_a_day_does_not_happen_in_the_sky():
    for where, sun in days_of_all_places():
        heights = [altitude(sun.noon + timedelta(minutes=m), **where) for m in range(-720, 721, 30)]
        slack = 0.3  # the sun's declination moves that much in a day
        if sun.kind == "polar day":
            assert min(heights) > -0.833 - slack, (where, sun)
        if sun.kind == "polar night":
            assert max(heights) < -0.833 + slack, (where, sun)
        if sun.dawn is None and sun.dusk is None:
            assert min(heights) > -6 - slack or max(heights) < -6 + slack, (where, sun)


def test_the_length_of_the_day_is_how_long_the_sun_is_up():
    for where, sun in days_of_all_places():
        step = 5
        up = step * sum(altitude(sun.noon + timedelta(minutes=m), **where) > -0.833 for m in range(-720, 720, step))
        assert sun.length / timedelta(minutes=1) == pytest.approx(up, abs=8 if abs(where["lat"]) < 66 else 30), (
            where,
            sun,
        )


def test_the_noon_belongs_to_the_civil_date_wherever_the_clocks_are():
    for place in BY_LONGITUDE[::5]:
        if place["icao"] != "NZSP":  # at the pole, where it is always noon
            noon = sun_day(DAYS[1], ZoneInfo(place["tz"]), lat=place["lat"], lon=place["lon"]).noon
            assert DAYS[1] == noon.date(), place


@pytest.mark.parametrize(
    ("icao", "day", "sunrise", "sunset"),
    [  # as published for these cities, in minutes
        ("EGLC", date(2026, 6, 21), "2026-06-21T04:43+01:00", "2026-06-21T21:21+01:00"),
        ("KJFK", date(2026, 6, 21), "2026-06-21T05:25-04:00", "2026-06-21T20:30-04:00"),
        ("YSSY", date(2026, 6, 21), "2026-06-21T07:00+10:00", "2026-06-21T16:54+10:00"),
        ("PAFA", date(2026, 6, 21), "2026-06-21T02:57-08:00", "2026-06-22T00:47-08:00"),  # after midnight
    ],
)
def test_known_cities(icao, day, sunrise, sunset):
    sun = _at(icao, day)

    assert abs(sun.sunrise - datetime.fromisoformat(sunrise)) <= timedelta(minutes=3)
    assert abs(sun.sunset - datetime.fromisoformat(sunset)) <= timedelta(minutes=3)


@pytest.mark.parametrize(
    ("icao", "day", "kind", "hours"),
    [
        ("ENSB", date(2026, 6, 21), "polar day", 24),
        ("ENSB", date(2026, 12, 21), "polar night", 0),
        ("NZSP", date(2026, 12, 21), "polar day", 24),
        ("NZSP", date(2026, 6, 21), "polar night", 0),
    ],
)
def test_polar_days_and_nights_are_days_too(icao, day, kind, hours):
    sun = _at(icao, day)

    assert (None, None) == (sun.sunrise, sun.sunset)
    assert kind == sun.kind
    assert timedelta(hours=hours) == sun.length


def test_a_white_night_has_a_sunset_and_no_dusk():
    sun = _at("BIRK", date(2026, 6, 21))

    assert (None, None) == (sun.dawn, sun.dusk)
    assert "rises and sets" == sun.kind


def test_a_polar_night_with_twilight_has_a_dawn_and_no_sunrise():
    sun = _at("ENTC", date(2026, 12, 21))

    assert sun.dawn is not None
    assert sun.dusk is not None
    assert "polar night" == sun.kind


def _at(icao: str, day: date) -> SunDay:
    place = airportsdata.load()[icao]
    return sun_day(day, ZoneInfo(place["tz"]), lat=place["lat"], lon=place["lon"])
