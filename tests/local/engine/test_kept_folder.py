"""The folder of a kept cloud: the same for the same commands, all of a change or nothing, refused if it is none."""

import json
from dataclasses import fields
from datetime import timedelta

import pytest

from drumbeat.local import Faults
from drumbeat.local.fires import _Armed
from drumbeat.local.kept import CannotKeep, Damaged, InUse, KeptCloud, NotKept, OtherVersion, messages
from drumbeat.local.message import Message
from drumbeat.local.streams import Lane
from drumbeat.local.world import World
from tests.local.engine.keeper import PRINT, SLOW, START, Keeper, redriven, send, tree, work


@pytest.fixture
def keep(tmp_path, app):
    return Keeper(tmp_path / "cloud", app)


def test_the_same_commands_give_the_same_folder_byte_for_byte(keep, tmp_path):
    work(keep.app)
    keep.app.function("hourly", PRINT)
    keep.app.rule("Hourly", "hourly", ScheduleExpression="rate(1 hour)")
    trees = []
    for name in ("one", "two"):
        each = Keeper(tmp_path / name, keep.app)
        each.create(seed=3)
        each(lambda cloud: send(cloud, "a", "b", "c", "bad"))
        each(lambda cloud: cloud.advance(seconds=5))
        each(lambda cloud: cloud.advance(hours=2))
        trees.append(tree(each.folder))

    assert trees[0] == trees[1]
    events = [json.loads(line) for line in trees[0]["log.jsonl"].splitlines()]
    assert 2 == len([event for event in events if event["kind"] == "fire"])
    assert sorted(event["time"] for event in events) == [event["time"] for event in events]
    assert b'"function":"worker"' in trees[0]["functions.jsonl"]


def test_what_is_not_saved_did_not_happen(keep):
    redriven(keep.app)
    keep.create()
    before = tree(keep.folder)
    with KeptCloud.load(keep.folder) as cloud:
        send(cloud, "lost")
        cloud.advance(hours=1)

    assert before == tree(keep.folder)


def test_what_is_billed_adds_up(keep):
    work(keep.app)
    keep.create()
    for _ in range(2):
        keep(lambda cloud: [send(cloud, "a"), cloud.run_until_idle()])

    assert 2 == keep(lambda cloud: cloud.invocations["worker"])
    assert 2 == keep(lambda cloud: cloud.billed["lambda_requests"])


def test_new_code_does_what_the_old_code_had_left(keep):
    work(keep.app, code="def handler(event, context):\n    raise ValueError('old')")
    keep.app.queue("Unused")
    keep.create()
    keep(lambda cloud: [send(cloud, "a"), cloud.advance(seconds=30)])
    keep(lambda cloud: send(cloud, "kept for nobody", queue="Unused"))
    del keep.app.resources["Unused"]
    del keep.app.resources["worker"]
    keep.app.function("worker", SLOW)
    keep.app.rule("Often", "worker", ScheduleExpression="rate(1 hour)")

    lost = keep(lambda cloud: dict(cloud.lost), redeploy=keep.app.write())
    keep(lambda cloud: cloud.advance(minutes=5))

    assert {"messages of queue Unused": 1} == lost
    assert [["a"]] == keep.said()
    assert START + timedelta(hours=1, seconds=30) == keep(lambda cloud: cloud.next_fire())


def test_faults_are_refused(keep):
    redriven(keep.app)
    keep.create()
    with KeptCloud.load(keep.folder, faults=Faults(slow=0.5)) as cloud, pytest.raises(CannotKeep, match="Faults"):
        cloud.save()


def test_what_nobody_knows_how_to_keep_is_refused_and_nothing_is_lost(keep):
    redriven(keep.app)
    keep.create()
    before = tree(keep.folder)
    with KeptCloud.load(keep.folder) as cloud:
        send(cloud, "a")
        cloud._world.loop.after(1, print)
        with pytest.raises(CannotKeep, match="is due at"):
            cloud.save()
    with KeptCloud.load(keep.folder) as cloud:
        send(cloud, "a")
        cloud._world.queues.stores["Work"].surprise = 1
        with pytest.raises(CannotKeep, match="'surprise'"):
            cloud.save()

    assert {*before} == {name for name in tree(keep.folder) if not name.startswith("draft")}
    assert (0, 0, 0) == keep(lambda cloud: cloud.queue_depth("Work"))


def test_one_command_at_a_time(keep):
    redriven(keep.app)
    keep.create()
    with KeptCloud.load(keep.folder), pytest.raises(InUse, match="another command works in"):
        KeptCloud.load(keep.folder)
    with KeptCloud.load(keep.folder) as cloud:
        assert not cloud.save()


def test_a_folder_that_is_none_is_refused(keep, tmp_path):
    redriven(keep.app)
    assembly = keep.app.write()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(NotKept, match="is no kept cloud: there is no"):
        KeptCloud.load(tmp_path / "full")
    with pytest.raises(NotKept, match=r"not empty \(file\)"):
        KeptCloud.create(tmp_path / "full", assembly, start=START)
    with pytest.raises(NotKept, match="can't be a folder"):
        KeptCloud.create(tmp_path / "full" / "file", assembly, start=START)
    keep.create()
    with pytest.raises(NotKept, match="is a kept cloud already"):
        KeptCloud.create(keep.folder, assembly, start=START)


def test_a_folder_that_was_changed_is_refused(keep):
    redriven(keep.app)
    keep.create()
    header = keep.folder / "cloud.json"
    text = header.read_text()
    header.write_text(text.replace('"drumbeat_cloud": 1', '"drumbeat_cloud": 99'))
    with pytest.raises(OtherVersion, match="format 99, this drumbeat keeps clouds in format 1"):
        KeptCloud.load(keep.folder)
    header.write_text("{}")
    with pytest.raises(NotKept, match="isn't drumbeat's"):
        KeptCloud.load(keep.folder)
    header.write_text(text)
    (state,) = keep.folder.glob("state-*")
    state.write_text(state.read_text() + '{"kind":"actor","name":"?","state":{}}\n')
    with pytest.raises(Damaged, match="isn't as it was written"), KeptCloud.load(keep.folder):
        pass
    state.unlink()
    with pytest.raises(Damaged, match="is not there"), KeptCloud.load(keep.folder):
        pass


def test_nothing_new_in_the_local_cloud_is_forgotten():
    """Whoever adds state says here, and in drumbeat/local/kept, how it is kept."""
    assert set(Message.__slots__) == {*messages._ALWAYS, *messages._SOMETIMES, "state"}
    assert {"waiting", "batches", "active", "polling", "first_ns"} == vars(Lane()).keys()
    assert {"anchor", "instants", "fire", "next", "timer"} == {one.name for one in fields(_Armed)}
    kept = {"queues", "functions", "mappings", "bus", "fires", "delivery", "async_queue", "clock", "loop", "log",
            "meter"}  # fmt: skip
    anew = {"deployment", "latency", "seeds", "timeline", "authorizer", "faults", "heard", "streams"}
    assert kept | anew == {one.name for one in fields(World)}
