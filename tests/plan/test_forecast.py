"""The cost model against the runtime: a run in the local cloud makes exactly the requests that are forecast for it.

What only time decides is counted in the run and given to the forecast: how often workers looked at the run's record,
and in how many batches messages came.  All else is the formula's.
"""

import importlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drumbeat import part
from drumbeat.ledger import parts
from drumbeat.ledger.active import Active
from drumbeat.ledger.table import Table
from drumbeat.local.faults import Seam
from drumbeat.packer import pack
from drumbeat.packing import Learned
from drumbeat.plan import division, given, packing
from drumbeat.plan.given import Failures
from drumbeat.plan.idle import idle
from drumbeat.runtime import combine, divide, expand, head, referenced, results
from drumbeat.task import Task
from drumbeat.testing.cloud import AppCloud
from drumbeat.testing.single import Single
from tests.plan.counting import Count, Counted, Requests, agree, counting, declared

TASKS: dict[str, Task] = {
    task.name: task
    for task in vars(declared(Path(__file__).parent / "app" / "handlers" / "shapes.py")).values()
    if isinstance(task, Task)
}


@pytest.fixture
def count(drumbeat_assembly: Path) -> Iterator[Count]:
    """Run a task and count."""
    with counting(drumbeat_assembly) as counted:
        yield counted


def _agree(counted: Counted, name: str, **given: Any) -> None:
    agree(counted, TASKS[name], **given)


@pytest.mark.parametrize(
    ("name", "items", "item_bytes"),
    [
        ("numbers", 95, 6),
        ("leaves", 290, 6),
        ("batches", 200, 6),
        ("gathers", 30, 6),
        ("wide", 100, 1002),
        ("large", 2, 2_000_002),
        ("spools", 100, 100_002),
        ("nothing", 0, 0),
        ("combines", 260, 6),
        ("combines-few", 30, 6),
        ("once", 12, 10),
    ],
)
def test_a_run_makes_the_requests_that_are_forecast(count: Count, name: str, items: int, item_bytes: int) -> None:
    counted = count(name)

    assert ("SUCCEEDED", items) == (counted.run.state, counted.run.items)
    _agree(counted, name, items=items, item_bytes=item_bytes)


def test_what_runs_have_shown_is_reckoned_with_and_costs_no_request(count: Count) -> None:
    learned = Learned(ms=500_000, attempts=1000)
    table = Table(count.cloud.client("dynamodb"), count.cloud.table)
    Active(table, "nothing", limit=1).leave("nothing/2026-01-01T00:00:00Z", learned)

    counted = count("nothing", list(range(100_000, 100_300)))

    assert (10, learned) == (counted.run.chunks, counted.run.record.learned)
    _agree(counted, "nothing", items=300, item_bytes=6, given=True, learned=learned)


def test_lines_are_read_once_to_cut_them_and_once_to_work_them(count: Count) -> None:
    lines = [json.dumps({"n": n}) for n in range(100, 110)]
    cloud: AppCloud = count.cloud
    cloud.client("s3").put_object(Bucket=cloud.bucket, Key="inputs/lines.jsonl", Body="\n".join(lines).encode())

    _agree(count("lines"), "lines", items=10, item_bytes=len(lines[0]))


def test_compressed_messages_are_billed_by_what_is_left_of_them(count: Count) -> None:
    items: Any = TASKS["squeezes"].source
    packed = next(pack(map(json.dumps, items(None)), size=100, max_bytes=2**18))
    share = len(packed.body("x")) / len(packed.stored())

    _agree(count("squeezes"), "squeezes", items=1000, item_bytes=1002, compresses_to=share)


def test_objects_are_listed_a_thousand_a_page(count: Count) -> None:
    cloud: AppCloud = count.cloud
    for number in range(9):
        cloud.client("s3").put_object(Bucket=cloud.bucket, Key=f"inputs/objects/{number}", Body=b"")

    _agree(count("objects"), "objects", items=9)


def test_an_item_that_fails_at_every_try_costs_its_chunk_three_writes_and_two_reads_a_try(count: Count) -> None:
    counted = count("gathers", [*range(100, 109), {"fails": 1}])

    assert (9, 1, 4) == (counted.run.record.succeeded, counted.run.failed, counted.run.chunks)
    failures = Failures(chunks=1, again=2, letters=1, parts=0, reports=1)
    _agree(counted, "gathers", items=10, item_bytes=3, failures=failures, given=True)


def test_results_of_a_chunk_that_failed_are_kept_pass_by_pass(count: Count) -> None:
    counted = count("gathers", [*range(100, 108), {"fails": 1}])

    assert (8, 1, 3) == (counted.run.record.succeeded, counted.run.failed, counted.run.chunks)
    failures = Failures(chunks=1, again=2, letters=1, parts=1, reports=1)
    _agree(counted, "gathers", items=9, item_bytes=3, failures=failures, given=True)


def test_a_run_that_fails_calls_no_fan_in(count: Count) -> None:
    counted = count("lines", [1, {"fails": 1}, {"fails": 1}, 2])

    assert "FAILED" == counted.run.state
    failures = Failures(chunks=1, again=0, letters=2)
    _agree(counted, "lines", items=4, item_bytes=7, failures=failures, given=True)


def test_a_round_of_the_keeper_makes_the_requests_that_are_forecast(drumbeat_assembly: Path) -> None:
    seam = Single(Seam())
    with AppCloud(drumbeat_assembly, faults=seam) as cloud:
        cloud.advance(minutes=16)
        names = cloud.tasks
        rounds = [n for function, n in cloud.meter.invocations.items() if "Keeper" in function]

    assert [1] == rounds
    expected: Requests = Counter()
    for name in names:
        expected += idle(TASKS[name], hours=0.25, tasks=len(names)).requests
    assert expected == Counter(("dynamodb", point.operation) for point in seam.points)


def test_the_model_has_the_runtimes_numbers() -> None:
    assert (referenced.CHUNK_BYTES, referenced._SPOOL_BYTES) == (packing.LINES_BYTES, packing.SPOOL_BYTES)
    assert expand._SAVE_EVERY_S == given.SAVE_EVERY_S
    assert 1 - expand._MARGIN == given.DISPATCHER_SHARE
    assert head.FRESH.total_seconds() == given.HEAD_FRESH_S
    assert (divide.MOST, divide.PART_BYTES, divide.PART_NUMBERS) == (
        part.MOST,
        division.PART_BYTES,
        division.PART_NUMBERS,
    )
    assert parts.ITEMS == packing.PART_ITEMS
    assert results.KEPT_BYTES == importlib.import_module("drumbeat.plan.forecast").KEPT_BYTES
    assert combine.ALONE == importlib.import_module("drumbeat.plan.forecast")._ALONE
