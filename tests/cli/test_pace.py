"""How long the local cloud lets an invocation take: by how many items its messages carry, in whatever way."""

from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from drumbeat import Task
from drumbeat.chunk import Packed
from drumbeat.cli.watch import IDLE_S, Watch
from drumbeat.packer import Packer
from drumbeat.reference import Numbers

RUN = "plain/2026-01-01T00:00:00Z"


def packed(items: list[Any]) -> str:
    packer = Packer(size=1000, max_bytes=256 * 1024)
    chunks = [chunk for item in items for chunk in packer.add(item)] + [*packer.rest()]
    return chunks[0].body(RUN)


@pytest.mark.parametrize(
    ("body", "items"),
    [
        (packed([1, 2, 3]), 3),
        (packed([{"id": number} for number in range(50)]), 50),
        (packed([{"id": number, "text": "again and " * 100} for number in range(50)]), 50),
        (Packed(0, 0, (), reference=Numbers(0), count=70).body(RUN), 70),
        ("nothing of ours", 0),
    ],
    ids=["items", "table", "compressed", "reference", "foreign"],
)
def test_an_invocation_takes_as_long_as_its_items(body: str, items: int) -> None:
    watch = Watch({"plain": Task("plain", item_s=1, timeout_s=900)})
    worker: Any = SimpleNamespace(environment={"DRUMBEAT_TASK": "plain"})

    seconds = watch.duration(worker, {"Records": [{"body": body}, {"body": body}]}, Random(7))

    assert (2 * items if items else IDLE_S) == pytest.approx(seconds, rel=0.2)
    assert ({RUN: 1} if items else {}) == {run: progress.invocations for run, progress in watch.runs.items()}
