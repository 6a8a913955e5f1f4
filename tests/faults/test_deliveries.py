"""What SQS and Lambda do to a worker: partial answers, twins, wrong clocks, throttles, a thousand redriven items."""

import json
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from drumbeat.ledger.runs import Runs
from drumbeat.runtime import observability
from drumbeat.signal import Resume
from tests.faults.engine import START, Engine
from tests.faults.quick import Play, items

PLAY = Play(items(9), fans_in=True)


def test_the_answer_to_a_batch_names_what_must_come_again_and_nothing_else() -> None:
    play = Play(("a", "poison", "b"), {"chunk_size": 1, "batch_size": 10, "retries": 3})
    engine = Engine(play.task())
    engine.fire()
    engine.step()
    live = engine.world.queues["live"]
    newer = json.dumps({**json.loads(live[0].body), "v": 2})
    for body in ("no chunk", newer, live[0].body):
        engine.world.put_message("live", body)
    batch = engine._receive("live", 10)
    answer = engine.work("live", batch)

    chunks = [json.loads(m.body).get("chunk") if m.body.startswith("{") else None for m in batch]
    expected = [batch[chunks.index(1)].id, next(m.id for m in batch if m.body == newer)]
    assert {"batchItemFailures": [{"itemIdentifier": id_} for id_ in expected]} == answer
    assert expected == [message.id for message in live]


def test_of_two_workers_that_hold_one_message_one_counts_and_the_stale_one_is_refused() -> None:
    """The visibility timeout has passed while the first still works: the second does all of it meanwhile."""
    play = Play(("a", "poison1", "b"), {"retries": 0})
    engine = Engine(play.task())
    run = engine.fire()
    engine.step()
    twins: list[Any] = []

    def chunks() -> list[Any]:
        return [record for key, record in engine.world.records.items() if key[0].startswith("chunk#")]

    def meanwhile(item: str) -> None:
        if item == "b" and not twins:
            twins.append(item)
            [message] = engine.world.queues["live"]
            engine.world.now += timedelta(seconds=1)
            twin = replace(message, receives=2, handle="twin")
            engine._worker = None
            engine.work("live", [twin])
            twins.extend(chunks())

    play.act = meanwhile
    engine.rest()

    play.check(engine, engine.record(run))
    assert (2, 1, 3) == (engine.record(run).succeeded, engine.record(run).failed, engine.record(run).attempts)
    assert twins == ["b", *chunks()]


@pytest.mark.parametrize("seed", range(12))
def test_clocks_that_differ_by_minutes_change_nothing(seed: int) -> None:
    play = Play(items(12, more=("flaky1", "poison1", "flaky2")), {"deadline": timedelta(hours=2)}, fans_in=True)
    rng = Random(seed)
    engine = Engine(play.task(), seed=seed, skew=lambda: rng.uniform(-300, 300))

    play.check(engine, engine.run())


def test_a_chunk_that_nobody_has_begun_is_sent_again_and_never_counted_failed() -> None:
    """Throttled receives use up the count: the message goes to the dead-letter queue untouched, again and again."""
    engine = Engine(PLAY.task())
    run = engine.fire()
    engine.step()
    for _ in range(5):
        for message in engine.world.queues["live"][:]:
            message.receives = engine.task.max_receives
            message.visible = engine.world.now
        engine.deliver()
        engine.deliver()
        engine.world.now += timedelta(hours=1)
    assert 15 == engine.metrics["ChunksSentAgain"]
    engine.rest()

    PLAY.check(engine, engine.record(run))


def test_what_killed_its_worker_again_and_again_is_settled_by_the_keeper_with_exact_counts() -> None:
    play = Play(items(4, more=("killer",)), {"retries": 100, "batch_size": 1})
    engine = Engine(play.task())
    run = engine.fire()
    engine.step()
    for _ in range(400):
        if not any(engine.world.queues.values()):
            break
        for message in engine.world.queues["live"]:
            message.receives = max(message.receives, engine.task.max_receives - 2)
        engine.step()
    engine.rest()

    record = engine.record(run)
    assert (5, 0) == (record.succeeded + record.failed, record.dropped)
    assert "killer" in {letter.item.strip('"') for letter in engine.letters(run)}


def test_a_thousand_dead_letters_are_redriven_in_as_many_messages_as_they_fill_with_exact_counts() -> None:
    play = Play(items(500, more=[f"broken{n}" for n in range(1000)]), {"chunk_size": 100, "retries": 0})
    play.settings["tolerated_failure_percentage"] = None
    broken = {"broken": True}

    def act(item: str) -> None:
        if item.startswith("broken") and broken["broken"]:
            raise RuntimeError(item)

    play.act = act
    engine = Engine(play.task())
    run = engine.fire()
    engine.rest()
    before = engine.record(run)
    assert ("FAILED", 500, 1000) == (before.state, before.succeeded, before.failed)
    broken["broken"] = False
    sent = len(engine.world.sent)
    again(engine, before)
    engine.rest()

    after = engine.record(run)
    assert ("SUCCEEDED", 1500, 1500, 0) == (after.state, after.items, after.succeeded, after.failed)
    assert [] == engine.letters(run)
    assert 10 == len(engine.world.sent) - sent
    assert {2 if name.startswith("broken") else 1 for name in play.names} == set(play.tried.values())


def again(engine: Engine, record: Any) -> None:
    """What `drumbeat redrive` does, without a stack around it."""
    letters = engine.letters(record.run())
    lines = "\n".join(json.dumps({"n": letter.number, "item": json.loads(letter.item)}) for letter in letters)
    key = f"runs/{record.id}/redrive/token.jsonl"
    engine.world.objects[key] = lines.encode()
    reopened = Runs(engine.outside.table).reopen(
        record, manifest=key, failed=len(letters), dropped=0, now=engine.world.now
    )
    assert reopened is not None
    engine.invoke(Resume(record.run(), reopened.epoch).event())


def test_a_message_of_a_run_that_expired_is_let_go() -> None:
    engine = Engine(PLAY.task())
    run = engine.fire()
    engine.step()
    bodies = [message.body for message in engine.world.queues["live"]]
    engine.rest()
    engine.world.records.clear()
    engine.world.now += timedelta(days=91)
    for body in bodies:
        engine.world.put_message("live", body)
        engine.world.put_message("dead", body)
    tried = PLAY.tried.copy()
    engine.rest()

    assert tried == PLAY.tried
    assert {} == {key: item for key, item in engine.world.records.items() if run.id in key[0]}


def test_a_message_of_a_later_release_waits_for_it_in_the_queue_and_at_last_beside_it() -> None:
    engine = Engine(PLAY.task())
    run = engine.fire()
    engine.step()
    live = engine.world.queues["live"]
    for message in live:
        message.body = message.body.replace('"v":1', '"v":2')
    for _ in range(3000):
        if not live:
            break
        engine.step()
    assert ([], 3) == (live, len(engine.world.queues["dead"]))
    for message in engine.world.queues["dead"]:
        message.body = message.body.replace('"v":2', '"v":1')
    engine.rest()

    PLAY.check(engine, engine.record(run))
    assert {} == {key: body for key, body in engine.world.objects.items() if "malformed" in key}


def test_no_error_s_text_is_logged_when_a_chunk_cannot_be_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    for level in ("info", "warning", "error"):
        monkeypatch.setattr(observability.logger, level, lambda *args, **more: logged.append(f"{args} {more}"))
    engine = Engine(PLAY.task())
    run = engine.fire()
    engine.step()
    engine.away = lambda _service, now: now < START + timedelta(minutes=5)
    engine.rest()

    PLAY.check(engine, engine.record(run))
    assert any("chunk not settled" in line for line in logged)
    assert not [line for line in logged if "connect to the endpoint" in line]


def test_a_message_of_a_run_s_earlier_round_is_not_taken_for_one_of_the_present() -> None:
    play = Play(("a", "broken", "b"), {"retries": 0, "tolerated_failure_percentage": None})
    is_broken = {"broken"}

    def act(item: str) -> None:
        if item in is_broken:
            raise RuntimeError(item)

    play.act = act
    engine = Engine(play.task())
    run = engine.fire()
    engine.step()
    [first] = [message.body for message in engine.world.queues["live"]]
    engine.rest()
    is_broken.clear()
    again(engine, engine.record(run))
    engine.step()
    engine.world.put_message("live", first)
    tried = play.tried.copy()
    engine.rest()

    assert ("SUCCEEDED", 3, 3, 0) == (
        engine.record(run).state,
        engine.record(run).items,
        engine.record(run).succeeded,
        engine.record(run).failed,
    )
    assert {"broken": 1} == dict(play.tried - tried)
