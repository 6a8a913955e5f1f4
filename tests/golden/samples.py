"""What this release writes: every kind of message, signal and record, the same each time."""

import base64
import json
import tomllib
import zlib
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from drumbeat import Budget, Run
from drumbeat.chunk import Chunk, Packed, parse, sent_again
from drumbeat.ledger import backfills, budgets, pause
from drumbeat.ledger.backfills import Backfill
from drumbeat.ledger.record import CANCEL
from drumbeat.ledger.runs import Runs
from drumbeat.reference import Lines, Numbers
from drumbeat.signal import BACKFILL, Combine, Finish, Fire, Follow, Resume, Sweep
from tests.faults.engine import START, Engine
from tests.faults.memory import Message
from tests.faults.quick import Divided, Play, items
from tests.faults.test_deliveries import again

VERSION: str = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["version"]
RUN = Run("quick", START, "bucket", name="tenant-42")
ETAG = '"9b2cf535f27731c974343645a3985328"'
MIXED = Play(items(8, more=("flaky1", "poison1", "flaky2")), {"retries": 3, "batch_size": 1}, fans_in=True)
REDRIVEN = Play(("a", "broken", "b"), {"retries": 0, "tolerated_failure_percentage": None}, fans_in=True)
DIVIDED = Divided(items(8, more=("flaky1", "poison1")), fans_in=True)
IN_LINE = Play(items(6), {"overlap": "buffer_all"})


def messages() -> dict[str, str]:
    """A chunk in every form that it travels in."""
    three = tuple(json.dumps(item, ensure_ascii=False) for item in ({"id": 7}, "ü", None))
    letters = Random(1)
    many = tuple(json.dumps({"n": n, "text": "".join(letters.choices("abcd", k=30))}) for n in range(200))
    kinds = {
        "plain": Packed(3, 300, three).body(RUN.id),
        "packed": Packed(0, 0, many).body(RUN.id),
        "pointer": Packed(5, 500, three).pointer(RUN.id, f"runs/{RUN.id}/chunks/5.json"),
        "numbers": Packed(1, 10, (), reference=Numbers(10, 2), count=5).body(RUN.id),
        "lines": Packed(2, 20, (), reference=Lines("inputs/a.jsonl", ETAG, 0, 65536), count=9).body(RUN.id),
        "lines elsewhere": Packed(2, 20, (), reference=Lines("a.jsonl", ETAG, 7, 99, "other"), count=9).body(RUN.id),
        "columns": Packed(
            2, 20, (), reference=Lines("inputs/a.csv", ETAG, 7, 99, columns=("id", "name"), delimiter=";"), count=9
        ).body(RUN.id),
        "redrive": Packed(0, 0, ('{"n":4,"item":"x"}',), round=2).body(RUN.id),
        "part": Packed(1, 40, three, part=3).body(RUN.id),
    }
    return kinds | {"again": sent_again(kinds["plain"])}


def read_message(body: str) -> dict[str, Any]:
    """A message as this release reads it."""
    chunk: Chunk = parse(body, bucket="bucket")
    found = {name: getattr(chunk, name) for name in Chunk.__dataclass_fields__ if name not in ("run", "reference")}
    reference = None if chunk.reference is None else asdict(chunk.reference)
    plain: dict[str, Any] = json.loads(json.dumps({**found, "run": chunk.run.id, "reference": reference}))
    return plain


def signals() -> dict[str, Any]:
    """Every event of a dispatcher."""
    run = Run("quick", START, "bucket", {"tenant": 42}, "tenant-42")
    kinds = {
        "fire": Fire(Run("quick", START, "bucket")),
        "fire with all": Fire(run, f"runs/{run.id}/items.jsonl", BACKFILL, catch_up=True, by_hand=True),
        "resume": Resume(RUN, 3),
        "resume a part": Resume(RUN, 3, 1),
        "finish": Finish(RUN),
        "sweep": Sweep(RUN),
        "follow": Follow(RUN),
        "combine": Combine(RUN, 7),
    }
    return {name: kind.event() for name, kind in kinds.items()}


def begun() -> Engine:
    """One chunk is settled, two have failed items, one is in the queue."""
    engine = Engine(MIXED.task())
    engine.fire()
    engine.check()
    engine.step()
    engine.deliver(most=3)
    return engine


def halted() -> Engine:
    """One chunk is done, the others are in the queue, and the run was cancelled."""
    engine = Engine(MIXED.task())
    run = engine.fire()
    engine.step()
    engine.deliver(most=1)
    Runs(engine.outside.table).halt(run, kind=CANCEL, reason="enough", now=engine.world.now)
    return engine


def redriven() -> Engine:
    """The redrive of a dead letter has been sent and not worked."""

    def act(item: str) -> None:
        if item == "broken":
            raise RuntimeError(item)

    REDRIVEN.act = act
    engine = Engine(REDRIVEN.task())
    run = engine.fire()
    engine.rest()
    again(engine, engine.record(run))
    engine.step()
    return engine


def divided() -> Engine:
    """Of two parts one has been sent, and one of its chunks is done; the other is to begin."""
    engine = Engine(DIVIDED.task())
    engine.fire()
    engine.step()
    engine.step()
    engine.deliver(most=1)
    return engine


def in_line() -> Engine:
    """One run is active, one waits; the task was paused once, has a backfill, a budget and a round of the keeper."""
    engine = Engine(IN_LINE.task())
    engine.fire()
    engine.fire(START + timedelta(hours=1))
    engine.step()
    engine.step()
    table, now = engine.outside.table, engine.world.now
    pause.pause(table, "quick", now=now)
    pause.resume(table, "quick")
    day = "2026-01-0"
    backfills.begin(table, Backfill("quick", f"{day}1T00:00:00Z", f"{day}2T00:00:00Z", "oldest", "missing", 2), now=now)
    backfills.end(table, "quick", backfills.STOPPED)
    budgets.lease(table, Budget("bank", per_second=5), 10, now_us=10**15, latest_us=10**15, expires_at=1)
    engine.check()
    return engine


WORLDS: dict[str, Callable[[], Engine]] = {
    "begun": begun,
    "halted": halted,
    "redriven": redriven,
    "in line": in_line,
    "divided": divided,
}
PLAYS = {"begun": MIXED, "halted": MIXED, "redriven": REDRIVEN, "in line": IN_LINE, "divided": DIVIDED}


def kept(engine: Engine) -> dict[str, Any]:
    """All that a release leaves to the next one."""
    world = engine.world
    records = [[*key, item] for key, item in sorted(world.records.items())]
    return {
        "records": json.loads(json.dumps(records)),
        "objects": {key: bytes(body).decode() for key, body in sorted(world.objects.items())},
        "messages": [message.body for message in world.queues["live"]],
        "invoked": [event for _, _, event in world.invoked],
        "now_s": (world.now - START).total_seconds(),
    }


def restored(found: dict[str, Any], play: Play) -> Engine:
    """An engine of today that has what another release has left."""
    engine = Engine(play.task())
    world = engine.world
    world.now = START + timedelta(seconds=found["now_s"])
    world.records.update({(pk, sk): item for pk, sk, item in found["records"]})
    world.objects.update({key: body.encode() for key, body in found["objects"].items()})
    for number, body in enumerate(found["messages"]):
        world.queues["live"].append(Message(body, f"kept{number}", world.now))
    for event in found["invoked"]:
        engine.invoke(event)
    return engine


def unpacked(body: str) -> Any:
    """A message without what another zlib would write otherwise."""
    message = json.loads(body)
    if "z64" in message:
        message["z64"] = json.loads(zlib.decompress(base64.b64decode(message["z64"])))
    return message
