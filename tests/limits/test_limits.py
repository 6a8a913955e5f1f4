"""What an item may ask for, how long it may take, and how many begin in a second: in the local cloud."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from drumbeat.local import Faults
from drumbeat.runtime.budget import LATE_S, STAY_S
from drumbeat.testing.cloud import AppCloud, RunView
from tests.runtime.fleet import excess


def times(cloud: AppCloud, *runs: RunView) -> list[float]:
    """When the items of runs began."""
    return sorted(time for run in runs for time in json.loads(cloud.published(run)["times.json"]))


def test_again_comes_back_hours_later_without_an_attempt(cloud: AppCloud) -> None:
    run = cloud.run("picky", items=[1, {"again": 11.5, "key": "a"}, 2], within=timedelta(hours=13))

    assert ("SUCCEEDED", 3, 0, 3) == (run.state, run.record.succeeded, run.failed, run.attempts)
    assert 11.5 * 3600 <= times(cloud, run)[-1] - times(cloud, run)[0] < 11.6 * 3600


def test_dead_is_given_up_at_once_with_its_reason(cloud: AppCloud) -> None:
    run = cloud.run("picky", items=[1, {"dead": "account closed"}, 2])

    assert [("Dead", "account closed", 1)] == [
        (each.error_type, each.error, each.attempts) for each in run.dead_letters
    ]


def test_only_what_is_worth_it_is_tried_again(cloud: AppCloud) -> None:
    run = cloud.run("picky", items=[{"raise": "lookup"}, {"raise": "network"}])

    assert [("LookupError", 1), ("ConnectionError", 3)] == [
        (each.error_type, each.attempts) for each in run.dead_letters
    ]


def test_a_thread_that_exceeds_its_time_holds_up_neither_the_others_nor_the_chunk(cloud: AppCloud) -> None:
    run = cloud.run("picky", items=[1, {"sleep": 600}, 2, {"sleep": 1}])

    assert [1, 2, {"sleep": 1}] == run.succeeded
    [letter] = run.dead_letters
    assert ("TimeoutError", 3) == (letter.error_type, letter.attempts)
    assert "item_timeout_s=2" in letter.error
    assert ended(run) < 60


def test_a_coroutine_that_exceeds_its_time_is_cancelled_alone(cloud: AppCloud) -> None:
    run = cloud.run("reminders", items=[1, {"await": 600}, 2])

    assert [1, 2] == run.succeeded
    assert [("TimeoutError", 2)] == [(letter.error_type, letter.attempts) for letter in run.dead_letters]
    assert ended(run) < 60


def test_a_budget_is_used_up_and_not_exceeded(cloud: AppCloud) -> None:
    run = cloud.run("payments")
    began = times(cloud, run)

    assert ("SUCCEEDED", 200, 200) == (run.state, run.record.succeeded, run.attempts)
    assert excess(began, 10) <= 10 * LATE_S + 1
    assert 19 <= began[-1] - began[0] < 30


def test_tasks_share_a_budget_and_respect_all_of_theirs(cloud: AppCloud) -> None:
    runs = [cloud.fire(task) for task in ("payments", "refunds", "reminders")]
    assert cloud.run_until_idle(timedelta(hours=1))
    views = [cloud.show(run) for run in runs]

    assert ["SUCCEEDED"] * 3 == [view.state for view in views]
    began = times(cloud, *views)
    assert 280 == len(began)
    assert excess(began, 10) <= 10 * (LATE_S + STAY_S) + 1
    assert excess(times(cloud, views[1]), 5) <= 5 * (LATE_S + STAY_S) + 1
    assert began[-1] - began[0] < 60


def ended(run: RunView) -> float:
    """Seconds from the run's start to its end."""
    return (datetime.fromisoformat(run.completed_at) - datetime.fromisoformat(run.started_at)).total_seconds()


@pytest.mark.parametrize("seed", range(2))
def test_a_budget_holds_while_workers_crash_and_replies_are_lost(drumbeat_assembly: Path, seed: int) -> None:
    faults = Faults(lost_reply=0.05, throttle=0.05, crash_after_side_effect=0.02, duplicate_delivery=0.1)
    with AppCloud(drumbeat_assembly, seed=seed, faults=faults) as cloud:
        run = cloud.run("payments")
        began = times(cloud, run)

    assert ("SUCCEEDED", 200, 0) == (run.state, run.record.succeeded, run.failed)
    assert excess(began, 10) <= 10 * LATE_S + 1
    assert faults.strikes["lost_reply"]
