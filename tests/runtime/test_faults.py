"""Seeded faults: whatever goes wrong, and in whatever mixture, a run ends with every item counted once."""

from datetime import timedelta

import pytest

from drumbeat.local import Faults
from drumbeat.testing.cloud import AppCloud, RunView

STORM = {
    "duplicate_delivery": 0.2,
    "reorder": 0.5,
    "throttle": 0.03,
    "lost_reply": 0.03,
    "crash_before_settle": 0.02,
    "crash_after_side_effect": 0.02,
    "send_batch_partial_failure": 0.2,
    "slow": 0.02,
    "clock_jump": 0.3,
}


def run_under(cloud: AppCloud, faults: int = 12) -> RunView:
    """Run 40 items, the keeper included, until the run has ended."""
    items = [f"item {number}" for number in range(40)]
    items[7] = {"raise": "poison"}
    run = cloud.fire("plain", items)
    for _ in range(faults):
        cloud.advance(minutes=30)
        if cloud.runs("plain") and cloud.show(run).state != "RUNNING":
            break
    cloud.run_until_idle(timedelta(hours=6))
    return cloud.show(run, items)


@pytest.mark.parametrize("seed", range(4))
def test_a_storm_of_faults_loses_no_item_and_counts_none_twice(drumbeat_assembly, seed):
    faults = Faults(**STORM)
    with AppCloud(drumbeat_assembly, seed=seed, faults=faults) as cloud:
        run = run_under(cloud)
        log = cloud.log.text()

    assert ("SUCCEEDED", 40) == (run.state, run.record.succeeded + run.failed), f"seed {seed}\n{log[-3000:]}"
    assert faults.strikes, "nothing went wrong: the storm was no storm"


def test_a_whole_number_means_the_nth_time(drumbeat_assembly):
    faults = Faults(throttle=3, crash_after_side_effect=2)
    with AppCloud(drumbeat_assembly, faults=faults) as cloud:
        run = run_under(cloud)

    assert {"throttle": 1, "crash_after_side_effect": 1} == {name: n for name, n in faults.strikes.items() if n}
    assert ("SUCCEEDED", 39, 1) == (run.state, run.record.succeeded, run.failed)


def test_the_same_seed_gives_the_same_faults_and_the_same_log(drumbeat_assembly):
    logs = []
    for _ in range(2):
        with AppCloud(drumbeat_assembly, seed=5, faults=Faults(**STORM)) as cloud:
            run_under(cloud)
            logs.append(cloud.log.text())

    assert logs[0] == logs[1]
