"""Counting holds under repeats, any order, and crashes between any two writes."""

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drumbeat.ledger import count
from drumbeat.ledger.count import Settled, Totals
from drumbeat.ledger.table import Table, Written

from .conftest import new_table

RUN = "sunrise/2026-11-22T00:00:00Z"


class Crash(Exception):
    """The process died."""


class Dying(Table):
    """A table whose caller may die before or after any write."""

    def __init__(self, table: Table, chance: random.Random, share: float) -> None:
        self.__dict__.update(table.__dict__)
        self._chance = chance
        self._share = share

    def update(self, *arguments: Any, **values: Any) -> Written:
        if self._chance.random() < self._share:
            raise Crash
        written = super().update(*arguments, **values)
        if self._chance.random() < self._share:
            raise Crash
        return written


def totals(chunk: int) -> Totals:
    """What a chunk counts: each another number of items, some of them failed."""
    return Totals(succeeded=chunk % 5 + 1, failed=chunk % 3, attempts=chunk % 7 + 2)


def settle(table: Table, chunk: int) -> Settled:
    return count.settle(table, RUN, chunk, totals(chunk), expires_at=0)


def expected(chunks: int) -> Totals:
    each = [totals(chunk) for chunk in range(chunks)]
    return Totals(sum(t.succeeded for t in each), sum(t.failed for t in each), sum(t.attempts for t in each))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunks=st.integers(1, 12), seed=st.integers(0, 2**32), share=st.sampled_from([0, 0.1, 0.4]))
def test_whatever_dies_and_repeats_the_run_is_counted_exactly_and_never_early(
    table: Table, chunks: int, seed: int, share: float
) -> None:
    del table  # its mock is active
    chance = random.Random(seed)
    dying = Dying(new_table(), chance, share)
    found: list[Totals] = []
    steps = [*range(chunks), *chance.choices(range(chunks), k=3), None]  # None is the sealer
    chance.shuffle(steps)
    while steps:
        step = steps.pop(0)
        try:
            sealing = step is None
            reached = count.seal(dying, RUN, chunks, expires_at=0) if sealing else settle(dying, step).run_totals
        except Crash:
            steps.append(step)
            continue
        if reached is not None:
            found.append(reached)
            assert chunks == len(list(count.settled_chunks(dying, RUN, chunks)))
    assert {expected(chunks)} == set(found)
    assert expected(chunks) == count.totals_of(dying, RUN, chunks)


def test_a_run_with_several_levels_is_full_at_its_last_chunk_and_not_before(table: Table) -> None:
    chunks = list(range(262))
    random.Random(7).shuffle(chunks)
    for chunk in chunks[:100]:
        assert settle(table, chunk).run_totals is None
    assert count.seal(table, RUN, 262, expires_at=0) is None
    for chunk in chunks[100:-1]:
        assert settle(table, chunk).run_totals is None

    assert expected(262) == settle(table, chunks[-1]).run_totals
    assert [(chunk, totals(chunk).kind) for chunk in range(262)] == list(count.settled_chunks(table, RUN, 262))


def test_a_second_outcome_of_a_chunk_changes_nothing(table: Table) -> None:
    count.seal(table, RUN, 2, expires_at=0)
    settle(table, 0)

    again = count.settle(table, RUN, 0, Totals(succeeded=100), expires_at=0)

    assert not again.accepted
    assert count.settled(table, RUN, 0, expires_at=0) is not None
    assert count.settled(table, RUN, 1, expires_at=0) is None
    assert expected(2) == settle(table, 1).run_totals


def test_a_stray_chunk_beyond_the_sealed_ones_is_refused(table: Table) -> None:
    count.seal(table, RUN, 2, expires_at=0)

    assert not settle(table, 2).accepted
    settle(table, 0)

    assert expected(2) == settle(table, 1).run_totals


def test_a_run_without_chunks_has_totals_at_once(table: Table) -> None:
    assert Totals() == count.totals_of(table, RUN, 0)


@pytest.mark.parametrize("chunk", [255, 5375, 1_000_000])
def test_a_full_leaf_stays_within_one_write_unit(chunk: int) -> None:
    leaf = {str(position) for position in range(256)}
    digits = sum((len(number) + 1) // 2 + 1 for number in leaf)  # how DynamoDB counts a number's bytes
    key = len(count.node_key("x" * 48 + "/2026-11-22T00:00:00Z", count.locate(chunk)[0]).pk)

    assert digits + key + 120 < 1024
