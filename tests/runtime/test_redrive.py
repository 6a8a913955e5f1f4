"""Do again what a run has given up or dropped, in the same run, as often as one wants; the counts stay exact."""

import json
from datetime import timedelta

import pytest

from drumbeat.control import Control
from drumbeat.errors import RunRefused
from drumbeat.ledger.active import Active
from drumbeat.ledger.record import RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.ledger.table import Table
from drumbeat.limits import MAX_ITEM_BYTES
from drumbeat.run import Run
from drumbeat.testing.cloud import AppCloud, RunView
from tests.runtime.lanes import pause_worker


def counts(run: RunView) -> tuple[str, int, int, int]:
    return run.state, run.record.succeeded, run.failed, run.dropped


def begin_round(cloud: AppCloud, run: Run | RunView, number: int) -> None:
    """Tell the items of a run that they are done again; see tests/app/handlers/lives.py."""
    cloud.client("s3").put_object(Bucket=cloud.bucket, Key=f"runs/{run.id}/redrives", Body=str(number).encode())


def redrive(cloud: AppCloud, control: Control, run: Run | RunView, number: int) -> RunView:
    begin_round(cloud, run, number)
    control.redrive(run.id)
    cloud.run_until_idle(timedelta(hours=14))
    return cloud.show(run)


def test_dead_letters_are_done_again_round_by_round_and_the_fan_in_gets_all_results(
    cloud: AppCloud, control: Control
) -> None:
    items = [number if number % 3 else {"fail_in": list(range(number % 5 + 1))} for number in range(25)]
    run = cloud.run("asking", items=items)
    failing = [[n for n in range(0, 25, 3) if round_ <= n % 5] for round_ in range(5)]

    for round_, numbers in enumerate(failing):
        if round_:
            run = redrive(cloud, control, run, round_)
        assert numbers == [letter.number for letter in run.dead_letters]
        assert ("FAILED" if numbers else "SUCCEEDED", 25 - len(numbers), len(numbers), 0) == counts(run)
        assert (25, round_) == (run.items, run.round)
    run = redrive(cloud, control, run, 5)

    assert ("SUCCEEDED", 25, 0, 0) == counts(run)
    assert [] == list(run.dead_letters)
    assert items == json.loads(cloud.published(run)["all.json"])
    with pytest.raises(RunRefused, match="no item to do again"):
        control.redrive(run.id)


def test_a_chosen_error_is_done_again_alone(cloud: AppCloud, control: Control) -> None:
    run = cloud.run("asking", items=[{"fail_in": [0]}, {"dead": "bad address"}, 3])
    begin_round(cloud, run, 1)
    control.redrive(run.id, error="not yet")
    cloud.run_until_idle()

    assert ("FAILED", 2, 1, 0) == counts(cloud.show(run))
    assert ["bad address"] == [letter.error for letter in cloud.show(run).dead_letters]


def test_items_of_a_chunk_that_killed_its_workers_are_done_again(cloud: AppCloud, control: Control) -> None:
    run = cloud.run("strict", items=[1, {"exit": 1}, {"fail_until": "x"}])
    before = counts(run)
    control.redrive(run.id, items="2")
    cloud.run_until_idle()

    assert (("FAILED", 1, 2, 0), ("FAILED", 2, 1, 0)) == (before, counts(cloud.show(run)))
    assert ["WorkerDied"] == [letter.error_type for letter in cloud.show(run).dead_letters]


@pytest.mark.parametrize("size", [2_000_000, MAX_ITEM_BYTES - len('{"fail_in":[0],"x":""}')])
def test_an_item_that_travels_through_s3_is_done_again(cloud: AppCloud, control: Control, size: int) -> None:
    run = cloud.run("asking", items=[1, {"fail_in": [0], "x": "x" * size}, 3])
    assert ("FAILED", 2, 1, 0) == counts(run)

    assert ("SUCCEEDED", 3, 0, 0) == counts(redrive(cloud, control, run, 1))


def test_what_was_dropped_is_done_again_beside_a_new_run_which_is_not_delayed(
    cloud: AppCloud, control: Control
) -> None:
    run = cloud.fire("tolerant", items=[{"dead": "x"}] * 4 + [{"sleep": 3}] * 40)
    cloud.run_until_idle()
    assert cloud.show(run).dropped > 10

    control.redrive(run.id)
    cloud.advance(seconds=2)
    other = cloud.fire("tolerant", items=[1, 2])
    cloud.advance(seconds=2)
    assert "RUNNING" == cloud.show(run).state == cloud.show(other).state
    cloud.run_until_idle()

    assert ("FAILED", 40, 4, 0) == counts(cloud.show(run))
    assert ("SUCCEEDED", 2, 0, 0) == counts(cloud.show(other))


def test_a_cancelled_redrive_leaves_what_it_has_not_done_as_dead_letters(cloud: AppCloud, control: Control) -> None:
    run = cloud.run("timely", items=[1, *[{"fail_in": [0], "sleep": 4}] * 40])
    assert ("FAILED", 1, 40, 0) == counts(run)
    begin_round(cloud, run, 1)
    control.redrive(run.id)
    cloud.advance(seconds=12)
    control.cancel(run.id)
    cloud.run_until_idle()

    ended = cloud.show(run)
    assert ("CANCELLED", 41, 0) == (ended.state, ended.record.succeeded + ended.failed, ended.dropped)
    assert 0 < ended.failed == len(ended.dead_letters) < 40
    assert ("SUCCEEDED", 41, 0, 0) == counts(redrive(cloud, control, ended, 1))


def test_an_abandoned_redrive_ends_at_once_and_its_items_are_again_what_they_were(
    cloud: AppCloud, control: Control
) -> None:
    """Some failed, some dropped, some of them in a worker's hands, one in a back-off of hours."""
    failing = [{"fail_in": [0], "sleep": 25}] * 3
    late = {"again": 36_000, "until": "2026-01-01T03:00:00Z"}
    pause_worker(cloud, "tolerant")
    run = cloud.fire("tolerant", items=[*failing, {"sleep": 30}, late, {"sleep": 31}])
    cloud.advance(seconds=5)
    control.cancel(run.id)
    pause_worker(cloud, "tolerant", paused=False)
    cloud.run_until_idle()
    control.redrive(run.id, items="0-2")
    cloud.run_until_idle()
    before = cloud.show(run)
    assert ("FAILED", 0, 3, 3) == counts(before)

    begin_round(cloud, run, 1)
    control.redrive(run.id)
    cloud.advance(seconds=20)
    control.cancel(run.id, abandon=True)
    cloud.advance(seconds=3)

    ended = cloud.show(run)
    assert ("CANCELLED", *counts(before)[1:]) == counts(ended)
    assert before.dead_letters == ended.dead_letters
    again = control.redrive(run.id, dry_run=True)
    assert (before.failed, before.dropped, 0) == (again.failed, again.dropped, again.awaited_chunks)
    cloud.run_until_idle(timedelta(hours=14))
    assert (ended.record, before.dead_letters) == (cloud.show(run).record, cloud.show(run).dead_letters)
    assert ("SUCCEEDED", 6, 0, 0) == counts(redrive(cloud, control, run, 1))


def test_what_is_abandoned_is_kept_though_its_message_comes_when_a_redrive_has_begun(
    cloud: AppCloud, control: Control
) -> None:
    run = cloud.fire("tolerant", items=[1, {"dead": "x"}, {"again": 36_000, "until": "2026-01-01T03:00:00Z"}])
    cloud.advance(seconds=30)
    control.cancel(run.id, abandon=True)
    cloud.advance(seconds=30)
    plan = control.redrive(run.id)
    assert (1, 0, 1) == (plan.failed, plan.dropped, plan.awaited_chunks)
    cloud.run_until_idle(timedelta(hours=14))

    assert ("FAILED", 1, 1, 1) == counts(cloud.show(run))
    plan = control.redrive(run.id)
    assert (1, 1, 0) == (plan.failed, plan.dropped, plan.awaited_chunks)
    cloud.run_until_idle(timedelta(hours=14))
    assert ("SUCCEEDED", 2, 1, 0) == counts(cloud.show(run))


def test_of_two_operators_one_wins(cloud: AppCloud, control: Control) -> None:
    run = cloud.run("asking", items=[{"fail_in": [0]}, 2])
    record = control.show(run.id).record
    runs = Runs(Table(cloud.client("dynamodb"), cloud.table))
    reopened = [
        runs.reopen(record, manifest=f"runs/{run.id}/redrive/{who}.jsonl", failed=1, dropped=0, now=cloud.now)
        for who in ("ann", "bob", "ann")
    ]

    assert [True, False, True] == [found is not None for found in reopened]
    with pytest.raises(RunRefused, match="is RUNNING"):
        control.redrive(run.id)


def test_a_redrive_whose_command_died_before_it_told_anybody_is_healed_by_the_keeper(cloud: AppCloud) -> None:
    run = cloud.run("asking", items=[{"fail_in": [0]}, 2])
    begin_round(cloud, run, 1)
    reopen_only(cloud, run.record, {"n": 0, "item": {"fail_in": [0]}})
    cloud.advance(hours=1)

    assert ("SUCCEEDED", 2, 0, 0) == counts(cloud.show(run))
    assert set() == Active(Table(cloud.client("dynamodb"), cloud.table), "asking", limit=1).listed()


def reopen_only(cloud: AppCloud, record: RunRecord, *lines: dict[str, object]) -> None:
    """What an operator's command does until it dies."""
    key = f"runs/{record.id}/redrive/token.jsonl"
    body = "\n".join(map(json.dumps, lines)).encode()
    cloud.client("s3").put_object(Bucket=cloud.bucket, Key=key, Body=body)
    table = Table(cloud.client("dynamodb"), cloud.table)
    Active(table, record.task, limit=None).join_again(record.id)
    assert Runs(table).reopen(record, manifest=key, failed=len(lines), dropped=0, now=cloud.now)
