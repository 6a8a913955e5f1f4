"""The sunrise task, its functions called as the plain functions they are."""

import csv
import io
import json
import subprocess
import sys
from itertools import islice

import boto3
import pytest
from moto import mock_aws

from drumbeat import Run
from drumbeat.run import parse_time
from handlers.sunrise import airports, almanac, publish, sunrise

RUN = Run("sunrise", parse_time("2026-06-21T00:00:00Z"), bucket="almanacs")
LONGYEARBYEN = {"icao": "ENSB", "iata": "LYR", "name": "Longyear", "country": "SJ", "tz": "Arctic/Longyearbyen"}
LONGYEARBYEN |= {"lat": 78.2461, "lon": 15.4656}
LISBON = {"icao": "LPPT", "iata": "LIS", "name": "Lisbon", "country": "PT", "tz": "Europe/Lisbon"}
LISBON |= {"lat": 38.774, "lon": -9.134}


@pytest.fixture
def bucket(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=RUN.bucket)
        yield lambda name: s3.get_object(Bucket=RUN.bucket, Key=f"{RUN.prefix}/{name}")["Body"].read().decode()


def test_every_airport_is_an_item_in_the_same_order_each_time():
    codes = [airport["icao"] for airport in airports(RUN)]

    assert len(codes) > 28_000
    assert sorted(set(codes)) == codes


def test_an_item_is_small_json():
    assert all(len(json.dumps(airport)) < 400 for airport in islice(airports(RUN), 1000))


def test_a_row_has_local_times_with_their_offset():
    row = almanac(LISBON, RUN)

    assert "2026-06-21" == row["date"]
    assert "rises and sets" == row["sun"]
    assert "2026-06-21T06:11" == row["sunrise"][:16]
    assert "+01:00" == row["sunset"][-6:]
    assert "14:53" == row["day_length"][:5]


def test_a_polar_day_has_a_noon_and_24_hours():
    row = almanac(LONGYEARBYEN, RUN)

    assert ("polar day", None, None, "24:00:00") == (row["sun"], row["sunrise"], row["dusk"], row["day_length"])
    assert row["noon"].startswith("2026-06-21T12:5")


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "America", "../etc/passwd"])
def test_an_airport_without_a_time_zone_keeps_the_one_of_its_longitude(zone):
    row = almanac({**LISBON, "tz": zone}, RUN)

    assert "UTC-01:00" == row["tz"]
    assert "-01:00" == row["noon"][-6:]


def test_the_fan_in_publishes_a_table_and_a_summary(bucket):
    rows = [almanac(LONGYEARBYEN, RUN), almanac(LISBON, RUN)]

    publish(RUN, iter(rows))

    table = list(csv.DictReader(io.StringIO(bucket("almanac.csv"))))
    assert ["ENSB", "LPPT"] == [line["icao"] for line in table]
    assert ["", rows[1]["sunset"]] == [line["sunset"] for line in table]
    summary = json.loads(bucket("summary.json"))
    assert {"date": "2026-06-21", "airports": 2, "polar_day": 1, "polar_night": 0}.items() <= summary.items()
    assert ("LPPT", "LPPT") == (summary["earliest_sunrise"]["icao"], summary["longest_day"]["icao"])


def test_a_run_without_items_publishes_an_empty_table(bucket):
    publish(RUN, iter([]))

    assert bucket("almanac.csv").startswith("icao,iata,")
    assert json.loads(bucket("summary.json"))["longest_day"] is None


def test_the_earliest_sunrise_is_the_earliest_on_the_clocks_there(bucket):
    publish(RUN, iter([almanac({**LISBON, "icao": "UTC", "tz": "UTC"}, RUN), almanac(LISBON, RUN)]))

    assert "UTC" == json.loads(bucket("summary.json"))["earliest_sunrise"]["icao"]


def test_importing_the_tasks_is_cheap():
    heavy = "{'boto3', 'astral', 'airportsdata', 'moto', 'aws_cdk'}"
    check = f"import sys, handlers.sunrise, handlers.invoices; print(*({heavy} & set(sys.modules)))"

    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)

    assert "" == found.stdout.strip()


def test_the_task_is_ready_to_deploy():
    assert (airports, almanac, publish) == (sunrise.source, sunrise.worker, sunrise.fan_in)
