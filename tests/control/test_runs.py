"""Runs in the ledger: found, listed, counted while they go on."""

from datetime import UTC, datetime, timedelta

import pytest

from drumbeat.control import Control, InvalidFilter, RunUnknown
from drumbeat.control.status import Counter
from drumbeat.ledger import count
from drumbeat.ledger.count import Totals
from drumbeat.ledger.record import RunRecord
from drumbeat.testing.cloud import AppCloud

AT = datetime(2026, 1, 1, 6, 30, tzinfo=UTC)


def test_runs_are_listed_newest_first_over_all_tasks(control: Control, cloud: AppCloud):
    cloud.run("strict", at=AT)
    cloud.run("threads", at=AT + timedelta(minutes=1))
    cloud.run("strict", at=AT + timedelta(minutes=2))

    assert ["strict/2026-01-01T06:32:00Z", "threads/2026-01-01T06:31:00Z", "strict/2026-01-01T06:30:00Z"] == [
        record.id for record in control.runs()
    ]
    assert 2 == len(list(control.runs("strict")))


def test_runs_are_chosen_by_state(control: Control, cloud: AppCloud):
    cloud.run("strict", at=AT)
    failed = cloud.run("strict", [{"raise": "poison"}], at=AT + timedelta(minutes=1))

    assert [failed.id] == [record.id for record in control.runs(states=["FAILED", "CANCELLED"])]


def test_the_latest_run_is_the_newest_that_was_started(control: Control, cloud: AppCloud):
    cloud.fire("strict", at=AT)
    cloud.fire("strict", at=AT + timedelta(minutes=1))  # skipped: the first is active
    cloud.run_until_idle()

    assert ["SKIPPED", "SUCCEEDED"] == [record.state for record in control.runs("strict")]
    assert "strict/2026-01-01T06:30:00Z" == control.show("strict/latest").record.id


@pytest.mark.parametrize(
    ("run_id", "message"),
    [
        (
            "strict/2026-01-01T06:31:00Z",
            "no run 'strict/2026-01-01T06:31:00Z' in the ledger; the nearest: strict/2026-",
        ),
        ("strict", "run id 'strict': TASK/TIME or TASK/TIME/NAME is expected.*; or TASK/latest"),
        ("strict/yesterday", "'yesterday' is no ISO 8601 time"),
        ("threads/latest", "task 'threads' has no run in the ledger yet"),
    ],
)
def test_an_unknown_run_is_told_with_the_nearest(control: Control, cloud: AppCloud, run_id, message):
    cloud.run("strict", at=AT)

    with pytest.raises(RunUnknown, match=message):
        control.show(run_id)


def test_an_unknown_state_is_told_with_the_nearest(control: Control):
    with pytest.raises(InvalidFilter, match="no run is ever 'FAILD'; did you mean FAILED"):
        control.runs(states=["FAILD"])


def test_a_run_that_goes_on_is_counted_from_its_leaves(control: Control):
    run = control.run("strict", items=[{"sleep": 4}] * 5 + [{"sleep": 8}] * 5)
    seen = [(status.items, status.done) for status in control.follow(run.id, every_s=1, patience_s=60)]

    assert (10, 5) in seen  # one chunk is settled, one isn't
    assert (10, 10) == seen[-1]
    assert sorted(seen, key=lambda pair: pair[1]) == seen


def test_a_run_that_never_comes_is_not_waited_for_for_ever(control: Control, cloud: AppCloud):
    before = cloud.now

    with pytest.raises(RunUnknown):
        next(control.follow("strict/2026-01-01T06:30:00Z", patience_s=30))
    assert timedelta(seconds=30) == cloud.now - before


@pytest.mark.parametrize("chunks", [0, 1, 255, 256, 257, 1500, 70_000])
def test_counting_with_few_reads_counts_the_same(chunks: int):
    """The leaves of a tree, some full and counted above, some not."""
    table = FakeTable(chunks)
    record = RunRecord("t/x", "t", "x", "RUNNING", chunks=chunks, sealed=True)

    status = Counter(table).status(record)

    assert Totals(succeeded=table.items) == status.totals
    assert table.reads <= 2 + table.leaves / 3


class FakeTable:
    """The nodes of a tree in which every leaf but each fifth is full, and has climbed."""

    def __init__(self, chunks: int) -> None:
        self._nodes: dict[str, dict[str, object]] = {}
        self.leaves = count.leaves(chunks)
        self.items = self.reads = 0
        for leaf in range(self.leaves):
            full = leaf % 5 != 4 and self.leaves > 1
            self._nodes[count.node_key("t/x", count.Node(0, leaf)).pk] = {"ok": 100, "done": {0}}
            self.items += 100
            if full:
                above = self._nodes.setdefault(
                    count.node_key("t/x", count.Node(1, leaf // 256)).pk, {"ok": 0, "done": set()}
                )
                above["ok"] += 100
                above["done"].add(leaf % 256)

    def get(self, key):
        self.reads += 1
        return self._nodes.get(key.pk)
