"""Fires that come twice, late or never, runs that overlap or come out of order, and chains that might never end."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from drumbeat import Cron, Event, Run, Task
from drumbeat.ledger.runs import Runs
from drumbeat.signal import HOPS, Fire
from tests.faults.engine import START, Engine
from tests.faults.memory import Message
from tests.faults.quick import Play, items, numbered

PLAY = Play(items(9), fans_in=True)
HOURLY = Play(items(6), {"schedule": Cron("0 * * * ? *")})
APART = Play(items(6), {"overlap": "allow"})


@pytest.mark.parametrize("seed", range(5))
def test_a_fire_delivered_ten_times_is_one_run_with_one_completion_id(seed: int) -> None:
    rng, engine = Random(seed), Engine(PLAY.task(), seed=seed)
    run = Run("quick", START, "bucket")
    for _ in range(10):
        engine.invoke(Fire(run).event(), after_s=rng.choice((0, 0.05, 0.2, 1, 90, 3600)))
    engine.rest()

    PLAY.check(engine, engine.record(run))
    assert set(PLAY.tried.values()) == {1}
    assert [run.id] == [record.id for record in Runs(engine.outside.table).of_task("quick")]
    assert 1 == len([told for told in engine.world.told if told["state"] == "SUCCEEDED"])


def test_a_fire_that_comes_23_hours_late_was_told_as_missed_and_is_still_its_own_run() -> None:
    engine = Engine(HOURLY.task())
    engine.check()
    run = Run("quick", START + timedelta(hours=1), "bucket")
    while engine.world.now < START + timedelta(hours=24):
        engine.world.now += timedelta(minutes=15)
        engine.check()
    assert "MISSED" == engine.record(run).state
    assert f"{run.id}/MISSED" in [told["id"] for told in engine.world.told]
    assert 23 == engine.metrics["FiresMissed"]
    engine.invoke(Fire(run).event())
    engine.rest()

    assert ("SUCCEEDED", 6) == (engine.record(run).state, engine.record(run).succeeded)


def test_an_older_run_s_chunks_after_a_newer_run_s_change_neither_the_newer_nor_what_is_latest() -> None:
    engine = Engine(APART.task())
    older = engine.fire(START)
    engine.step()
    late = engine.world.queues["live"][:]
    engine.world.queues["live"].clear()
    newer = engine.fire(START + timedelta(hours=1))
    while engine.record(newer).state == "RUNNING" if engine.world.records.get(key_of(newer)) else True:
        engine.step()
    ended = engine.record(newer)
    engine.world.queues["live"] += late
    engine.rest()

    assert ended == engine.record(newer)
    assert ("SUCCEEDED", 6) == (engine.record(older).state, engine.record(older).succeeded)
    assert [newer.id, older.id] == [record.id for record in Runs(engine.outside.table).of_task("quick")]


def test_a_deleted_message_that_comes_again_two_weeks_later_finds_its_run_closed_and_changes_nothing() -> None:
    engine = Engine(PLAY.task())
    run = engine.fire()
    engine.step()
    copies = [replace(message) for message in engine.world.queues["live"]]
    engine.rest()
    ended, tried = engine.record(run), PLAY.tried.copy()
    engine.world.now += timedelta(days=14)
    for copy in copies:
        engine.world.queues["live"].append(Message(copy.body, f"again-{copy.id}", engine.world.now))
    engine.rest()

    assert (ended, tried) == (engine.record(run), PLAY.tried)


def test_forty_hand_overs_make_the_same_chunks_as_one_long_invocation() -> None:
    sent = []
    for timeout_s, item_s in ((60, 11.0), (900, 0.0)):
        play = Play(items(210), {"dispatcher_timeout_s": timeout_s, "chunk_size": 1})
        task = play.task()
        engine = Engine(task)
        task._functions["expand"] = slowly(play, engine, item_s)
        record = engine.run()
        play.check(engine, record)
        assert timeout_s == 900 or record.epoch >= 40
        sent.append(engine.world.sent)

    assert sent[0] == sent[1]


def test_a_deployment_in_mid_run_changes_no_chunk_however_its_dispatcher_died() -> None:
    """What was sent and not recorded is sent again, cut by the new code: it must be the same."""
    play = Play(items(70))
    clean = Engine(play.task())
    clean.run()
    sends = [number for number, call in numbered(clean) if call.operation == "SendMessageBatch"]

    for number in (*sends, *(after + 1 for after in sends)):
        engine = Redeployed(play.task(), faults={number: "crash after"})
        engine.following = Play(play.names, {"chunk_size": 5, "chunk_bytes": 2048}).task()
        record = engine.run()

        assert engine.task is engine.following
        assert ("SUCCEEDED", 70, 24) == (record.state, record.succeeded, record.chunks)


class Redeployed(Engine):
    """A new version is deployed when the first try of an event has failed."""

    following: Task

    def _dispatch(self, event: Any, request_id: str = "", attempt: int = 1) -> None:
        if attempt > 1:
            self.task = self.following
        super()._dispatch(event, request_id, attempt)


def slowly(play: Play, engine: Engine, seconds: float) -> Any:
    """An expansion that takes so long for each item, and leaves out those that were sent."""

    def expand(run: Run, skip: int) -> Any:
        del run
        for name in play.names[skip:]:
            engine.world.now += timedelta(seconds=seconds)
            yield name

    return expand


@pytest.mark.parametrize("timeout_s", [60, 61, 75, 120, 300, 899])
@pytest.mark.parametrize("seed", range(2))
def test_whatever_time_a_dispatcher_has_its_run_has_the_same_chunks(timeout_s: int, seed: int) -> None:
    play = Play(items(40), {"dispatcher_timeout_s": timeout_s, "chunk_size": 3})
    task, rng = play.task(), Random(seed)
    engine = Engine(task)
    pauses = [rng.choice((0.0, 1.0, 5.0, 10.0)) for _ in play.names]

    def expand(run: Run, skip: int) -> Any:
        del run
        for name, pause in list(zip(play.names, pauses, strict=True))[skip:]:
            engine.world.now += timedelta(seconds=pause)
            yield name

    task._functions["expand"] = expand
    record = engine.run()
    play.check(engine, record)
    assert set(play.tried.values()) == {1}

    whole = Engine(play.task())
    whole.run()
    assert whole.world.sent == engine.world.sent


def key_of(run: Run) -> tuple[str, str]:
    return f"task#{run.task}", f"run#{run.id.partition('/')[2]}"


def test_a_task_that_hears_of_its_own_runs_ends_after_a_hundred_in_a_row() -> None:
    """A rule on drumbeat's own events may close a circle, by EventBridge, which Lambda's detector doesn't see."""
    task = Task("echo", on=Event(detail_type="Run state changed"), overlap="allow")
    task.expand(lambda run: [1] if run else [])
    task.work(lambda item, run: item if run else None)
    engine = Engine(task)
    first = {"id": "e0", "time": "2026-01-01T00:00:00Z", "detail-type": "Shelf empty", "source": "shop", "detail": {}}
    engine.invoke(first)
    heard = 0
    for number in range(2 * HOPS):
        while engine.busy() and not engine.dead_fires:
            engine.step()
        ends = [told for told in engine.world.told if told["state"] == "SUCCEEDED"]
        if len(ends) == heard:
            break
        heard = len(ends)
        engine.invoke({**first, "id": f"e{number + 1}", "source": "drumbeat", "detail": ends[-1]})

    hops = [told.get("hops", 0) for told in engine.world.told if told["state"] == "SUCCEEDED"]
    assert [*range(HOPS)] == hops
    assert all(later == earlier + 1 for earlier, later in pairwise(hops))
    assert 1 == len(engine.dead_fires)
