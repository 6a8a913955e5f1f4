"""What may come between joining the active runs and being opened: two writes, and others write in between."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from drumbeat.ledger.active import Active, Entry
from drumbeat.ledger.record import MISSED, RUNNING, SKIPPED, WAITING, Plan, RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.ledger.table import Table
from drumbeat.run import Run
from drumbeat.signal import Fire

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ONE, OTHER = Run("sunrise", NOW), Run("sunrise", NOW + timedelta(minutes=1))


class Interrupted(Active):
    """Lets something happen right after a run has entered for the first time."""

    then: Callable[[], Any] | None = None

    def enter(self, run: Run, overlap: str, **others: Any) -> Entry:
        """Enter, then be interrupted."""
        entry = super().enter(run, overlap, **others)
        if self.then is not None:
            then, self.then = self.then, None
            then()
        return entry


def open_(table: Table, run: Run, *, owner: str, overlap: str = "skip", then: Any = None) -> RunRecord | None:
    active = Interrupted(table, "sunrise", limit=1)
    active.then = then
    plan = Plan(queue_url="queue", dispatcher="dispatcher")
    fire = Fire(run, by_hand=True)
    return Runs(table).open(fire, owner=owner, active=active, overlap=overlap, plan=plan, now=NOW)


@pytest.mark.parametrize(("overlap", "state"), [("skip", SKIPPED), ("buffer_all", WAITING)])
def test_a_skipped_run_that_is_started_by_hand_does_not_run_beside_the_one_that_took_its_place(
    table: Table, overlap: str, state: str
) -> None:
    """Between its two writes a fire finds it listed, and thinks that it has ended, as it was skipped."""
    Runs(table).note(ONE, SKIPPED, reason="", now=NOW)
    others: list[RunRecord | None] = []
    found = open_(
        table, ONE, owner="ann", overlap=overlap, then=lambda: others.append(open_(table, OTHER, owner="bob"))
    )

    assert [RUNNING] == [other.state for other in others if other]
    assert found is not None
    assert (state, OTHER.id) == (found.state, found.blocked_by)
    assert found == Runs(table).get(ONE)
    assert {OTHER.id} == Active(table, "sunrise", limit=1).running()


def test_a_missed_run_that_the_keeper_takes_off_while_it_is_opened_is_listed_again(table: Table) -> None:
    Runs(table).note(ONE, MISSED, reason="", now=NOW)
    found = open_(table, ONE, owner="ann", then=lambda: Active(table, "sunrise", limit=1).leave(ONE.id))

    assert found is not None
    assert RUNNING == found.state
    assert {ONE.id} == Active(table, "sunrise", limit=1).running()


def test_a_run_that_is_noted_as_missed_while_it_is_opened_begins(table: Table) -> None:
    found = open_(table, ONE, owner="ann", then=lambda: Runs(table).note(ONE, MISSED, reason="", now=NOW))

    assert found is not None
    assert (RUNNING, "ann") == (found.state, found.owner)


def test_a_second_delivery_of_a_fire_that_was_skipped_leaves_nothing_in_the_line(table: Table) -> None:
    """It read the ledger before the first one has skipped the run, and comes when there is room again."""
    fire, plan = Fire(ONE), Plan(queue_url="queue", dispatcher="dispatcher")
    active = Interrupted(table, "sunrise", limit=1)
    active.then = lambda: Runs(table).note(ONE, SKIPPED, reason="", now=NOW)

    assert Runs(table).open(fire, owner="ann", active=active, overlap="skip", plan=plan, now=NOW) is None
    assert set() == active.listed()
