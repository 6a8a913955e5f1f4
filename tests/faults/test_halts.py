"""Runs that are stopped: nothing more of them begins, and each item is in one count."""

from datetime import timedelta
from typing import Any

import pytest

from drumbeat.ledger.record import ABANDON, CANCEL
from drumbeat.ledger.runs import Runs
from drumbeat.signal import Sweep
from tests.faults.engine import START, Engine
from tests.faults.quick import Play, items, numbered


def counts(engine: Engine) -> tuple[str, int, int, int, int]:
    record = next(Runs(engine.outside.table).of_task("quick"))
    return record.state, record.all_items, record.succeeded, record.failed, record.dropped


def test_within_seconds_of_a_cancel_no_further_item_begins_and_the_rest_is_kept_for_a_redrive() -> None:
    play = Play(items(30), {"chunk_size": 10, "timeout_s": 60})
    engine = Engine(play.task())
    run = engine.fire()

    def act(item: str) -> None:
        engine.world.now += timedelta(seconds=1)
        if item == "item3":
            Runs(engine.outside.table).halt(run, kind=CANCEL, reason="enough", now=engine.world.now)

    play.act = act
    engine.rest()

    state, all_items, succeeded, failed, dropped = counts(engine)
    assert ("CANCELLED", 30, 0) == (state, all_items, failed)
    assert 30 == succeeded + dropped
    assert 4 <= succeeded == len(play.tried) < 10
    kept = [line for key, body in engine.world.objects.items() if "/dropped/" in key for line in body.splitlines()]
    assert dropped == len(kept)


def test_an_abandoned_run_ends_at_once_and_counts_what_nobody_had_in_hand() -> None:
    play = Play(items(30), {"chunk_size": 10})
    engine = Engine(play.task())
    run = engine.fire()
    engine.step()
    engine.deliver(most=1)
    for message in engine.world.queues["live"]:
        message.visible += timedelta(hours=5)
    Runs(engine.outside.table).halt(run, kind=ABANDON, reason="enough", now=engine.world.now)
    engine.invoke(Sweep(run).event())
    engine.step()

    assert ("CANCELLED", 30, 10, 0, 20) == counts(engine)
    engine.rest()
    assert ("CANCELLED", 30, 10, 0, 20) == counts(engine)
    assert 10 == len(play.tried)


@pytest.mark.parametrize(
    ("lane", "is_between"),
    [("live", True), ("dead", True), ("dead", False)],
    ids=["between sweep and end", "dead letter between sweep and end", "dead letter after the end"],
)
def test_what_comes_after_the_sweep_of_an_abandoned_run_is_kept_for_a_redrive(lane: str, is_between: bool) -> None:
    """Of a dead letter, workers died or were throttled again and again: nobody else has its items."""
    engine = Engine(Play(items(30), {"chunk_size": 10}).task())
    run = engine.fire()
    engine.step()
    queues, answer = engine.world.queues, engine.world.answer
    if lane == "dead":
        queues["dead"][:], queues["live"][:] = queues["live"], []

    def hurried(service: str, operation: str, params: Any, apply: Any) -> Any:
        if operation == "PutEvents" and queues[lane]:
            engine.deliver()
        return answer(service, operation, params, apply)

    if is_between:
        engine.world.answer = hurried
    Runs(engine.outside.table).halt(run, kind=ABANDON, reason="enough", now=engine.world.now)
    engine.invoke(Sweep(run).event())
    engine.rest()

    assert ("CANCELLED", 30, 0, 0, 30) == counts(engine)
    kept = [line for key, body in engine.world.objects.items() if "/dropped/" in key for line in body.splitlines()]
    assert 30 == len(kept)


@pytest.mark.parametrize(("poisons", "state"), [(2, "SUCCEEDED"), (3, "FAILED")])
def test_a_run_bears_as_many_failures_as_it_says_and_not_one_more(poisons: int, state: str) -> None:
    settings = {"tolerated_failure_count": 2, "tolerated_failure_percentage": None, "retries": 0}
    play = Play(items(12, more=[f"poison{n}" for n in range(poisons)]), settings)
    engine = Engine(play.task())
    engine.run()

    found, all_items, succeeded, failed, dropped = counts(engine)
    assert (state, 12 + poisons) == (found, all_items)
    assert all_items == succeeded + failed + dropped


def test_a_run_that_bears_too_little_has_failed_though_the_worker_that_saw_it_died_before_it_could_say_so() -> None:
    settings = {"tolerated_failure_count": 2, "tolerated_failure_percentage": None, "retries": 0, "batch_size": 1}
    play = Play(("a", "poison1", "poison2", "poison3"), {**settings, "chunk_size": 4})
    clean = Engine(play.task())
    clean.run()
    [number] = [number for number, called in numbered(clean) if called.about.startswith("failures#")]
    engine = Engine(play.task(), faults={number: "crash before"})
    record = engine.run()

    assert ("FAILED", 3) == (record.state, record.failed)
    assert "3 of 4 items failed; 2 are tolerated" == record.reason


def test_what_is_not_done_at_the_deadline_has_failed_with_a_dead_letter() -> None:
    play = Play(items(30), {"chunk_size": 10, "timeout_s": 60, "deadline": timedelta(minutes=10)})
    engine = Engine(play.task())
    engine.fire()
    engine.step()
    engine.deliver(most=1)
    engine.world.now = START + timedelta(minutes=10)
    engine.rest()

    assert ("FAILED", 30, 10, 20, 0) == counts(engine)
    record = next(Runs(engine.outside.table).of_task("quick"))
    assert {"DeadlineExceeded"} == {letter.error_type for letter in engine.letters(record.run())}
