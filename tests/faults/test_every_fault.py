"""Every call of a run, broken in every way, in milliseconds each: what a sweep in the local cloud can only sample."""

from dataclasses import replace
from typing import Any

import pytest

from drumbeat.testing.single import KINDS, fits
from tests.faults.engine import Engine
from tests.faults.quick import Divided, Play, items, numbered

PLAIN = Play(items(20))
FAN_IN = Play(items(12), fans_in=True)
MIXED = Play(items(8, more=("flaky1", "poison1", "flaky2")), fans_in=True)
DEADLY = Play(items(4, more=("killer",)), {"batch_size": 1})
SEVERAL = Play(items(45), {"chunk_size": 2})

DIVIDED = Divided(items(8, more=("flaky1", "poison1", "flaky2")), fans_in=True)

LARGE = Play(items(60), {"chunk_size": 1})
MILD = ("lost reply", "throttle", "partial acceptance")
"""What heals at once, without the keeper."""
OVERHEAD, MORE = 1.5, 50
"""How much more a large run may ask of AWS under any single fault, and how many calls more a small one."""


def points(play: Play, every: int = 1) -> list[tuple[int, str]]:
    """Each call of a clean run, with each fault that fits it."""
    clean = Engine(play.task())
    play.check(clean, clean.run())
    chosen = [(number, called) for number, called in numbered(clean) if number % every == 0]
    return [(number, kind) for number, called in chosen for kind in KINDS if fits(kind, called.operation)]


@pytest.mark.parametrize(
    "play",
    [PLAIN, FAN_IN, MIXED, DEADLY, SEVERAL, DIVIDED],
    ids=["plain", "fan-in", "mixed", "deadly", "several calls", "divided"],
)
def test_no_fault_at_any_call_loses_doubles_or_hangs_anything(play: Play) -> None:
    clean = Engine(play.task())
    clean.run()
    for number, kind in points(play):
        engine = Engine(play.task(), faults={number: kind})
        record = engine.run()
        try:
            play.check(engine, record)
            assert kind not in MILD or not any(called.who == "keeper" for called in engine.calls), "late"
            assert len(engine.calls) <= len(clean.calls) + MORE, f"{len(engine.calls)} calls"
        except AssertionError as problem:
            raise AssertionError(f"{kind} at call {number}, {engine.calls[number - 1]}") from problem


def test_no_fault_at_any_call_makes_a_run_ask_half_as_much_again_of_aws() -> None:
    clean = Engine(LARGE.task())
    clean.run()
    for number, kind in points(LARGE, every=4):
        engine = Engine(LARGE.task(), faults={number: kind})
        LARGE.check(engine, engine.run())

        assert len(engine.calls) <= OVERHEAD * len(clean.calls), f"{kind} at {number}, {engine.calls[number - 1]}"


@pytest.mark.parametrize("first", range(0, 12, 3))
def test_no_two_faults_in_a_row_lose_double_or_hang_anything(first: int) -> None:
    """A fault in what heals the one before it."""
    play = replace(MIXED)
    for number, kind in points(play, every=5)[first::12]:
        for later in (2, 9):
            engine = Engine(play.task(), faults={number: kind, number + later: "crash after"})
            play.check(engine, engine.run())


def test_every_read_of_the_ledger_is_consistent() -> None:
    engine = Engine(replace(MIXED).task())
    answer, reads = engine.world.answer, []

    def watched(service: str, operation: str, params: Any, apply: Any) -> Any:
        if operation in ("GetItem", "Query"):
            reads.append(params.get("ConsistentRead"))
        return answer(service, operation, params, apply)

    engine.world.answer = watched
    engine.check()
    engine.run()

    assert len(reads) > 10
    assert {True} == set(reads)
