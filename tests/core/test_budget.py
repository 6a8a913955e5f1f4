"""What a budget may be, and that tasks agree on it."""

from typing import Any

import pytest

from drumbeat import Budget, Task
from drumbeat.budget import check_budgets
from drumbeat.errors import BudgetConflict, InvalidTask


@pytest.mark.parametrize("rate", [0.001, 1, 50, 33.3, 100_000])
def test_a_budget_is_a_name_and_a_rate(rate: float) -> None:
    assert ("stripe", rate) == (Budget("stripe", per_second=rate).name, Budget("stripe", per_second=rate).per_second)


@pytest.mark.parametrize("rate", [0, -1, 0.0009, 100_001, float("nan"), float("inf"), True, "50", None])
def test_a_rate_that_can_t_be_is_refused_with_the_limits(rate: Any) -> None:
    with pytest.raises(InvalidTask, match=r"budget 'stripe': per_second=.*; 0.001 to 100,000 are allowed"):
        Budget("stripe", per_second=rate)


@pytest.mark.parametrize("name", ["", "Stripe", "4", "a b", "x" * 49, "a#b", None, 7])
def test_a_name_that_can_t_be_is_refused(name: Any) -> None:
    with pytest.raises(InvalidTask, match="1 to 48 lower-case letters, digits and hyphens"):
        Budget(name, per_second=1)


@pytest.mark.parametrize(("rate", "slots", "length_us"), [(50, 1, 20_000), (3, 1, 333_334), (3, 3, 1_000_000)])
def test_slots_are_whole_microseconds_and_never_too_short(rate: float, slots: int, length_us: int) -> None:
    assert length_us == Budget("stripe", per_second=rate).length_us(slots)


def test_tasks_may_share_a_budget() -> None:
    shared = Budget("stripe", per_second=50)

    check_budgets([Task("a", budgets=(shared,)), Task("b", budgets=(Budget("stripe", per_second=50.0), shared))])


def test_tasks_that_disagree_on_a_budget_are_refused_by_name() -> None:
    with pytest.raises(BudgetConflict, match=r"budget 'stripe' has per_second=50 in task 'a' and per_second=5 in task"):
        check_budgets(Task(name, budgets=(Budget("stripe", per_second=rate),)) for name, rate in (("a", 50), ("b", 5)))
