"""Past fires, run a few at a time behind the live runs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from drumbeat import Cron, Task
from drumbeat.control import Control
from drumbeat.ledger import backfills
from drumbeat.ledger.backfills import Backfill
from drumbeat.ledger.record import RunRecord
from drumbeat.ledger.table import Table
from drumbeat.run import Run, format_time, parse_time
from drumbeat.testing.cloud import AppCloud

pytestmark = pytest.mark.cloud(start=datetime(2026, 1, 10, 12, tzinfo=UTC))
DAILY = Task("daily", schedule=Cron("0 0 * * ? *"))  # as tests/app/handlers/lives.py declares it


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def days(records: list[RunRecord]) -> list[int]:
    return [int(record.scheduled_at[8:10]) for record in sorted(records, key=lambda record: record.started_at)]


def is_polled(cloud: AppCloud, control: Control) -> bool:
    """Whether the queue of the task's backfills is polled."""
    mapping = control.deployment.stack_of("daily").backfill_source("daily")
    return bool(cloud.client("lambda").get_event_source_mapping(UUID=mapping)["State"] == "Enabled")


@pytest.mark.parametrize(("order", "expected"), [("oldest", [[3, 4], [5, 6]]), ("newest", [[5, 6], [3, 4]])])
def test_two_runs_at_a_time_in_the_order_that_was_asked_for(
    cloud: AppCloud, control: Control, order: str, expected: list[list[int]]
) -> None:
    control.backfill(DAILY, day(3), day(6), max_active=2, order=order)
    most = 0
    for _ in range(12):
        cloud.advance(seconds=10)
        most = max(most, sum(record.state == "RUNNING" for record in cloud.runs("daily")))
    cloud.advance(minutes=5)

    begun = days(cloud.runs("daily"))
    assert expected == [sorted(begun[:2]), sorted(begun[2:])]
    assert {"SUCCEEDED"} == {record.state for record in cloud.runs("daily")}
    assert 2 == most


def test_a_live_run_goes_before_a_backfill_whose_chunks_lose_no_attempt(cloud: AppCloud, control: Control) -> None:
    control.backfill(DAILY, day(5), day(5))
    cloud.advance(seconds=8)
    began = cloud.now
    live = cloud.fire("daily", items=[{"sleep": 5}] * 16)  # 40 seconds for two workers
    cloud.advance(minutes=10)

    ended, past = cloud.show(live), cloud.show("daily/2026-01-05T00:00:00Z")
    batch = timedelta(seconds=4 + 5)  # of the backfill, and what else a run takes
    assert ("SUCCEEDED", 16) == (ended.state, ended.attempts)
    assert parse_time(ended.completed_at) - began < timedelta(seconds=40) + batch
    assert ("SUCCEEDED", 40, 40, "backfill") == (past.state, past.record.succeeded, past.attempts, past.lane)
    assert past.completed_at > ended.completed_at


def test_the_queue_of_backfills_is_polled_only_while_there_is_one(cloud: AppCloud, control: Control) -> None:
    assert not is_polled(cloud, control)
    control.backfill(DAILY, day(5), day(6))
    assert is_polled(cloud, control)
    cloud.advance(minutes=40)

    assert [5, 6] == days(cloud.runs("daily"))
    assert not is_polled(cloud, control)


def test_a_run_of_a_backfill_is_redriven_when_its_queue_is_polled_no_more(cloud: AppCloud, control: Control) -> None:
    cloud.client("s3").put_object(Bucket=cloud.bucket, Key="runs/daily/fails", Body=b"")
    control.backfill(DAILY, day(5), day(5))
    cloud.advance(hours=1)
    assert ("FAILED", 20) == outcome(cloud)

    cloud.client("s3").delete_object(Bucket=cloud.bucket, Key="runs/daily/fails")
    control.redrive("daily/2026-01-05T00:00:00Z")
    cloud.advance(minutes=5)

    assert ("SUCCEEDED", 0) == outcome(cloud)


def outcome(cloud: AppCloud) -> tuple[str, int]:
    found = cloud.show("daily/2026-01-05T00:00:00Z")
    return found.state, found.failed


def test_what_was_failed_or_cancelled_is_run_again_and_what_was_skipped_is_missing(
    cloud: AppCloud, control: Control
) -> None:
    cloud.run("daily", [{"dead": "x"}], at=day(4))
    cloud.run("daily", [1], at=day(5))
    control.backfill(DAILY, day(3), day(6), only="all")
    cloud.advance(hours=1)

    names = sorted((record.scheduled_at[8:10], record.name) for record in cloud.runs("daily"))
    assert [("03", ""), ("04", ""), ("04", "rerun-1"), ("05", ""), ("05", "rerun-1"), ("06", "")] == names


def test_a_backfill_that_died_between_taking_a_fire_and_firing_it_is_healed_by_the_keeper(
    cloud: AppCloud,
) -> None:
    table = Table(cloud.client("dynamodb"), cloud.table)
    wanted = Backfill("daily", format_time(day(5)), format_time(day(6)), "oldest", "missing", 1)
    assert backfills.begin(table, wanted, now=cloud.now)
    run = Run("daily", day(5))
    assert backfills.take(table, wanted, fire=format_time(day(5)), run_id=run.id)
    cloud.advance(hours=1)

    assert [5, 6] == days(cloud.runs("daily"))
    found: Any = backfills.read(table, "daily")
    assert ("done", 2, frozenset()) == (found.state, found.opened, found.runs)


def test_a_backfill_that_is_stopped_opens_no_further_run(cloud: AppCloud, control: Control) -> None:
    control.backfill(DAILY, day(3), day(8))
    cloud.advance(seconds=20)
    control.stop_backfill("daily")
    cloud.advance(timedelta(hours=1))

    assert [3] == days(cloud.runs("daily"))
