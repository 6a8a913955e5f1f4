"""Failures are reported well enough to stop a run early, and never one that is within its tolerance."""

import random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from drumbeat.ledger import failures
from drumbeat.ledger.table import Table

from .conftest import new_table


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tolerated=st.integers(0, 2000),
    later=st.integers(0, 2000),
    leaves=st.integers(1, 5),
    seed=st.integers(0, 2**32),
)
@example(tolerated=1000, later=300, leaves=1, seed=1)
def test_a_run_is_stopped_when_it_has_too_many_failures_and_never_before(
    table: Table, tolerated: int, later: int, leaves: int, seed: int
) -> None:
    """The limit gets lower when the run is sealed and its share is known; workers see that late."""
    del table  # its mock is active
    ledger, chance = new_table(), random.Random(seed)
    limits = [tolerated, min(tolerated, later)]
    failed, chunks = [0] * leaves, 0
    while chunks < 200:
        leaf, new = chance.randrange(leaves), chance.choice([0, 1, 1, 5, 60])
        failed[leaf] += new
        limit, chunks = chance.choice(limits if chunks > 50 else limits[:1]), chunks + 1
        if failures.report(ledger, "tree", f"{leaf}", failed[leaf], new=new, tolerated=limit, expires_at=0):
            assert sum(failed) > limit
            break
        if chunks <= 50:
            assert sum(failed) <= limit + leaves * (max(1, limit // 128) - 1)


@pytest.mark.parametrize("tolerated", [0, 3, 255])
def test_a_run_that_tolerates_little_is_stopped_at_the_first_failure_too_many(table: Table, tolerated: int) -> None:
    told = [
        failures.report(table, "tree", f"{n % 3}", n // 3 + 1, new=1, tolerated=tolerated, expires_at=0)
        for n in range(tolerated + 1)
    ]

    assert [False] * tolerated + [True] == told


def test_a_report_that_a_crash_has_swallowed_is_made_up_for(table: Table) -> None:
    assert not failures.report(table, "tree", "0", 2, new=2, tolerated=4, expires_at=0)

    assert failures.report(table, "tree", "0", 5, new=1, tolerated=4, expires_at=0)  # the one of 4 is missing
