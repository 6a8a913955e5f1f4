"""The single-fault sweep over an app of the user's: what it plays, what it finds, and what it says."""

import os
import re
from pathlib import Path

import pytest

from drumbeat.testing import KINDS, AppCloud, Point, Sweep, check_invariants


def one_item(cloud: AppCloud) -> object:
    return cloud.run("strict", items=[1])


def sent_once(cloud: AppCloud, run: object) -> None:
    """A check that at-least-once can't keep."""
    check_invariants(cloud, run)
    tries = cloud.requests["sqs", "SendMessageBatch"]
    if tries > 1:
        raise AssertionError(f"sent {tries} times")


def test_every_call_is_broken_in_every_way_that_fits_it(sweep):
    found: Sweep = sweep(one_item, points=3)

    entries = [point for point in found.points if point.operation in ("SendMessageBatch", "PutEvents")]
    assert len(KINDS[:-1]) * len(found.points) + len(entries) == found.possible
    assert 3 == found.played.total()
    assert {"strict dispatcher", "strict worker"} == {point.function for point in found.points}
    assert f"{len(found.points)} calls, {found.possible} single faults, 3 of them played" in str(found)


def test_what_breaks_is_told_with_the_seed_the_log_and_the_way_to_play_it_again(sweep):
    with pytest.raises(AssertionError) as told:
        sweep(one_item, sent_once, kinds=["lost reply"], where=lambda point: point.operation == "SendMessageBatch")

    text = str(told.value)
    assert re.search(r"lost reply at call \d+: strict dispatcher SendMessageBatch", text)
    assert "AssertionError: sent 2 times" in text
    assert "seed 0" in text
    assert "invoke.end" in text
    log = Path(re.search(r"all \d+ events: (.+)", text)[1])
    events = log.read_text()
    assert "invoke.start" in events
    log.unlink()
    only = re.search(r"this one again: sweep\(\.\.\., seed=0, only='(.+)'\)", text)[1]
    with pytest.raises(AssertionError, match="1 of them played"):
        sweep(one_item, sent_once, only=only)
    assert events == log.read_text()  # from scratch, in this process, the same as in a copy of it


def test_the_seed_draws_the_points(sweep):
    drawn = [sweep(one_item, points=2, seed=seed).played for seed in (1, 1)]

    assert drawn[0] == drawn[1]


def test_faults_that_nothing_can_tell_apart_are_played_once(sweep):
    def first(point: Point) -> bool:
        return point.number <= 4

    found: Sweep = sweep(one_item, kinds=(*KINDS[:3], "throttle"), where=first, outside=lambda: "nothing is done there")

    writes = [point for point in found.points[:4] if not point.operation.startswith(("Get", "Query"))]
    assert 1 <= len(writes) < 4
    assert {"crash before": 4, "crash after": 1, "lost reply": len(writes), "throttle": 4} == found.played
    assert 16 == found.possible == found.played.total() + found.alike


def test_work_between_two_calls_tells_faults_apart(sweep):
    done = iter(range(1000))

    found: Sweep = sweep(one_item, kinds=["crash before", "crash after"], points=1, outside=lambda: next(done))

    assert 0 == found.alike


def test_a_check_that_ends_its_process_is_a_finding(sweep):
    def ends_it(cloud: AppCloud, _run: object) -> None:
        if cloud.requests["sqs", "SendMessageBatch"] > 1:
            os._exit(7)

    with pytest.raises(AssertionError, match="the process that played it has ended with 7"):
        sweep(one_item, ends_it, kinds=["lost reply"], where=lambda point: point.operation == "SendMessageBatch")


def test_what_does_not_even_hold_without_a_fault_is_said_first(sweep):
    def wrong(*_: object) -> None:
        raise LookupError("my check is wrong")

    with pytest.raises(AssertionError, match=r"without any fault(.|\n)*LookupError: my check is wrong"):
        sweep(one_item, wrong)


def test_a_play_that_takes_another_way_each_time_is_refused(sweep):
    times = iter(range(9))

    with pytest.raises(AssertionError, match="not reached"):
        sweep(lambda cloud: cloud.run("strict" if next(times) else "plain", items=[1]), points=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kinds": ["meteor"]}, "meteor; there are crash before"),
        ({"only": "999 throttle"}, "no fault '999 throttle'"),
        ({"where": lambda _: False}, "breaks nothing"),
    ],
)
def test_what_does_not_exist_is_refused(sweep, arguments, words):
    with pytest.raises(ValueError, match=words):
        sweep(one_item, **arguments)


def test_invariants_name_the_run_what_was_expected_and_what_was_found(cloud):
    cloud.run("plain", items=[1, {"raise": "x"}])
    table = cloud.client("dynamodb")
    record = cloud.runs("plain")[0]
    key = {"pk": {"S": "task#plain"}, "sk": {"S": f"run#{record.scheduled_at}"}}
    values = {":f": {"N": "3"}}
    table.update_item(
        TableName=cloud.table, Key=key, UpdateExpression="SET failed = :f", ExpressionAttributeValues=values
    )

    with pytest.raises(AssertionError, match=r"plain/2026.*: expected each of its 2 items counted once; found 1 succ"):
        check_invariants(cloud)
