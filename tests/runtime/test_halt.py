"""A run that is cancelled, that fails too often, or that takes too long: it ends soon, with exact counts."""

from datetime import timedelta

import pytest

from drumbeat.control import Control
from drumbeat.errors import RunRefused
from drumbeat.ledger.active import Active
from drumbeat.ledger.record import CANCEL
from drumbeat.ledger.runs import Runs
from drumbeat.ledger.table import Table
from drumbeat.run import Run
from drumbeat.testing.cloud import AppCloud, RunView
from tests.runtime.lanes import pause_worker

ROUND = timedelta(minutes=15)  # of the keeper


def counts(run: RunView) -> tuple[str, int, int, int]:
    return run.state, run.record.succeeded, run.failed, run.dropped


def halt(cloud: AppCloud, run: Run, kind: str = CANCEL) -> None:
    """What the operator's command does first."""
    Runs(Table(cloud.client("dynamodb"), cloud.table)).halt(run, kind=kind, reason="by a test", now=cloud.now)


# -- cancel and abandon ------------------------------------------------------------------------------------------


def test_workers_stop_within_seconds_and_what_is_in_flight_finishes(cloud: AppCloud, control: Control) -> None:
    run = cloud.fire("timely", items=[{"sleep": 3}] * 100)
    cloud.advance(seconds=20)
    control.cancel(run.id)
    before = control.show(run.id).done
    cloud.advance(seconds=20)

    ended = cloud.show(run)
    assert "CANCELLED" == ended.state
    assert 100 == ended.record.succeeded + ended.dropped
    assert before <= ended.record.succeeded <= before + 2 * 5  # two workers, a chunk each
    assert ended.record.completed_at


def test_a_run_cancelled_while_it_expands_has_the_items_that_were_sent(cloud: AppCloud, control: Control) -> None:
    run = cloud.fire("tolerant", params={"items": 200, "pause": 1})
    cloud.advance(seconds=45)
    control.cancel(run.id)
    cloud.run_until_idle()

    ended = cloud.show(run)
    assert "CANCELLED" == ended.state
    assert 0 < ended.items < 100
    assert ended.items == ended.record.succeeded + ended.dropped


def test_a_run_cancelled_while_it_waits_never_starts(cloud: AppCloud, control: Control) -> None:
    first = cloud.fire("tolerant", items=[{"sleep": 30}])
    cloud.advance(seconds=5)
    second, third = (
        cloud.fire("tolerant", items=[number], at=cloud.now + timedelta(minutes=number)) for number in (1, 2)
    )
    cloud.advance(seconds=5)
    control.cancel(second.id)
    cloud.run_until_idle()

    assert ["SUCCEEDED", "CANCELLED", "SUCCEEDED"] == [cloud.show(run).state for run in (first, second, third)]
    assert "" == cloud.show(second).started_at != cloud.show(second).completed_at


def test_a_waiting_run_whose_cancel_died_halfway_leaves_the_line(cloud: AppCloud) -> None:
    first = cloud.fire("tolerant", items=[{"again": 1800, "until": "2026-01-01T01:00:00Z"}])
    cloud.advance(seconds=5)
    second = cloud.fire("tolerant", items=[1], at=cloud.now + timedelta(minutes=1))
    cloud.advance(seconds=5)
    halt(cloud, second)
    cloud.advance(hours=3)

    assert ["SUCCEEDED", "CANCELLED"] == [cloud.show(run).state for run in (first, second)]
    assert set() == listed(cloud, "tolerant")


def listed(cloud: AppCloud, task: str) -> set[str]:
    return Active(Table(cloud.client("dynamodb"), cloud.table), task, limit=1).listed()


def test_a_run_cancelled_while_it_finishes_ends_once(cloud: AppCloud, control: Control) -> None:
    run = cloud.fire("tolerant", items=[1, 2, 3], params={"finish": 30})
    cloud.advance(seconds=15)
    control.cancel(run.id)
    cloud.run_until_idle()

    assert counts(cloud.show(run)) in [("SUCCEEDED", 3, 0, 0), ("CANCELLED", 3, 0, 0)]


def test_a_run_that_has_ended_stays_as_it_is(cloud: AppCloud, control: Control) -> None:
    run = cloud.run("tolerant", items=[1])
    with pytest.raises(RunRefused):
        control.cancel(run.id)
    cloud.advance(hours=1)

    assert run.record == cloud.show(run).record


def test_an_abandoned_run_does_not_wait_and_keeps_what_was_dropped(cloud: AppCloud, control: Control) -> None:
    run = cloud.fire("timely", items=[{"sleep": 20}, *range(4)] + [{"sleep": 20}] * 15)
    cloud.advance(seconds=10)
    control.cancel(run.id, abandon=True)
    cloud.advance(seconds=3)

    ended = cloud.show(run)
    assert ("CANCELLED", 0, 0, 20) == counts(ended)
    cloud.run_until_idle()
    assert ended.record == cloud.show(run).record
    assert (0, 0) < (control.redrive(run.id, dry_run=True).dropped, 0)


def test_what_a_worker_had_in_hand_when_its_run_was_abandoned_is_done_by_a_redrive(
    cloud: AppCloud, control: Control
) -> None:
    """One item on its second attempt, and others on their first, all done just after the sweep."""
    items = [{"fail_until": "once"}, {"sleep": 20}, *range(4), {"sleep": 20}, {"sleep": 20}]
    run = cloud.fire("timely", items=items)
    cloud.advance(seconds=45)
    control.cancel(run.id, abandon=True)
    cloud.run_until_idle()
    ended = cloud.show(run)
    assert ("CANCELLED", len(items)) == (ended.state, sum(counts(ended)[1:]))
    assert 0 < ended.dropped == control.redrive(run.id).dropped
    cloud.run_until_idle()
    assert ("SUCCEEDED", len(items), 0, 0) == counts(cloud.show(run))


def test_a_cancelled_run_whose_messages_are_in_a_long_back_off_is_swept_by_the_keeper(
    cloud: AppCloud, control: Control
) -> None:
    run = cloud.fire("tolerant", items=[1, 2, {"again": 36_000, "until": "2026-01-01T09:00:00Z"}])
    cloud.advance(seconds=30)
    control.cancel(run.id)
    cloud.advance(seconds=30)
    assert "RUNNING" == cloud.show(run).state
    cloud.advance(ROUND * 4)

    assert ("CANCELLED", 2, 0, 1) == counts(cloud.show(run))
    cloud.run_until_idle(timedelta(hours=14))
    assert (0, 1) == (control.redrive(run.id).failed, 1)
    cloud.run_until_idle(timedelta(hours=14))
    assert ("SUCCEEDED", 3, 0, 0) == counts(cloud.show(run))


# -- tolerance ---------------------------------------------------------------------------------------------------


def test_a_run_within_its_tolerance_succeeds_with_its_failures_listed(cloud: AppCloud) -> None:
    run = cloud.run("tolerant", items=[1, {"dead": "a"}, 2, {"dead": "b"}, {"dead": "c"}, 3])

    assert ("SUCCEEDED", 3, 3, 0) == counts(run)
    assert ["a", "b", "c"] == [letter.error for letter in run.dead_letters]


def test_a_run_that_exceeds_its_tolerance_stops_early_and_drops_the_rest(cloud: AppCloud) -> None:
    run = cloud.run("tolerant", items=[{"dead": "x"}] * 6 + [{"sleep": 3}] * 60)

    assert "FAILED" == run.state
    assert "4 or more items failed; 3 are tolerated" == run.reason
    assert 66 == run.record.succeeded + run.failed + run.dropped
    assert 4 <= run.failed <= 6
    assert run.dropped > 40


def test_a_share_is_known_once_all_items_are(cloud: AppCloud) -> None:
    run = cloud.run("plain", items=[{"raise": "no"}] * 30 + list(range(29)))

    assert ("FAILED", 59) == (run.state, run.record.succeeded + run.failed + run.dropped)
    assert "50 % are tolerated" in run.reason
    assert ("SUCCEEDED", 30, 30, 0) == counts(cloud.run("plain", items=[{"raise": "no"}] * 30 + list(range(30))))


def test_a_run_that_tolerates_nothing_still_does_all_of_its_items(cloud: AppCloud) -> None:
    run = cloud.run("asking", items=[{"dead": "x"}, *range(30), {"dead": "y"}])

    assert ("FAILED", 30, 2, 0) == counts(run)
    assert "2 of 32 items failed; none are tolerated" == run.reason


# -- deadline ----------------------------------------------------------------------------------------------------


def test_what_is_not_done_at_the_deadline_has_failed_with_a_dead_letter(cloud: AppCloud) -> None:
    run = cloud.run("timely", items=[{"sleep": 25}] * 80)

    assert "FAILED" == run.state
    assert f"not done at the deadline, {run.deadline_at}" == run.reason
    assert (80, 0) == (run.record.succeeded + run.failed, run.dropped)
    assert {"DeadlineExceeded"} == {letter.error_type for letter in run.dead_letters}
    assert run.failed == len(run.dead_letters) > 0
    assert run.completed_at < "2026-01-01T00:12:30Z"


def test_the_keeper_ends_a_run_at_its_deadline_when_no_worker_does(cloud: AppCloud) -> None:
    pause_worker(cloud, "timely")
    run = cloud.fire("timely", items=range(12))
    cloud.advance(ROUND * 4)

    ended = cloud.show(run)
    assert ("FAILED", 0, 12, 0) == counts(ended)
    assert f"not done at the deadline, {ended.deadline_at}" == ended.reason

    pause_worker(cloud, "timely", paused=False)
    cloud.run_until_idle()
    after = cloud.show(run)
    assert ended.record == after.record
    assert [("DeadlineExceeded", number) for number in range(12)] == [
        (letter.error_type, letter.item) for letter in after.dead_letters
    ]


def test_a_run_that_is_done_before_its_deadline_is_not_failed_by_a_late_finish(cloud: AppCloud) -> None:
    run = cloud.run("timely", items=[1, 2])
    reopened = {"pk": {"S": "task#timely"}, "sk": {"S": f"run#{run.scheduled_at}"}}
    cloud.client("dynamodb").update_item(
        TableName=cloud.table,
        Key=reopened,
        UpdateExpression="SET #state = :running, verdict = :none",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":running": {"S": "RUNNING"}, ":none": {"S": ""}},
    )
    cloud.client("dynamodb").update_item(
        TableName=cloud.table,
        Key={"pk": {"S": "task#timely"}, "sk": {"S": "active"}},
        UpdateExpression="ADD runs :run",
        ExpressionAttributeValues={":run": {"SS": [run.id]}},
    )
    cloud.advance(ROUND * 5)

    assert ("SUCCEEDED", 2, 0, 0) == counts(cloud.show(run))
