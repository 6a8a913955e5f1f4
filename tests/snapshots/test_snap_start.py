"""A task with a snapshot, from its fire to its dead letters, through the alias and under the roles of the template."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drumbeat import Task
from drumbeat.control import Control
from drumbeat.plan.forecast import forecast
from drumbeat.testing.cloud import AppCloud
from tests.plan.counting import agree, counting, declared

pytestmark = pytest.mark.cloud(start=datetime(2026, 1, 10, 12, tzinfo=UTC))
QUICK: Task = declared(Path(__file__).parent / "app" / "handlers" / "quick.py").quick


def result(cloud: AppCloud, run: str) -> object:
    """What `complete` returned."""
    found = cloud.show(run)
    return json.loads(cloud.client("s3").get_object(Bucket=cloud.bucket, Key=found.record.result)["Body"].read())


def test_a_scheduled_run_succeeds(cloud: AppCloud) -> None:
    cloud.advance(hours=13)

    run = cloud.show("quick/2026-01-11T00:00:00Z")
    assert ("SUCCEEDED", 10, 5) == (run.state, run.items, run.chunks)
    assert list(range(0, 20, 2)) == result(cloud, run.id)


def test_the_worker_is_told_what_lambda_tells_one_with_a_snapshot(cloud: AppCloud) -> None:
    run = cloud.run("quick", ["how"])

    assert [["1", "snap-start", None]] == result(cloud, run.id)


def test_each_new_environment_of_the_worker_is_restored(cloud: AppCloud) -> None:
    cloud.run("quick", range(20))
    cloud.run("plain")

    worker = cloud.worker("quick")
    begun = [entry for entry in cloud.log if entry.kind == "invoke.start"]
    restored = [entry.subject for entry in begun if "restored" in entry.detail]
    assert [worker] * cloud.meter.cold_starts[worker] == restored
    assert worker not in {entry.subject for entry in begun if "cold" in entry.detail}


def test_a_run_is_billed_what_is_forecast_for_it(drumbeat_assembly: Path) -> None:
    with counting(drumbeat_assembly) as count:
        counted = count("quick")

    agree(counted, QUICK, items=10, item_bytes=1)
    expected = forecast(QUICK, items=10, item_bytes=1, timing=counted.timing)
    assert 0 < counted.timing.environments == counted.billed["snap_start_restored_gb"]
    assert expected.billed["snap_start_restored_gb"] == counted.billed["snap_start_restored_gb"]


def test_a_dead_letter_is_redriven(cloud: AppCloud, control: Control) -> None:
    run = cloud.run("quick", [1, "poison", 2])
    assert ("SUCCEEDED", ["poison"]) == (run.state, [letter.item for letter in run.dead_letters])

    control.redrive(run.id)
    assert cloud.run_until_idle(timedelta(hours=1))

    again = cloud.show(run.id)
    assert (2, ["poison"]) == (len(again.record.rounds), [letter.item for letter in again.dead_letters])


def test_a_backfill_switches_its_mapping_on_and_off(cloud: AppCloud, control: Control) -> None:
    mapping = control.deployment.stack_of("quick").backfill_source("quick")
    client = cloud.client("lambda")
    control.backfill(QUICK, datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 7, tzinfo=UTC))
    before = client.get_event_source_mapping(UUID=mapping)["State"]
    cloud.advance(hours=2)

    assert ("Enabled", "Disabled") == (before, client.get_event_source_mapping(UUID=mapping)["State"])
    runs = list(control.runs("quick"))
    assert [5, 6, 7] == sorted(int(record.scheduled_at[8:10]) for record in runs)
    assert {("SUCCEEDED", "backfill")} == {(record.state, record.lane) for record in runs}


def test_what_its_role_is_for_is_reported(cloud: AppCloud) -> None:
    cloud.run("quick", [1, "poison"])

    [report] = [report for report in cloud.permissions() if any("quickWorker" in user for user in report.users)]
    assert not [one for one in report.unused if one.action == "sqs:ReceiveMessage"]
    polled = {need.resource.rpartition("-")[0] for need in report.by_services if need.action == "sqs:ReceiveMessage"}
    assert 2 == len(polled)
