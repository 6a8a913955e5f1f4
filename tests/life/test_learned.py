"""What a task's runs show of its items decides how many of them the chunks of its next runs have."""

from datetime import timedelta

from drumbeat import Cron, Task
from drumbeat.control import Control
from drumbeat.packing import Learned
from drumbeat.run import Run
from drumbeat.testing.cloud import AppCloud

SLOW, QUICK = [20.0] * 40, [0.001] * 40
"""An item is the seconds that it takes; a worker of these tasks has 900."""


def test_the_next_chunks_take_a_quarter_of_the_timeout(cloud: AppCloud) -> None:
    runs = [cloud.run("all-wait", SLOW) for _ in range(2)]

    assert [("SUCCEEDED", 1), ("SUCCEEDED", 4)] == [(run.state, run.chunks) for run in runs]
    assert all(800_000 <= run.worked_ms < 802_000 for run in runs)
    assert Learned(runs[0].worked_ms, 40) == runs[1].record.learned


def test_what_was_longer_ago_counts_less(cloud: AppCloud) -> None:
    slow, quick, third = (cloud.run("all-wait", items) for items in (SLOW, QUICK, QUICK))

    assert Learned(slow.worked_ms // 2 + quick.worked_ms, 60) == third.record.learned
    assert [1, 4, 2] == [run.chunks for run in (slow, quick, third)]


def test_a_run_that_failed_shows_nothing_of_its_items(cloud: AppCloud) -> None:
    cloud.run("all-wait", SLOW)
    failed = cloud.run("all-wait", ["no number of seconds"] * 20)
    last = cloud.run("all-wait", SLOW)

    assert ("FAILED", 20) == (failed.state, failed.failed)
    assert failed.record.learned == last.record.learned


def test_all_passes_over_a_chunk_are_counted(cloud: AppCloud) -> None:
    run = cloud.run("all-wait", [100.0] * 12)  # its worker stops in time, and another one goes on

    assert ("SUCCEEDED", 1, 12) == (run.state, run.chunks, run.attempts)
    assert 1_200_000 <= run.worked_ms < 1_202_000


def test_a_redrive_has_chunks_of_its_runs_size_and_leaves_what_is_known_as_it_is(
    cloud: AppCloud, control: Control
) -> None:
    cloud.run("all-wait", SLOW)
    failed = cloud.run("all-wait", ["no number of seconds"] * 30)

    control.redrive(failed.id)
    cloud.advance(seconds=1)
    control.cancel(failed.id, abandon=True)
    cloud.advance(seconds=5)

    ended = cloud.show(Run.parse(failed.id))
    assert ("CANCELLED", 3, 3) == (ended.state, failed.chunks, ended.chunks)
    assert failed.dead_letters == ended.dead_letters
    assert ended.record.learned == cloud.run("all-wait", SLOW).record.learned


def test_the_runs_of_a_backfill_know_it_too(cloud: AppCloud, control: Control) -> None:
    known = cloud.run("skips", SLOW)
    hour = cloud.now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=30)

    control.backfill(Task("skips", schedule=Cron("0 * * * ? *")), hour, hour)
    cloud.run_until_idle(timedelta(hours=1))

    found = cloud.show(Run("skips", hour))
    assert ("SUCCEEDED", "backfill") == (found.state, found.lane)
    assert known.worked_ms // 4 < found.record.learned.ms
