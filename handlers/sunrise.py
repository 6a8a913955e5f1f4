"""Dawn to dusk at every airport of the world, computed each midnight UTC for the day that begins then.

The airports, about 28,000, come from PyPI's `airportsdata`; what one of them needs is a few sines, in `sun.py`; what
they make together is one CSV and one summary in the app's bucket.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta, timezone, tzinfo
from tempfile import TemporaryFile
from typing import Any
from zoneinfo import ZoneInfo

from drumbeat import Cron, Run, Task

from .sun import sun_day

PLACE = ("icao", "iata", "name", "country")
EVENTS = ("dawn", "sunrise", "noon", "sunset", "dusk")
Row = dict[str, Any]

sunrise = Task(
    "sunrise",
    schedule=Cron("0 0 * * ? *"),  # each midnight UTC
    memory_mib=512,
    timeout_s=60,
    max_concurrency=50,  # invocations side by side
    chunk_size=100,  # airports in one message
    item_s=0.001,  # what one airport takes of so small a function: for forecasts and for virtual time
)


@sunrise.expand
def airports(run: Run) -> Iterator[Row]:
    """Yield every airport, in the order of its code."""
    del run  # the same ones each day
    import airportsdata

    for _, airport in sorted(airportsdata.load().items()):
        yield {key: value for key, value in airport.items() if key in {*PLACE, "tz", "lat", "lon"}}


@sunrise.work
def almanac(airport: Row, run: Run) -> Row:
    """Return the airport's row for the date of the run; polar day and polar night are days like others."""
    day, zone = run.scheduled_at.date(), zone_of(airport)
    sun = sun_day(day, zone, lat=airport["lat"], lon=airport["lon"])
    times = {event: getattr(sun, event) for event in EVENTS}
    return {
        **{key: airport[key] for key in PLACE},
        "tz": str(zone),
        "date": day.isoformat(),
        "sun": sun.kind,
        **{event: time and time.isoformat(timespec="seconds") for event, time in times.items()},
        "day_length": clock(sun.length),
    }


@sunrise.complete
def publish(run: Run, results: Iterator[Row]) -> None:
    """Write almanac.csv and summary.json under the run's prefix, with one row at a time in memory."""
    import boto3

    s3 = boto3.client("s3")
    suns: Counter[str] = Counter()
    earliest: Row | None = None
    longest: Row | None = None
    with TemporaryFile("w+", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, (*PLACE, "tz", "date", "sun", *EVENTS, "day_length"))
        table.writeheader()
        for row in results:
            table.writerow(row)
            suns[row["sun"]] += 1
            if row["sunrise"]:
                earliest = min(earliest or row, row, key=lambda row: row["sunrise"][:19])  # as the clocks there show it
            if row["sun"] == "rises and sets":
                longest = max(longest or row, row, key=lambda row: row["day_length"])
        file.seek(0)
        s3.put_object(Bucket=run.bucket, Key=f"{run.prefix}/almanac.csv", Body=file.buffer, ContentType="text/csv")
    summary = {
        "date": f"{run.scheduled_at:%Y-%m-%d}",
        "airports": suns.total(),
        "earliest_sunrise": earliest,
        "longest_day": longest,  # of those that end
        "polar_day": suns["polar day"],
        "polar_night": suns["polar night"],
    }
    body = json.dumps(summary, indent=2, ensure_ascii=False).encode()
    s3.put_object(Bucket=run.bucket, Key=f"{run.prefix}/summary.json", Body=body, ContentType="application/json")


def zone_of(airport: Row) -> tzinfo:
    """Return the airport's IANA time zone, or if it has none, the nautical one of its longitude."""
    try:
        return ZoneInfo(airport["tz"])
    except (KeyError, ValueError, OSError):  # unknown, malformed, or a folder such as "America"
        return timezone(timedelta(hours=round(airport["lon"] / 15)))


def clock(length: timedelta) -> str:
    """Write a length like 16:38:24; a polar day has 24:00:00."""
    minutes, seconds = divmod(round(length.total_seconds()), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
