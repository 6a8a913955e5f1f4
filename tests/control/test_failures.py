"""What a run has given up: listed, by error, chosen, done again."""

import pytest

from drumbeat.control import Control, InvalidFilter
from drumbeat.errors import RunRefused
from drumbeat.testing.cloud import AppCloud

ITEMS = [
    "ann",
    {"raise": "HTTP 503 of customer 17"},
    "bob",
    {"raise": "no such customer"},
    {"raise": "HTTP 504 of customer 4"},
]


@pytest.fixture
def run(cloud: AppCloud) -> str:
    """A run of five items, of which three were given up."""
    return str(cloud.run("strict", ITEMS).id)


def test_failures_are_told_with_item_error_and_attempts(control: Control, run: str):
    first = next(control.failures(run))

    assert (1, ITEMS[1], "RuntimeError: HTTP 503 of customer 17", 1) == (
        first.number,
        first.item,
        first.text,
        first.attempts,
    )


def test_failures_are_chosen_by_a_regular_expression(control: Control, run: str):
    assert [1, 4] == [failure.number for failure in control.failures(run, error="HTTP 50[0-9]")]
    assert [1, 3, 4] == [failure.number for failure in control.failures(run, error="^RuntimeError")]


def test_failures_by_error_leave_numbers_out(control: Control, run: str):
    assert [("RuntimeError: HTTP # of customer #", 2, [1, 4]), ("RuntimeError: no such customer", 1, [3])] == [
        (entry.error, entry.count, entry.numbers) for entry in control.failures_by_error(run)
    ]


def test_a_wrong_expression_is_refused(control: Control, run: str):
    with pytest.raises(InvalidFilter, match=r"'\(' is no regular expression"):
        control.failures(run, error="(")


def test_an_item_that_only_s3_holds_is_fetched(control: Control, cloud: AppCloud):
    run = cloud.run("strict", [{"raise": "x" * 400_000}])

    assert 400_000 == len(next(control.failures(run.id)).item["raise"])


def test_a_dry_run_of_a_redrive_changes_nothing(control: Control, run: str):
    before = control.show(run)
    plan = control.redrive(run, dry_run=True)

    assert (3, 0, (1, 3, 4), 1) == (plan.failed, plan.dropped, plan.numbers, plan.round)
    assert before == control.show(run)


def test_a_redrive_does_just_the_failed_items_again(control: Control, cloud: AppCloud):
    run = cloud.run("strict", ["ann", {"fail_until": "key"}, "bob"]).id
    assert (2, 1) == _counts(control, run)

    control.redrive(run)
    cloud.run_until_idle()

    status = control.show(run)
    assert ("SUCCEEDED", 3, 0, 3) == (status.record.state, *_counts(control, run), status.items)
    assert [] == list(control.failures(run))
    assert 1 == status.record.round


def test_a_redrive_takes_the_errors_and_the_numbers_that_were_named(control: Control, cloud: AppCloud, run: str):
    assert (1, 4) == control.redrive(run, error="HTTP", dry_run=True).numbers
    assert (3, 4) == control.redrive(run, items="2-4", dry_run=True).numbers
    assert (3,) == control.redrive(run, items="3", error="no such", dry_run=True).numbers

    control.redrive(run, items="3")
    cloud.run_until_idle()

    assert (2, 3) == _counts(control, run)
    assert [1, 3, 4] == [failure.number for failure in control.failures(run)]


def test_a_run_may_be_redriven_again_and_again(control: Control, cloud: AppCloud, run: str):
    for number in (1, 2, 3):
        assert number == control.redrive(run, error="customer").round
        cloud.run_until_idle()

    assert (2, 3) == _counts(control, run)
    assert 5 == control.show(run).items


@pytest.mark.parametrize(
    ("chosen", "error", "message"),
    [
        ({"items": "2"}, InvalidFilter, "item 2 is none that can be done again; it hasn't failed"),
        ({"items": "99"}, InvalidFilter, "item 99 is none"),
        ({"items": "a"}, InvalidFilter, "'a' is no number and no range; write it like 3,7,10-20"),
        ({"items": "4-3"}, InvalidFilter, "ends before it begins; write 3-4"),
        ({"error": "nowhere"}, RunRefused, "has no item to do again that this chooses"),
        ({"error": "["}, InvalidFilter, "no regular expression"),
    ],
)
def test_a_redrive_of_what_has_not_failed_is_refused(control: Control, run: str, chosen, error, message):
    with pytest.raises(error, match=message):
        control.redrive(run, **chosen)

    assert 0 == control.show(run).record.round


def test_a_run_that_goes_on_is_not_redriven(control: Control, cloud: AppCloud):
    run = control.run("strict", items=[{"sleep": 5}])
    cloud.advance(seconds=3)

    with pytest.raises(RunRefused, match="is RUNNING; redrive it when it has ended"):
        control.redrive(run.id)


def test_of_two_who_redrive_a_run_one_is_told_of_the_other(control: Control, run: str):
    control.redrive(run)

    with pytest.raises(RunRefused, match="is RUNNING; redrive it when"):
        control.redrive(run)


def test_of_two_who_redrive_at_the_same_moment_one_wins(control: Control, cloud: AppCloud, run: str):
    def late() -> str:
        other = Control(control.deployment, cloud, now=lambda: cloud.now)
        other.redrive(run)
        return "mine"

    control._token = late
    with pytest.raises(RunRefused, match="was redriven by somebody else just now"):
        control.redrive(run)
    cloud.run_until_idle()

    assert (1, 2, 3) == (control.show(run).record.round, *_counts(control, run))


def _counts(control: Control, run_id: str):
    totals = control.show(run_id).totals
    return totals.succeeded, totals.failed
