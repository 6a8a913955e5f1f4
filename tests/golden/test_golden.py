"""What released versions have written is read, and what this one writes is what is kept of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from drumbeat.ledger.runs import Runs
from drumbeat.signal import parse_signal
from tests.golden.__main__ import written
from tests.golden.samples import PLAYS, VERSION, WORLDS, read_message, restored, unpacked

HERE = Path(__file__).parent
RELEASES = sorted(path.name for path in HERE.iterdir() if path.is_dir() and path.name[0].isdigit())


def golden(release: str, name: str) -> Any:
    return json.loads((HERE / release / f"{name.replace(' ', '-')}.json").read_text())


@pytest.mark.parametrize("release", RELEASES)
def test_every_message_of_a_release_is_read_as_it_was_then(release: str) -> None:
    then = golden(release, "messages-as-read")
    now = {name: read_message(body) for name, body in golden(release, "messages").items()}

    assert then == {name: {field: now[name].get(field) for field in fields} for name, fields in then.items()}


@pytest.mark.parametrize("release", RELEASES)
def test_every_signal_of_a_release_is_read(release: str) -> None:
    found = golden(release, "signals")
    read = {name: parse_signal(event, task="quick", bucket="bucket") for name, event in found.items()}

    assert {name: type(signal).__name__.lower() for name, signal in read.items()} == {
        name: name.split()[0] for name in found
    }
    assert found == {name: signal.event() for name, signal in read.items() if name in found}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("release", RELEASES)
def test_a_run_that_the_golden_release_has_left_is_drained(release: str, world: str) -> None:
    play = PLAYS[world]
    engine = restored(golden(release, world), play)
    play.act = lambda _: None
    engine.rest()

    records = [record for record in Runs(engine.outside.table).of_task("quick", newest_first=False) if record.chunks]
    for record in records:
        assert record.all_items == record.succeeded + record.failed + record.dropped == len(play.names)
    expected = {"begun": ["SUCCEEDED"], "halted": ["CANCELLED"], "redriven": ["SUCCEEDED"], "divided": ["SUCCEEDED"]}
    assert expected.get(world, ["SUCCEEDED", "SUCCEEDED"]) == [record.state for record in records]
    if world == "begun":
        assert ["poison1"] == [json.loads(letter.item) for letter in engine.letters(records[0].run())]
    if play.fans_in and world != "halted":
        assert len(play.names) - records[0].failed == len(play.published[-1])


def test_every_kind_of_record_is_in_what_a_release_keeps() -> None:
    """After a new kind of record: let one of the worlds of `samples` have it."""
    records = [record for world in WORLDS for record in golden(VERSION, world)["records"]]
    found = {(pk.split("#")[0], sk.split("#")[0]) for pk, sk, _ in records}

    assert {
        ("task", "run"),
        ("task", "active"),
        ("task", "keeper"),
        ("task", "paused"),
        ("task", "backfill"),
        ("node", "node"),
        ("chunk", "progress"),
        ("budget", "budget"),
        ("results", "done"),
        ("parts", "000001"),
    } <= found
    assert "dead" in {kind for kind, _ in found}


def test_what_this_release_writes_is_what_is_kept_of_it() -> None:
    """Written otherwise? Then a new version is due, and `python -m tests.golden`, so that the old one stays read."""
    now = json.loads(json.dumps(written()))
    then = {name: json.loads((HERE / VERSION / name).read_text()) for name in now}
    for files in (now, then):
        files["messages.json"] = {name: unpacked(body) for name, body in files["messages.json"].items()}

    assert sorted(now) == sorted(path.name for path in (HERE / VERSION).iterdir())
    for name, content in now.items():
        assert then[name] == content, f"{name} isn't what {VERSION} is said to write"


@pytest.mark.parametrize("release", RELEASES)
def test_fields_that_this_release_does_not_know_are_ignored(release: str) -> None:
    found = golden(release, "begun")
    for _, _, item in found["records"]:
        item["invented_later"] = {"S": "unknown"}
        if "progress" in item and "S" in item["progress"]:
            item["progress"] = {"S": json.dumps({**json.loads(item["progress"]["S"]), "invented_later": 1})}
    found["messages"] = [json.dumps({**json.loads(body), "invented_later": 1}) for body in found["messages"]]
    engine = restored(found, PLAYS["begun"])
    engine.rest()

    record = next(Runs(engine.outside.table).of_task("quick"))
    assert ("SUCCEEDED", 10, 1) == (record.state, record.succeeded, record.failed)
