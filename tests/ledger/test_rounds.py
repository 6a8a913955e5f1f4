"""A run that is redriven: what was about its earlier round comes too late."""

from datetime import UTC, datetime

import pytest

from drumbeat.errors import Fenced
from drumbeat.ledger.active import Active
from drumbeat.ledger.count import Totals
from drumbeat.ledger.record import FAILED, RUNNING, SUCCEEDED, Plan, RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.ledger.table import Table
from drumbeat.run import BACKFILL, Run
from drumbeat.signal import Fire

NOW = datetime(2026, 11, 22, tzinfo=UTC)
RUN = Run("sunrise", NOW)


def failed_run(runs: Runs, table: Table, *, lane: str = "live") -> tuple[RunRecord, RunRecord]:
    """A run of three items of which one has failed: as its finisher saw it, and as it ended."""
    record = runs.open(
        Fire(RUN, lane=lane),
        owner="ann",
        active=Active(table, "sunrise", limit=1),
        overlap="skip",
        plan=Plan("queue", "dispatcher"),
        now=NOW,
    )
    assert record is not None
    sealed = runs.seal(runs.save_cursor(record, chunks=1, items=3, messages=1))
    decided = runs.decide(sealed, verdict=FAILED, reason="one failed")
    return decided, runs.close(decided, state=FAILED, totals=Totals(2, 1, 3), reason="one failed", now=NOW)


def test_a_finisher_that_comes_late_ends_no_later_round(table: Table) -> None:
    runs = Runs(table)
    seen, ended = failed_run(runs, table)
    runs.reopen(ended, manifest="manifest", failed=1, dropped=0, now=NOW)

    with pytest.raises(Fenced):
        runs.decide(seen, verdict=SUCCEEDED, reason="")
    with pytest.raises(Fenced):
        runs.close(seen, state=FAILED, totals=Totals(2, 1, 3), reason="one failed", now=NOW)
    assert runs.begin_finish(seen, owner="bob") is None
    found = runs.get(RUN)
    assert found is not None
    assert (RUNNING, "", 1) == (found.state, found.verdict, found.round)


def test_the_counts_of_all_rounds_are_those_of_the_run(table: Table) -> None:
    runs = Runs(table)
    _, ended = failed_run(runs, table)
    again = runs.reopen(ended, manifest="manifest", failed=1, dropped=0, now=NOW)

    assert again is not None
    assert Totals(2, 1, 5) == again.with_redrive(Totals(failed=1, attempts=2))
    assert Totals(3, 0, 4) == again.with_redrive(Totals(succeeded=1, attempts=1))
    assert (3, f"{RUN.id}~1") == (again.all_items, again.tree)


def test_a_redrive_of_a_backfill_s_run_goes_through_the_live_queue(table: Table) -> None:
    """That of backfills is polled only while there is one."""
    runs = Runs(table)
    _, ended = failed_run(runs, table, lane=BACKFILL)
    again = runs.reopen(ended, manifest="manifest", failed=1, dropped=0, now=NOW)

    assert again is not None
    assert ("live", "") == (again.lane, again.queue_url)
