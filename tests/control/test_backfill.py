"""Past fires, run a few at a time."""

from datetime import UTC, datetime, timedelta

import pytest

from drumbeat import Cron, Task
from drumbeat.control import Control, InvalidRange
from drumbeat.errors import RunRefused
from drumbeat.testing.cloud import AppCloud

pytestmark = pytest.mark.cloud(start=datetime(2026, 1, 10, 12, tzinfo=UTC))
PLAIN = Task("plain", schedule=Cron("0 0 * * ? *"))  # as the app declares it


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def test_missing_runs_are_opened_oldest_first(control: Control, cloud: AppCloud):
    cloud.run("plain", [1], at=day(6))
    plan = control.backfill(PLAIN, day(5), day(8))
    cloud.advance(hours=2)

    assert (3, 4, "plain/2026-01-05T00:00:00Z") == (plan.runs, plan.fires, plan.first[0])
    by_start = sorted(control.runs("plain"), key=lambda record: (record.started_at, record.scheduled_at))
    assert [6, 5, 7, 8] == [int(record.scheduled_at[8:10]) for record in by_start]
    assert {"SUCCEEDED"} == {record.state for record in by_start}
    assert {"backfill"} == {record.lane for record in by_start[1:]}


def test_a_backfill_tells_how_it_stands_and_ends(control: Control, cloud: AppCloud):
    assert control.show_backfill("plain") is None
    control.backfill(PLAIN, day(5), day(8), order="newest")
    assert {"plain/2026-01-08T00:00:00Z"} == control.show_backfill("plain").runs
    cloud.advance(hours=2)

    found = control.show_backfill("plain")
    assert ("done", 4, frozenset()) == (found.state, found.opened, found.runs)


def test_a_dry_run_opens_nothing(control: Control, cloud: AppCloud):
    plan = control.backfill(PLAIN, day(1), day(9), max_active=3, dry_run=True)
    cloud.advance(hours=1)

    assert (9, [], None) == (plan.runs, list(control.runs("plain")), control.show_backfill("plain"))


def test_failed_runs_are_run_again_under_a_name(control: Control, cloud: AppCloud):
    cloud.run("plain", [{"raise": "poison"}], at=day(6))
    cloud.run("plain", [1], at=day(7))
    plan = control.backfill(PLAIN, day(5), day(8), only="failed")
    cloud.advance(hours=1)

    assert ("plain/2026-01-06T00:00:00Z/rerun-1",) == plan.first
    assert "SUCCEEDED" == control.show("plain/2026-01-06T00:00:00Z/rerun-1").record.state


def test_one_backfill_of_a_task_at_a_time(control: Control, cloud: AppCloud):
    control.backfill(PLAIN, day(1), day(9))

    with pytest.raises(RunRefused, match=r"has a backfill from 2026-01-01T00:00:00Z .* under way.*; stop it first"):
        control.backfill(PLAIN, day(2), day(3))
    stopped = control.stop_backfill("plain")
    cloud.advance(hours=2)

    assert "stopped" == stopped.state
    assert 1 == len(list(control.runs("plain")))
    with pytest.raises(RunRefused, match="has no backfill under way"):
        control.stop_backfill("plain")


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"first": day(9), "last": day(8)}, InvalidRange, "from 2026-01-09T00:00:00Z is after to 2026-01-08"),
        ({"last": day(11)}, InvalidRange, "to 2026-01-11T00:00:00Z is in the future, now is 2026-01-10T12:00:00Z"),
        ({"first": day(5).replace(tzinfo=None)}, InvalidRange, "has no time zone"),
        ({"first": day(5) - timedelta(days=90)}, InvalidRange, "the ledger forgets runs after 90 days"),
        ({"first": day(5).replace(hour=1), "last": day(5).replace(hour=2)}, InvalidRange, "has no fire from"),
        ({"order": "random"}, InvalidRange, "order 'random': oldest or newest is allowed"),
        ({"only": "some"}, InvalidRange, "only 'some': missing or failed or all"),
        ({"max_active": 0}, InvalidRange, "max_active 0: 1 to 100 runs"),
        ({"only": "failed"}, RunRefused, "none of the 4 fires .* is to be run"),
        ({"task": Task("strict")}, InvalidRange, "'strict' has no schedule"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(control: Control, wrong, error, message):
    with pytest.raises(error, match=message):
        control.backfill(**{"task": PLAIN, "first": day(5), "last": day(8), **wrong})

    assert control.show_backfill("plain") is None
