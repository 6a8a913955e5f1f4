"""The event log as a picture and as files."""

import re
from xml.etree import ElementTree as ET

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


def test_a_picture_without_events_is_still_one(app, open_cloud):
    app.queue("Queue")

    assert ET.fromstring(open_cloud(app).timeline.svg()) is not None


def test_the_log_is_written_as_lines_of_json_or_of_text(app, open_cloud, tmp_path):
    cloud = busy_hour(app, open_cloud, 10)

    assert cloud.log.jsonl() == cloud.log.write(tmp_path / "log.jsonl").read_text()
    assert re.match(r"2026-03-01 00:20:00\.000000 fire", cloud.log.write(tmp_path / "log.txt").read_text())
