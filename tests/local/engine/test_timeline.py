"""The event log as a picture and as files."""

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from drumbeat.local.axis import Axis
from drumbeat.local.clock import SECOND
from drumbeat.local.series import COLUMNS, Series

WORK = """
    import time
    def handler(event, context):
        for record in event["Records"]:
            time.sleep(0.2)
            if record["body"] == "poison":
                raise ValueError("no")
            if record["body"] == "slow":
                time.sleep(60)
"""
SEND = """
    import os, boto3
    sqs = boto3.client("sqs")
    def handler(event, context):
        for start in range(0, int(os.environ["MANY"]), 10):
            entries = [{"Id": str(n), "MessageBody": "x"} for n in range(10)]
            sqs.send_message_batch(QueueUrl=os.environ["QUEUE"], Entries=entries)
        for body in ("poison", "slow"):
            sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=body)
"""


def busy_hour(app, open_cloud, many):
    app.queue("Queue", VisibilityTimeout=60)
    app.function("work", WORK, timeout=20)
    app.function("send", SEND, timeout=300, env={"QUEUE": {"Ref": "Queue"}, "MANY": str(many)})
    app.mapping("Queue", "work", BatchSize=1)
    app.rule("Rule", "send", ScheduleExpression="rate(20 minutes)")
    cloud = open_cloud(app, own_environments=False)
    cloud.advance(minutes=61)
    return cloud


def shapes(cloud):
    picture = ET.fromstring(cloud.timeline.svg())
    return [element.get("class", "").split(" ")[0] for element in picture.iter()]


def test_each_invocation_is_a_bar_in_the_colour_of_its_outcome(app, open_cloud):
    cloud = busy_hour(app, open_cloud, 20)
    found = shapes(cloud)

    assert 3 + 1 == found.count("fire")  # and one in the legend
    assert cloud.meter.errors["work"] == sum(found.count(kind) - 1 for kind in ("error", "timeout"))
    assert found.count("timeout") > 1
    assert sum(cloud.meter.cold_starts.values()) == found.count("cold") - 1
    assert 1 == found.count("flight")


def test_thousands_of_invocations_are_a_curve_of_bounded_size(app, open_cloud):
    cloud = busy_hour(app, open_cloud, 2_000)
    found = shapes(cloud)

    assert 6_000 < cloud.invocations["work"]
    assert 1 == found.count("running")
    assert len(found) < 1_500
    assert len(cloud.timeline.svg()) < 150_000


def test_names_in_the_picture_are_those_of_the_template(app, open_cloud):
    text = busy_hour(app, open_cloud, 10).timeline.svg()

    for name in ("Queue", "work", "send", "Rule"):
        assert f">{name}</text>" in text


def test_a_series_widens_its_columns_and_loses_no_count():
    series = Series(0)
    for second in range(100_000):
        series.count(second * 1_000_000_000, "ok")
        series.level(second * 1_000_000_000, "depth", second % 7)

    columns = [column for _, column in series]
    assert len(columns) <= COLUMNS
    assert 100_000 == sum(column.counts["ok"] for column in columns)
    assert 6 == max(column.highest["depth"] for column in columns)


HOURLY = """
    import time
    def handler(event, context):
        time.sleep(30)
"""


def times(picture):
    """The times on the axis, with where they stand."""
    written = [(float(one.get("x", 0)), one.text or "") for one in ET.fromstring(picture).iter() if one.text]
    return [(x, text) for x, text in written if re.fullmatch(r"[\d:. -]+", text) and ":" in text and x > 240]


def of_kind(picture, kind):
    return [one for one in ET.fromstring(picture).iter() if one.get("class") == kind]


def test_hours_in_which_nothing_happens_are_cut_out_and_marked(app, open_cloud):
    app.function("work", HOURLY, timeout=60)
    app.function("look", "def handler(event, context): pass")
    app.rule("Hourly", "work", ScheduleExpression="rate(1 hour)")
    app.rule("Often", "look", ScheduleExpression="rate(15 minutes)")
    cloud = open_cloud(app, own_environments=False)
    cloud.advance(hours=24, minutes=1)
    picture = cloud.timeline.svg()

    bars = sorted((float(bar.get("x")), float(bar.get("width"))) for bar in of_kind(picture, "ok"))[1:]
    long = [(x, width) for x, width in bars if width > 10]
    gaps = [(float(one.get("x")), float(one.get("width"))) for one in of_kind(picture, "break")[1:]]
    assert 24 == len(long), "half a minute of each hour, wide enough to be seen"
    assert all(x + width <= other for (x, width), (other, _) in pairwise(long))
    assert 95 == len(gaps)
    assert not [1 for x, width in bars for left, wide in gaps if x < left + wide - 0.2 and x + width > left + 0.2]
    on_the_hour = [text for _, text in times(picture) if text.endswith(":00:00")]
    assert len(on_the_hour) > 8
    assert "nothing happens" in picture


def test_what_is_busy_all_the_time_has_no_breaks(app, open_cloud):
    cloud = busy_hour(app, open_cloud, 2_000)
    picture = cloud.timeline.svg()

    assert [] == of_kind(picture, "break")
    assert len(times(picture)) > 4


def test_times_on_the_axis_grow_and_leave_room_for_each_other():
    hour = 3600 * SECOND
    busy = [(n * hour, n * hour + (n + 1) * 10 * SECOND) for n in range(24)]
    axis = Axis(0, 24 * hour, busy, x0=250, x1=1056)

    ticks = axis.ticks()
    assert sorted(ticks) == ticks
    assert all(after - before >= 60 for (before, _), (after, _) in pairwise(ticks))
    places = [axis.x(second * SECOND) for second in range(0, 24 * 3600, 5)]
    assert sorted(places) == places
    assert (250, 1056) == pytest.approx((places[0], axis.x(24 * hour)), abs=6)


def test_a_picture_without_events_is_still_one(app, open_cloud):
    app.queue("Queue")

    assert ET.fromstring(open_cloud(app).timeline.svg()) is not None


def test_the_log_is_written_as_lines_of_json_or_of_text(app, open_cloud, tmp_path):
    cloud = busy_hour(app, open_cloud, 10)

    assert cloud.log.jsonl() == cloud.log.write(tmp_path / "log.jsonl").read_text()
    assert re.match(r"2026-03-01 00:20:00\.000000 fire", cloud.log.write(tmp_path / "log.txt").read_text())
