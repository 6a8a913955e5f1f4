"""Runs that are started by hand."""

from datetime import UTC, datetime

import pytest

from drumbeat.control import Control, InvalidItems, InvalidParams, RunExists
from drumbeat.errors import UnknownTask
from drumbeat.testing.cloud import AppCloud

AT = datetime(2026, 1, 1, 6, 30, tzinfo=UTC)


def test_a_run_by_hand_is_followed_to_its_end(control: Control):
    run = control.run("strict")
    *before, last = control.follow(run.id, patience_s=60)

    assert ("SUCCEEDED", 5) == (last.record.state, last.totals.succeeded)
    assert all(status.record.state == "RUNNING" for status in before)
    assert last.has_ended
    assert not last.has_failed


def test_a_run_has_the_time_the_name_and_the_parameters_that_were_given(control: Control, cloud: AppCloud):
    run = control.run("strict", at=AT, name="again", params={"tenant": 42})
    cloud.run_until_idle()

    record = control.show("strict/2026-01-01T06:30:00Z/again").record
    assert "strict/2026-01-01T06:30:00Z/again" == run.id
    assert ("SUCCEEDED", '{"tenant": 42}', "again") == (record.state, record.params, record.name)


@pytest.mark.cloud(start=datetime(2026, 1, 1, 0, 0, 7, tzinfo=UTC))
def test_a_run_without_a_time_is_not_the_run_of_a_fire_in_its_minute(control: Control, cloud: AppCloud):
    by_hand = control.run("plain")
    fire = cloud.fire("plain")
    cloud.run_until_idle()

    assert "plain/2026-01-01T00:00:00Z/by-hand-07" == by_hand.id
    assert "plain/2026-01-01T00:00:00Z" == fire.id
    assert {"SUCCEEDED", "SKIPPED"} == {control.show(run.id).record.state for run in (by_hand, fire)}


def test_a_run_does_the_items_that_were_given(control: Control, cloud: AppCloud):
    run = control.run("strict", items=["ann", {"raise": "poison"}, "bob"])
    cloud.run_until_idle()

    assert (3, 2, 1) == (control.show(run.id).items, *_counts(control, run.id))
    assert [{"raise": "poison"}] == [failure.item for failure in control.failures(run.id)]


def test_a_run_that_exists_is_not_started_again(control: Control, cloud: AppCloud):
    control.run("strict", at=AT)
    cloud.run_until_idle()

    with pytest.raises(RunExists, match="strict/2026-01-01T06:30:00Z exists already, it is SUCCEEDED; choose another"):
        control.run("strict", at=AT)


def test_two_operators_who_give_other_items_for_one_run_do_not_mix_them(control: Control, cloud: AppCloud):
    control.run("strict", at=AT, items=[1, 2])  # its dispatcher hasn't begun yet
    with pytest.raises(RunExists, match="other items were given for run strict/2026-01-01T06:30:00Z already"):
        control.run("strict", at=AT, items=[3])
    cloud.run_until_idle()

    assert 2 == control.show("strict/2026-01-01T06:30:00Z").totals.succeeded


def test_the_same_command_given_twice_is_one_run(control: Control, cloud: AppCloud):
    """As after a lost answer: the items are there, and the run isn't yet."""
    control.run("strict", at=AT, items=[1, 2])
    control.run("strict", at=AT, items=[1, 2])
    cloud.run_until_idle()

    assert ["SUCCEEDED"] == [record.state for record in control.runs("strict")]


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"task": "strct"}, UnknownTask, "no task 'strct' in stack Drumbeat; did you mean strict?"),
        ({"at": datetime(2026, 1, 1, 6, 30, 5, tzinfo=UTC)}, InvalidParams, "runs are named by the minute"),
        ({"at": AT.replace(tzinfo=None)}, InvalidParams, "with a time zone"),
        ({"name": "a/b"}, InvalidParams, "name 'a/b': 1 to 64 letters"),
        ({"params": {"x": {1}}}, InvalidParams, "aren't JSON"),
        ({"params": {"x": "y" * 40_000}}, InvalidParams, "40,009 bytes of parameters, 32,768 allowed"),
        ({"items": [1, {2}]}, InvalidItems, "task 'strict', item 1: a set that isn't JSON"),
    ],
)
def test_what_can_not_be_started_is_refused_and_leaves_nothing(control: Control, wrong, error, message):
    with pytest.raises(error, match=message):
        control.run(**{"task": "strict", **wrong})

    assert [] == list(control.runs())


def _counts(control: Control, run_id: str):
    totals = control.show(run_id).totals
    return totals.succeeded, totals.failed
