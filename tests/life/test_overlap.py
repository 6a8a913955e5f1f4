"""A fire while an earlier run of the task is active."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import pytest

from drumbeat import Run
from drumbeat.signal import Fire
from drumbeat.testing.cloud import AppCloud


def fire(cloud: AppCloud, task: str, times: int, items: Sequence[float] = (60.0, 60.0)) -> list[Run]:
    """Fire several runs in a row, one minute apart, of which each takes at least two."""
    fired = []
    for _ in range(times):
        fired.append(cloud.fire(task, items))
        cloud.advance(minutes=1)
    return fired


def ends(cloud: AppCloud, runs: Sequence[Run]) -> list[str]:
    """How the runs ended, when all is quiet."""
    assert cloud.run_until_idle(timedelta(hours=3))
    return [cloud.show(run).state for run in runs]


def spans(cloud: AppCloud, runs: Sequence[Run]) -> list[tuple[str, str]]:
    """When the runs began and ended."""
    return [(record.started_at, record.completed_at) for record in map(cloud.show, runs)]


def test_skip_skips_and_names_the_run_in_the_way(cloud: AppCloud) -> None:
    runs = fire(cloud, "skips", 3)

    assert ["SUCCEEDED", "SKIPPED", "SKIPPED"] == ends(cloud, runs)
    assert [runs[0].id] * 2 == [cloud.show(run).blocked_by for run in runs[1:]]


def test_buffer_one_lets_one_wait_and_skips_the_others(cloud: AppCloud) -> None:
    runs = fire(cloud, "one-waits", 3, [180.0])

    assert ["RUNNING", "WAITING", "SKIPPED"] == [cloud.show(run).state for run in runs]
    assert ["SUCCEEDED", "SUCCEEDED", "SKIPPED"] == ends(cloud, runs)


def test_buffer_all_runs_all_one_after_the_other_in_order(cloud: AppCloud) -> None:
    runs = fire(cloud, "all-wait", 4, [240.0])

    assert ["SUCCEEDED"] * 4 == ends(cloud, runs)
    times = spans(cloud, runs)
    assert all(before[1] <= after[0] for before, after in pairwise(times)), times


def test_cancel_other_ends_what_runs_and_what_waits_for_the_newest(cloud: AppCloud) -> None:
    runs = fire(cloud, "cancels", 3, [150.0] * 4)

    assert ["CANCELLED", "CANCELLED", "SUCCEEDED"] == ends(cloud, runs)
    first = cloud.show(runs[0])
    assert first.items == first.record.succeeded + first.dropped
    assert f"cancelled for {runs[1].id}" == first.reason


def test_a_late_fire_does_not_cancel_a_newer_run(cloud: AppCloud) -> None:
    newer = cloud.fire("cancels", [60.0], at=cloud.now + timedelta(hours=1))
    cloud.advance(seconds=30)
    late = cloud.fire("cancels", [60.0], at=cloud.now - timedelta(hours=1))

    assert ["SUCCEEDED", "SKIPPED"] == ends(cloud, [newer, late])


def test_allow_with_a_limit_lets_the_others_wait(cloud: AppCloud) -> None:
    runs = fire(cloud, "two-at-most", 4, [300.0])

    assert ["RUNNING", "RUNNING", "WAITING", "WAITING"] == [cloud.show(run).state for run in runs]
    assert ["SUCCEEDED"] * 4 == ends(cloud, runs)


def test_allow_without_a_limit_keeps_nobody_waiting(cloud: AppCloud) -> None:
    runs = fire(cloud, "any-number", 4, [300.0])

    assert ["RUNNING"] * 4 == [cloud.show(run).state for run in runs]
    assert ["SUCCEEDED"] * 4 == ends(cloud, runs)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("task", "expected"),
    [("skips", "SKIPPED"), ("one-waits", "SUCCEEDED"), ("all-wait", "SUCCEEDED"), ("cancels", "SUCCEEDED")],
)
def test_of_two_fires_at_the_same_instant_one_wins(cloud: AppCloud, task: str, expected: str, seed: int) -> None:
    """Both dispatchers decide at once, interleaved at their calls in another order for each seed."""
    cloud.advance(minutes=seed)  # another point of the same seed's sequence
    runs = [Run(task, cloud.now + timedelta(hours=hour), cloud.bucket) for hour in (1, 2)]
    for run in runs:
        cloud.invoke_async(cloud.dispatcher(task), Fire(run).event())
    found = ends(cloud, runs)

    times = spans(cloud, [run for run, state in zip(runs, found, strict=True) if state == "SUCCEEDED"])
    assert len(times) == 1 or times[0][1] <= times[1][0] or times[1][1] <= times[0][0], times
    assert expected in found
    assert "SUCCEEDED" in found
