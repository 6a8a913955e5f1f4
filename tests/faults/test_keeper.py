"""What was lost on the way is found; what goes on is left alone; who is in the way, and who waits."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from drumbeat import Cron, Run
from drumbeat.ledger import pause
from drumbeat.ledger.active import Active
from drumbeat.ledger.runs import Runs
from drumbeat.signal import Finish, Fire
from tests.faults.engine import START, Engine
from tests.faults.quick import Play, items, numbered

PLAY = Play(items(9), fans_in=True)
HOUR = timedelta(hours=1)


def until_full(engine: Engine) -> None:
    """Let time pass until a worker has told that the run is full."""
    while not any("finish" in event for _, _, event in engine.world.invoked):
        engine.step()


def test_a_run_is_finished_by_the_keeper_if_nobody_heard_that_it_is_full() -> None:
    engine = Engine(PLAY.task())
    run = engine.fire()
    until_full(engine)
    engine.world.invoked.clear()
    engine.rest()

    PLAY.check(engine, engine.record(run))
    assert "keeper" in {called.who for called in engine.calls if called.operation == "Invoke"}


def test_a_worker_that_dies_before_it_tells_of_a_full_run_is_made_up_for_when_its_message_comes_again() -> None:
    clean = Engine(PLAY.task())
    clean.run()
    [number] = [number for number, called in numbered(clean) if called[:2] == ("worker", "Invoke")]
    engine = Engine(PLAY.task(), faults={number: "crash before"})
    record = engine.run()

    PLAY.check(engine, record)
    assert "keeper" not in {called.who for called in engine.calls}


def test_chunks_that_come_again_while_their_full_run_is_about_to_end_tell_of_it_no_more() -> None:
    engine = Engine(PLAY.task())
    run = engine.fire()
    engine.step()
    bodies = [message.body for message in engine.world.queues["live"]]
    until_full(engine)
    for body in bodies:
        engine.world.put_message("live", body)
    engine.deliver()

    assert 1 == len([called for called in engine.calls if (called.who, called.operation) == ("worker", "Invoke")])
    engine.rest()
    PLAY.check(engine, engine.record(run))


def test_a_run_whose_chunks_were_all_settled_before_it_was_sealed_ends_without_the_keeper() -> None:
    engine = Engine(PLAY.task())
    answer = engine.world.answer

    def hurried(service: str, operation: str, params: Any, apply: Any) -> Any:
        is_seal = operation == "UpdateItem" and "#size = :size" in params["UpdateExpression"]
        if is_seal and engine.world.queues["live"]:
            engine.deliver()
        return answer(service, operation, params, apply)

    engine.world.answer = hurried
    record = engine.run()

    PLAY.check(engine, record)
    assert "keeper" not in {called.who for called in engine.calls}


def looked_at(engine: Engine, play: Play, *, times: int) -> None:
    """Let the keeper look, a quarter of an hour apart, while the expansion is in its middle."""

    def expand(run: Run) -> Iterable[str]:
        del run
        for number, name in enumerate(play.names):
            if number == len(play.names) // 2 and engine.working and engine.checked == START:
                for _ in range(times):
                    engine.check()
            yield name

    engine.task._functions["expand"] = expand


def test_an_expansion_that_goes_on_is_not_taken_over() -> None:
    play = Play(items(300), {"chunk_size": 1})
    engine = Engine(play.task())
    looked_at(engine, play, times=1)
    record = engine.run()

    play.check(engine, record)
    assert 0 == record.takeovers


def test_a_dispatcher_that_stood_still_for_a_round_is_fenced_when_it_comes_back() -> None:
    play = Play(items(300), {"chunk_size": 1})
    engine = Engine(play.task())
    looked_at(engine, play, times=3)
    run = engine.fire()
    engine.step()
    sent, expanding = len(engine.world.sent), engine.record(run)
    assert (1, False) == (expanding.takeovers, expanding.sealed)
    assert sent < 200
    engine.rest()

    play.check(engine, engine.record(run))


def test_a_run_whose_messages_have_expired_ends_with_exact_counts_and_the_reason() -> None:
    engine = Engine(PLAY.task())
    run = engine.fire()
    engine.step()
    engine.world.queues["live"][1:] = []
    engine.rest(timedelta(days=6))

    record = engine.record(run)
    assert ("FAILED", 9, 3, 6) == (record.state, record.items, record.succeeded, record.failed)
    assert "6 items expired before a worker took them" in record.reason
    assert 6 == engine.metrics["ItemsLost"]


def test_a_fire_that_meets_an_active_run_is_skipped_and_the_next_one_runs() -> None:
    engine = Engine(PLAY.task())
    first = engine.fire()
    engine.step()
    second = engine.fire(START + HOUR)
    engine.rest()
    third = engine.fire(START + 2 * HOUR)
    engine.rest()

    states = [engine.record(run).state for run in (first, second, third)]
    assert ["SUCCEEDED", "SKIPPED", "SUCCEEDED"] == states
    assert first.id == engine.record(second).blocked_by
    assert set() == Active(engine.outside.table, "quick", limit=1).listed()


def test_a_fire_does_not_overtake_one_that_waits_though_there_is_room_for_a_moment() -> None:
    active = Active(Engine(PLAY.task()).outside.table, "quick", limit=1)
    first, second, third = (Run("quick", START + hour * HOUR) for hour in range(3))

    def enter(run: Run) -> str:
        return active.enter(run, "buffer_all", has_ended=lambda _: False).state

    assert ["RUNNING", "WAITING"] == [enter(first), enter(second)]
    active.leave(first.id)

    assert "WAITING" == enter(third)
    assert {second.id} == active.promote()


def test_a_fire_of_a_paused_task_is_recorded_as_missed_and_told() -> None:
    engine = Engine(Play(items(3), {"schedule": Cron("0 * * * ? *")}).task())
    pause.pause(engine.outside.table, "quick", now=START)
    run = engine.fire()
    engine.step()

    assert ("MISSED", "the task was paused") == (engine.record(run).state, engine.record(run).reason)
    assert [f"{run.id}/MISSED"] == [told["id"] for told in engine.world.told]


@pytest.mark.parametrize("second", ["FAILED", "CANCELLED"])
def test_what_was_decided_first_stands(second: str) -> None:
    engine = Engine(PLAY.task())
    run = engine.fire()
    engine.step()
    runs = Runs(engine.outside.table)
    runs.decide(engine.record(run), verdict="SUCCEEDED", reason="")

    assert "SUCCEEDED" == runs.decide(engine.record(run), verdict=second, reason="later").verdict


def test_two_fires_at_once_under_one_id_open_one_record() -> None:
    engine = Engine(PLAY.task())
    run = engine.fire()
    engine.step()
    before = engine.record(run)
    stranger = Runs(engine.outside.table)
    stranger.get = lambda _: None  # type: ignore[method-assign,assignment]  # it had looked before the other wrote
    active = Active(engine.outside.table, "quick", limit=1)
    plan = engine.plan()
    opened = stranger.open(Fire(run), owner="stranger", active=active, overlap="skip", plan=plan, now=engine.world.now)

    assert (None, before) == (opened, engine.record(run))


def test_a_finish_that_comes_too_early_does_not_take_a_waiting_run_out_of_its_line() -> None:
    play = Play(items(9), {"overlap": "buffer_all"}, fans_in=True)
    engine = Engine(play.task())
    engine.fire()
    engine.step()
    second = engine.fire(START + HOUR)
    engine.step()
    assert "WAITING" == engine.record(second).state
    engine.invoke(Finish(second).event())
    engine.rest()

    assert "SUCCEEDED" == engine.record(second).state
