"""Fires that never came, or came while the task was paused."""

from datetime import UTC, datetime, timedelta

import pytest

from drumbeat import Run
from drumbeat.ledger import pause
from drumbeat.ledger.table import Table
from drumbeat.signal import Fire
from drumbeat.testing.cloud import AppCloud

START = datetime(2026, 1, 1, 0, 30, tzinfo=UTC)


def states(cloud: AppCloud) -> list[tuple[str, str]]:
    """The hours and states of the runs."""
    return [(record.scheduled_at[11:16], record.state) for record in cloud.runs("skips")]


def rule(cloud: AppCloud, task: str = "skips") -> str:
    """The rule that fires the task."""
    return next(rule.name for rule in cloud.deployment.rules if task in rule.name and rule.expression)


@pytest.mark.cloud(start=START)
def test_fires_that_never_came_are_recorded_and_made_up_for_oldest_first(cloud: AppCloud) -> None:
    cloud.advance(minutes=20)  # the keeper knows the task
    cloud.client("events").disable_rule(Name=rule(cloud))
    cloud.advance(hours=2, minutes=20)
    cloud.client("events").enable_rule(Name=rule(cloud))
    cloud.advance(minutes=20)
    assert cloud.run_until_idle(timedelta(minutes=40))

    assert [("01:00", "SUCCEEDED"), ("02:00", "SUCCEEDED"), ("03:00", "SUCCEEDED")] == states(cloud)
    began = [record.started_at for record in cloud.runs("skips")]
    assert began[0] < began[1]  # 03:00 came by itself, maybe before they were made up for


@pytest.mark.cloud(start=START)
def test_a_pause_opens_no_run_and_forgets_no_fire(cloud: AppCloud) -> None:
    table = Table(cloud.client("dynamodb"), cloud.table)
    since = pause.pause(table, "skips", now=cloud.now)
    assert since == pause.pause(table, "skips", now=cloud.now + timedelta(hours=1))
    cloud.advance(hours=6)

    hours = ["01:00", "02:00", "03:00", "04:00", "05:00", "06:00"]
    assert [(hour, "MISSED") for hour in hours] == states(cloud)
    assert {"the task was paused"} == {record.reason for record in cloud.runs("skips")}

    assert pause.resume(table, "skips")
    assert not pause.resume(table, "skips")
    cloud.advance(minutes=50)  # what is older than four hours stays missed

    stay = [("01:00", "MISSED"), ("02:00", "MISSED")]
    assert stay + [(hour, "SUCCEEDED") for hour in (*hours[2:], "07:00")] == states(cloud)


@pytest.mark.cloud(start=START)
def test_a_run_by_hand_is_made_even_when_the_task_is_paused(cloud: AppCloud) -> None:
    pause.pause(Table(cloud.client("dynamodb"), cloud.table), "skips", now=cloud.now)
    by_hand = Fire(Run("skips", cloud.now, cloud.bucket), by_hand=True)
    cloud.invoke_async(cloud.dispatcher("skips"), by_hand.event())
    assert cloud.run_until_idle(timedelta(minutes=20))

    assert "SUCCEEDED" == cloud.show(by_hand.run).state


@pytest.mark.cloud(start=START)
def test_a_run_with_a_name_does_not_shift_when_the_fires_of_a_rate_are_expected(cloud: AppCloud) -> None:
    cloud.advance(minutes=65)
    cloud.client("events").disable_rule(Name=rule(cloud, "beats"))
    by_hand = Fire(Run("beats", cloud.now, cloud.bucket, name="by-hand-00"), by_hand=True)
    cloud.invoke_async(cloud.dispatcher("beats"), by_hand.event())
    cloud.advance(minutes=90)

    assert [("01:30", "SUCCEEDED"), ("01:35", "SUCCEEDED"), ("02:30", "MISSED")] == [
        (run.scheduled_at[11:16], run.state) for run in cloud.runs("beats")
    ]
