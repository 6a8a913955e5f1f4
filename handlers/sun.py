"""The sun's day at one place: the astronomy behind `sunrise`, on the formulas of PyPI's `astral`.

Times are what almanacs mean by them: the upper edge of the sun at a level horizon with mean refraction, whatever the
height of the place; dawn and dusk are civil.  https://gml.noaa.gov/grad/solcalc/solareqns.PDF
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from math import degrees

HORIZON, CIVIL_TWILIGHT = 90.833, 96.0  # degrees from overhead
HALF_A_DAY = timedelta(hours=12)


@dataclass(frozen=True)
class SunDay:
    """What lies around one solar noon, in local time; None is what doesn't happen.

    A sunset after midnight bears the next date and belongs to the day that it ends.
    """

    dawn: datetime | None
    sunrise: datetime | None
    noon: datetime
    sunset: datetime | None
    dusk: datetime | None
    up_at_noon: bool

    @property
    def kind(self) -> str:
        """`rises and sets`, `polar day` or `polar night`; at the edges of a polar day also `rises` or `sets` alone."""
        events = (("rises", self.sunrise), ("sets", self.sunset))
        return " and ".join(verb for verb, event in events if event) or (
            "polar day" if self.up_at_noon else "polar night"
        )

    @property
    def length(self) -> timedelta:
        """How long the sun is up, from 0 to 24 hours."""
        if not self.up_at_noon:
            return timedelta()
        return (self.sunset or self.noon + HALF_A_DAY) - (self.sunrise or self.noon - HALF_A_DAY)


def sun_day(day: date, zone: tzinfo, *, lat: float, lon: float) -> SunDay:
    """Return the sun's day whose noon falls on this civil date of the zone.

    Why not astral's own `sun()`: it looks for events on a civil date, from midnight UTC on.  So each day it gives or
    misses a few hundred sunsets of the day before, and the Line Islands' noon of the day after.
    """
    mean_noon = _mean_noon(day, zone, lon)
    declination, equation_of_time = _sun_at(mean_noon)

    def passage(zenith: float, *, rising: bool) -> datetime | None:
        at = _passage(zenith, mean_noon, lat, rising=rising)
        return at and at.astimezone(zone)

    return SunDay(
        dawn=passage(CIVIL_TWILIGHT, rising=True),
        sunrise=passage(HORIZON, rising=True),
        noon=(mean_noon - equation_of_time).astimezone(zone),
        sunset=passage(HORIZON, rising=False),
        dusk=passage(CIVIL_TWILIGHT, rising=False),
        up_at_noon=abs(lat - declination) < HORIZON,
    )


def _mean_noon(day: date, zone: tzinfo, lon: float) -> datetime:
    """Return the mean sun's noon nearest to 12 o'clock of this civil date, in UTC."""
    ahead = timedelta(hours=lon / 15)
    civil_noon = datetime.combine(day, time(12), zone).astimezone(UTC)
    solar_date = (civil_noon + ahead).date()  # not always `day`: Samoa's clocks are a day ahead of its sun
    return datetime.combine(solar_date, time(12), UTC) - ahead


def _passage(zenith: float, mean_noon: datetime, lat: float, *, rising: bool) -> datetime | None:
    """Return when the sun passes this angle before, or after, this noon, to a second."""
    from astral import SunDirection
    from astral.sun import hour_angle

    direction = SunDirection.RISING if rising else SunDirection.SETTING
    at = mean_noon
    for _ in range(2):  # the sun moves among the stars meanwhile: the second round is right to a second
        declination, equation_of_time = _sun_at(at)
        try:
            angle = hour_angle(lat, declination, zenith, direction)
        except ValueError:  # it stays above, or below
            return None
        at = mean_noon - timedelta(minutes=4 * degrees(angle)) - equation_of_time
    return at


@lru_cache(maxsize=64)  # each passage begins at noon
def _sun_at(at: datetime) -> tuple[float, timedelta]:
    """Return the declination in degrees, and how far the true sun is ahead of the mean one."""
    from astral.julian import julianday, julianday_to_juliancentury
    from astral.sun import eq_of_time, sun_declination

    century = julianday_to_juliancentury(julianday(at))
    return sun_declination(century), timedelta(minutes=eq_of_time(century))
