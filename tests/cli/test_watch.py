"""What `drumbeat local` reads of the functions' own log lines, among whatever else they print."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from drumbeat.cli.watch import Watch

RUN = "plain/2026-01-01T00:00:00Z"


def read(*lines: str) -> Watch:
    watch, at = Watch({}), datetime(2026, 1, 1, tzinfo=UTC)
    function = SimpleNamespace(name="worker")
    logs = {"worker": [SimpleNamespace(text=text, time=at) for text in lines]}
    cloud: Any = SimpleNamespace(deployment=SimpleNamespace(functions=[function]), logs=logs.get)
    watch.read(cloud)
    return watch


def test_items_are_done_as_the_workers_say() -> None:
    counted = {"chunks": [0, 1], "succeeded": 3, "failed": 1, "dropped": 0}

    watch = read(json.dumps({"message": "chunks settled", "settled": {RUN: counted}}, separators=(",", ":")))

    assert 4 == watch.runs[RUN].settled


@pytest.mark.parametrize(
    "text",
    [
        'sending {"message":"hello"}',
        '[{"message":"hello"}]',
        '{"message":"chunks settled"}',
        '{"message":"run ended","run":["another"]}',
        '{"message":{"message":"hello"}}',
    ],
)
def test_what_a_handler_prints_of_its_own_is_none_of_ours(text: str) -> None:
    assert {} == read(text).runs
