"""A budget's slots are leased once each, in order of time, whoever asks and whatever is repeated."""

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drumbeat import Budget
from drumbeat.ledger import budgets
from drumbeat.ledger.budgets import Grant
from drumbeat.ledger.table import Table, Written

TEN = Budget("ten", per_second=10)
SECOND = 1_000_000
NUMBERS = count()
NOW = 1_800_000_000 * SECOND


class Counting(Table):
    """A table that counts its writes."""

    def __init__(self, table: Table) -> None:
        self.__dict__.update(table.__dict__)
        self.writes = 0

    def update(self, *arguments: Any, **values: Any) -> Written:
        self.writes += 1
        return super().update(*arguments, **values)


@pytest.fixture
def counting(table: Table) -> Counting:
    return Counting(table)


def lease(
    table: Table, slots: int, *, at_s: float, within_s: float = 3, is_busy: bool = False, budget: Budget = TEN
) -> Grant:
    now_us = NOW + round(at_s * SECOND)
    latest_us = now_us + round(within_s * SECOND)
    return budgets.lease(
        table, budget, slots, now_us=now_us, latest_us=latest_us, is_busy=is_busy, expires_at=NOW // SECOND
    )


def granted(at_s: float) -> Grant:
    return Grant(NOW + round(at_s * SECOND), accepted=True)


def test_leases_follow_each_other(table: Table) -> None:
    assert [granted(0), granted(0.5), granted(0.6)] == [lease(table, slots, at_s=0) for slots in (5, 1, 3)]


def test_time_that_has_passed_is_not_leased(table: Table) -> None:
    lease(table, 5, at_s=0)

    assert granted(7) == lease(table, 5, at_s=7)


def test_a_lease_too_far_off_is_refused_and_says_from_when_there_is_one(table: Table) -> None:
    lease(table, 40, at_s=0)

    assert Grant(NOW + 4 * SECOND, accepted=False) == lease(table, 1, at_s=0)
    assert granted(4) == lease(table, 1, at_s=1)


def test_budgets_don_t_share_their_slots(table: Table) -> None:
    lease(table, 40, at_s=0)

    assert granted(0) == lease(table, 1, at_s=0, budget=Budget("other", per_second=10))


def test_a_lease_costs_one_write_for_who_knows_where_the_budget_stands(counting: Counting) -> None:
    lease(counting, 5, at_s=0)  # idle: nothing is known, and nothing is leased
    lease(counting, 5, at_s=0.2, is_busy=True)  # busy, and known to be
    assert 2 == counting.writes

    lease(counting, 5, at_s=0.3)  # busy, and thought to be idle
    assert 4 == counting.writes


def test_places_in_line_follow_each_other_and_lease_nothing(table: Table) -> None:
    places = [
        budgets.queue(table, TEN, 8, from_us=NOW + SECOND, latest_us=NOW + 3 * SECOND, expires_at=0) for _ in range(4)
    ]

    assert [granted(1), granted(1.8), granted(2.6)] == places[:3]
    assert not places[3].accepted
    assert granted(0) == lease(table, 1, at_s=0)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.integers(-SECOND, 3 * SECOND), st.integers(1, 30), st.integers(-SECOND, SECOND), st.booleans()),
        max_size=15,
    ),
)
def test_no_slot_is_leased_twice_whatever_the_clocks_the_guesses_and_the_repeats(
    table: Table, steps: list[tuple[int, int, int, bool]]
) -> None:
    budget = Budget(f"budget-{next(NUMBERS)}", per_second=7)
    end_us, now_us = 0, NOW
    for step_us, slots, skew_us, repeated in steps:
        now_us = max(NOW, now_us + step_us)
        clock_us = now_us + skew_us
        for _ in range(1 + repeated):  # the reply to the first was lost, and the SDK sends it again
            grant = budgets.lease(
                table, budget, slots, now_us=clock_us, latest_us=clock_us + SECOND, is_busy=step_us < 0, expires_at=0
            )
            if grant.accepted:
                assert max(end_us, clock_us) <= grant.start_us <= clock_us + SECOND
                end_us = grant.start_us + budget.length_us(slots)
            else:
                assert grant.start_us == end_us > clock_us + SECOND
