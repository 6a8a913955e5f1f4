"""A budget's rate is reached when there is demand, and never exceeded, whatever happens to its workers."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drumbeat import Budget
from drumbeat.runtime.budget import FAR_S, LATE_S, STAY_S, Allowance
from drumbeat.runtime.gate import ComeBack
from drumbeat.runtime.pace import Pace

from .fleet import Fleet, World, excess

FIFTY = Budget("fifty", per_second=50)


def run(rate: float, *, seconds: float = 60, chunks: int = 400, items: int = 100, **settings: Any) -> Fleet:
    fleet = Fleet([Budget("shared", per_second=rate)], **settings)
    fleet.send(chunks, items=items)
    fleet.run(seconds)
    return fleet


def allowance(*budgets: Budget, **settings: Any) -> tuple[Allowance, Fleet]:
    """A single worker's allowance, in a fleet whose time a test moves."""
    fleet = Fleet(budgets, workers=0, **settings)
    return Allowance(budgets, World(fleet, 0)), fleet


@pytest.mark.parametrize(
    ("rate", "fleet"),
    [
        (50, {"workers": 5}),
        (50, {"workers": 50}),
        (50, {"workers": 200}),
        (50, {"workers": 60, "item_s": 1}),
        (50, {"workers": 20, "lost": 0.02, "outage": 0.02}),
        (1000, {"workers": 50, "chunks": 2000}),
        (5, {"workers": 20, "seconds": 600}),
        (1, {"workers": 10, "seconds": 600}),
        (0.1, {"workers": 10, "seconds": 3600, "chunks": 40}),
    ],
    ids=str,
)
def test_with_more_demand_than_the_budget_its_rate_is_reached_and_not_exceeded(rate, fleet):
    result = run(rate, **fleet)

    assert 0.93 * rate <= result.rate() <= rate + (rate + 1) / result.now_s
    assert excess(result.begun, rate) <= rate * LATE_S + 1


def test_with_less_demand_than_the_budget_nobody_waits():
    result = run(50, workers=2, item_s=0.1, chunks=5)

    assert 500 == len(result.begun)
    assert [1] * 5 == [chunk.receives for chunk in result.done]
    assert max(result.begun) < 31


@settings(max_examples=60, deadline=None)
@given(
    rate=st.sampled_from([0.2, 3, 50, 700]),
    workers=st.integers(1, 30),
    items=st.sampled_from([1, 20, 500]),
    item_s=st.sampled_from([0.001, 0.05, 0.4, 3]),
    stall=st.sampled_from([0, 0.02, 0.3]),
    crash=st.sampled_from([0, 0.02, 0.3]),
    lost=st.sampled_from([0, 0.2]),
    outage=st.sampled_from([0, 0.2]),
    clocks=st.lists(st.floats(-3, 3), min_size=1, max_size=4),
    seed=st.integers(0, 2**32),
)
def test_whatever_goes_wrong_no_window_has_more_than_its_rate_and_a_second_s_worth(
    rate: float, items: int, clocks: list[float], **fleet: Any
) -> None:
    result = run(rate, seconds=20, items=items, clocks=clocks, **fleet)

    assert excess(result.begun, rate) <= rate * (LATE_S + max(clocks) - min(clocks)) + 1


@pytest.mark.parametrize("seed", range(4))
def test_a_wrong_clock_adds_no_more_than_its_own_leases(seed):
    """What the machines with right clocks begin stays within the bound that holds without the others."""
    result = run(50, workers=8, clocks=(0, 0, 0, 2), seed=seed)
    right = [time for time, clock_s in zip(result.begun, result.clock_of, strict=True) if clock_s == 0]

    assert excess(right, 50) <= 50 * LATE_S + 1
    assert 0.8 * 50 <= result.rate()


@pytest.mark.parametrize("rates", [(20, 50), (20, 20), (5, 1000), (30, 40, 50)], ids=str)
def test_several_budgets_are_all_respected(rates):
    fleet = Fleet([Budget(f"b{number}", per_second=rate) for number, rate in enumerate(rates)], workers=15)
    fleet.send(400, items=100)
    fleet.run(120)

    assert 0.8 * min(rates) <= fleet.rate() <= min(rates) * 1.03
    for rate in rates:
        assert excess(fleet.begun, rate) <= rate * (LATE_S + STAY_S) + 1


def test_a_worker_writes_once_for_many_items():
    result = run(1000, workers=1, item_s=0.005, chunks=1000)

    assert 150 < result.rate()
    assert result.writes < 2 * result.now_s


def test_a_worker_writes_once_for_many_chunks_of_one_item():
    result = run(1000, workers=1, item_s=0.005, chunks=10_000, items=1)

    assert 1000 < len(result.begun)
    assert result.writes < 0.2 * len(result.begun)


def test_many_workers_write_per_second_and_not_per_item():
    result = run(500, workers=50, item_s=0.05)

    assert 450 < result.rate()
    assert result.writes < 0.15 * len(result.begun)


def test_items_that_are_sent_away_come_back_seldom():
    result = run(50, workers=20, chunks=1000, items=20, seconds=120)
    receives = sum(chunk.receives for chunk in [*result.done, *result.queue])

    assert 250 < len(result.done)
    assert receives < 1000 * 1.5


def test_a_slot_far_off_is_not_waited_for():
    worker, fleet = allowance(Budget("slow", per_second=0.01))

    assert 0 == worker.ask(3)
    with pytest.raises(ComeBack) as far:
        worker.ask(2)
    assert 100 == far.value.after_s

    fleet.now_s = 100
    assert 0 == worker.ask(2)


def test_nobody_is_sent_away_for_longer_than_the_limit():
    worker, _ = allowance(Budget("slowest", per_second=0.001))
    worker.ask(2)

    with pytest.raises(ComeBack) as far:
        worker.ask(1)
    assert FAR_S / 2 <= far.value.after_s <= FAR_S


def test_a_clock_that_is_set_back_doesn_t_stop_a_worker():
    worker, fleet = allowance(FIFTY)
    fleet.now_s = 1000
    assert 0 == worker.ask(100)

    fleet.now_s = 0
    with pytest.raises(ComeBack) as far:
        worker.ask(99)
    assert far.value.after_s <= FAR_S


def test_a_ledger_that_fails_sends_the_items_away_with_the_reason():
    worker, _ = allowance(FIFTY, outage=1)

    with pytest.raises(ComeBack) as failed:
        worker.ask(1)
    assert failed.value.after_s is None
    assert "InternalServerError" in str(failed.value.cause)


def test_slots_ahead_of_the_items_are_leased_only_as_long_as_they_are_used():
    pace = Pace(1000)
    for _ in range(20):
        size = pace.size(1)
        pace.learn(size, of=size, seconds=0.01)
    assert 100 < pace.size(1)

    pace.learn(1, of=pace.size(1), seconds=2)
    assert 1 == pace.size(1)


def test_a_block_follows_the_worker_s_own_speed():
    pace = Pace(1000)
    for _ in range(30):
        size = pace.size(10_000)
        pace.learn(size, of=size, seconds=size * 0.01)  # 100 items a second
    assert 75 == pace.size(10_000)
