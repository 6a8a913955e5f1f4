"""Cancel, pause, resume."""

from datetime import UTC, datetime

import pytest

from drumbeat.control import Control
from drumbeat.errors import RunRefused
from drumbeat.testing.cloud import AppCloud

SLOW = [{"sleep": 1}] * 200  # 40 chunks of 5 s; a queue begins with a few workers


@pytest.fixture
def run(control: Control) -> str:
    """A run that is half done."""
    run = control.run("strict", items=SLOW)
    seen = control.follow(run.id, every_s=1, patience_s=60)
    assert next(status.done for status in seen if status.done) < len(SLOW)
    return run.id


def test_a_cancelled_run_ends_with_exact_counts(control: Control, run: str):
    assert "stopping" == control.cancel(run).phase
    *_, last = control.follow(run)

    assert ("CANCELLED", "cancelled by hand") == (last.record.state, last.record.reason)
    assert 200 == last.done
    assert 0 < last.totals.succeeded
    assert 0 < last.totals.dropped


def test_what_was_dropped_is_done_by_a_redrive(control: Control, cloud: AppCloud, run: str):
    control.cancel(run)
    *_, last = control.follow(run)
    plan = control.redrive(run)
    cloud.run_until_idle()

    assert (0, last.totals.dropped) == (plan.failed, plan.dropped)
    assert (200, 0) == (control.show(run).totals.succeeded, control.show(run).totals.dropped)


def test_a_second_redrive_leaves_out_what_the_first_has_done(control: Control, cloud: AppCloud, run: str):
    control.cancel(run)
    list(control.follow(run))
    control.redrive(run, items="0-199")
    cloud.run_until_idle()

    with pytest.raises(RunRefused, match="has no item to do again"):
        control.redrive(run)


def test_an_abandoned_run_ends_at_once(control: Control, cloud: AppCloud, run: str):
    control.cancel(run, abandon=True)
    cloud.advance(seconds=5)

    status = control.show(run)
    assert ("CANCELLED", 200) == (status.record.state, status.done)


def test_what_was_abandoned_is_done_by_a_redrive_once_its_messages_have_come(
    control: Control, cloud: AppCloud, run: str
):
    control.cancel(run, abandon=True)
    cloud.run_until_idle()
    plan = control.redrive(run)
    before = control.show(run).totals.succeeded
    cloud.run_until_idle()

    assert 0 < plan.dropped
    assert before + plan.dropped == control.show(run).totals.succeeded


def test_a_cancelled_run_may_still_be_abandoned_and_a_repeat_is_no_error(control: Control, run: str):
    for abandon in (False, False, True, True):
        assert "RUNNING" == control.cancel(run, abandon=abandon).record.state


def test_a_run_that_has_ended_is_not_cancelled(control: Control, cloud: AppCloud):
    run = cloud.run("threads")

    with pytest.raises(RunRefused, match=r"is SUCCEEDED since 2026-.*; there is nothing to cancel"):
        control.cancel(run.id)


@pytest.mark.cloud(start=datetime(2026, 1, 1, 23, 50, tzinfo=UTC))
def test_a_paused_task_does_not_fire_and_the_fire_is_not_forgotten(control: Control, cloud: AppCloud):
    since = control.pause("plain")
    cloud.advance(minutes=30)

    assert "2026-01-01T23:50:00Z" == since == control.pause("plain")
    assert [("MISSED", "the task was paused")] == [(record.state, record.reason) for record in control.runs("plain")]


@pytest.mark.cloud(start=datetime(2026, 1, 1, 23, 50, tzinfo=UTC))
def test_a_resumed_task_fires(control: Control, cloud: AppCloud):
    control.pause("plain")
    cloud.advance(minutes=5)
    control.resume("plain")
    cloud.advance(minutes=20)

    assert ["SUCCEEDED"] == [record.state for record in control.runs("plain")]


@pytest.mark.cloud(start=datetime(2026, 1, 1, 23, 50, tzinfo=UTC))
def test_a_fire_that_was_missed_can_be_run_by_hand(control: Control, cloud: AppCloud):
    control.pause("plain")
    cloud.advance(minutes=20)
    control.run("plain", at=datetime(2026, 1, 2, tzinfo=UTC))
    cloud.run_until_idle()

    assert ["SUCCEEDED"] == [record.state for record in control.runs("plain")]


def test_a_run_by_hand_starts_while_its_task_is_paused(control: Control):
    control.pause("strict")
    *_, last = control.follow(control.run("strict").id, patience_s=60)

    assert "SUCCEEDED" == last.record.state


def test_a_task_that_is_not_paused_is_not_resumed(control: Control):
    with pytest.raises(RunRefused, match="task 'plain' isn't paused"):
        control.resume("plain")
