"""Runs that come after others, and runs that events start."""

import json
from datetime import timedelta
from typing import Any

from drumbeat.signal import Follow
from drumbeat.testing.cloud import AppCloud


def state(cloud: AppCloud, task: str) -> str:
    """The state of the one run of a task; nothing if there is none."""
    found = [record.state for record in cloud.runs(task)]
    return found[0] if len(found) == 1 else f"{len(found)} runs"


def result(cloud: AppCloud, task: str) -> Any:
    """The result of the one run of a task."""
    [record] = cloud.runs(task)
    assert record.result, record
    return json.loads(cloud.client("s3").get_object(Bucket=cloud.bucket, Key=record.result)["Body"].read())


def test_a_run_starts_when_all_before_it_have_succeeded_and_reads_what_they_left(cloud: AppCloud) -> None:
    at = cloud.now
    loaded = cloud.run("load", at=at, params={"tenant": 42})
    assert "0 runs" == state(cloud, "report")

    rates = cloud.run("rates", at=at)

    assert "SUCCEEDED" == state(cloud, "report")
    assert [str([0, 1, 2]), str({"sum": 1, "of": rates.id})] == sorted(result(cloud, "report"))
    assert "SUCCEEDED" == state(cloud, "mail")
    [report] = cloud.runs("report")
    assert {"tenant": 42} == json.loads(report.params)
    assert report.scheduled_at == loaded.scheduled_at


def test_a_failed_upstream_is_visible_down_the_chain_and_ended_goes_on(cloud: AppCloud) -> None:
    at = cloud.now
    cloud.run("load", ["poison"], at=at, params={"why": "test"})
    cloud.run("rates", at=at)

    assert "UPSTREAM_FAILED" == state(cloud, "report")
    assert "load is FAILED" == cloud.runs("report")[0].reason
    assert "UPSTREAM_FAILED" == state(cloud, "mail")
    assert "SUCCEEDED" == state(cloud, "tidy")


def test_a_repeated_or_forged_hint_starts_nothing(cloud: AppCloud) -> None:
    run = cloud.run("load")
    [tidied] = cloud.runs("tidy")
    for _ in range(3):
        cloud.invoke_async(cloud.dispatcher("tidy"), Follow(run.record.run()).event())
    cloud.invoke_async(cloud.dispatcher("report"), {"task": "report", "follow": "load/2020-01-01T00:00:00Z"})
    assert cloud.run_until_idle(timedelta(minutes=30))

    assert [tidied] == cloud.runs("tidy")
    assert [] == cloud.runs("report")


def test_a_lost_hint_is_found_by_the_keeper(cloud: AppCloud) -> None:
    rules = [rule for rule in cloud.deployment.rules if "tidy" in rule.name]
    for rule in rules:
        cloud.client("events").disable_rule(Name=rule.name)
    cloud.run("load")
    assert "0 runs" == state(cloud, "tidy")

    cloud.advance(minutes=40)

    assert rules
    assert "SUCCEEDED" == state(cloud, "tidy")


def test_an_event_starts_a_run_once_under_its_id(cloud: AppCloud) -> None:
    entry = {"Source": "my.shop", "DetailType": "Stock", "Detail": json.dumps({"state": "ready", "size": 7})}
    other = entry | {"Detail": json.dumps({"state": "draft"})}
    answer = cloud.client("events").put_events(Entries=[entry, other])
    assert cloud.run_until_idle(timedelta(minutes=10))

    [run] = cloud.runs("heard")
    assert ("SUCCEEDED", answer["Entries"][0]["EventId"]) == (run.state, run.name)
    assert {"state": "ready", "size": 7} == json.loads(run.params)["event"]["detail"]
    heard = json.loads(run.params)["event"]
    cloud.invoke_async(cloud.dispatcher("heard"), heard)  # EventBridge delivers at least once
    assert cloud.run_until_idle(timedelta(minutes=10))
    assert [run] == cloud.runs("heard")
