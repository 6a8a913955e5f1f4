"""Runs that several dispatchers expand side by side: each item is there once, and everything else is as ever."""

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from drumbeat.control import Control, Deployment
from drumbeat.local import Faults
from drumbeat.testing import AppCloud, RunView, check_invariants


def published(cloud: AppCloud, run: RunView) -> Any:
    return json.loads(cloud.published(run)["all.json"])


def put(cloud: AppCloud, key: str, body: str) -> None:
    cloud.client("s3").put_object(Bucket=cloud.bucket, Key=key, Body=body.encode())


def expanders(cloud: AppCloud, task: str) -> int:
    """How many invocations of the dispatcher have sealed something."""
    return sum("run sealed" in line.text for line in cloud.logs(cloud.dispatcher(task)))


def jsonl(values: Sequence[Any]) -> str:
    return "".join(f"{json.dumps(value)}\n" for value in values)


@pytest.mark.parametrize(
    ("task", "expected", "chunks"), [("numbers", [*range(100, 200, 3)], 3 + 3 + 3), ("inline", [*range(10)], 3)]
)
def test_the_numbers_of_a_range(cloud: AppCloud, task: str, expected: list[int], chunks: int) -> None:
    run = cloud.run(task)

    assert ("SUCCEEDED", 3, len(expected), chunks) == (run.state, run.parts, run.items, run.chunks)
    assert expected == published(cloud, run)
    assert 3 == expanders(cloud, task)
    check_invariants(cloud)


def test_lines_are_cut_anywhere_and_each_is_there_once_in_order(cloud: AppCloud) -> None:
    values = [{"n": n, "text": "é" * (n % 7 * 5)} for n in range(40)]
    put(cloud, "inputs/lines.jsonl", "\n" + jsonl(values)[:-1])

    run = cloud.run("lines")

    assert ("SUCCEEDED", 4, 40) == (run.state, run.parts, run.items)
    assert values == published(cloud, run)
    check_invariants(cloud)


def test_a_line_longer_than_a_part_leaves_parts_without_items(cloud: AppCloud) -> None:
    put(cloud, "inputs/lines.jsonl", jsonl(["x" * 4000, 1, 2]))

    run = cloud.run("lines")

    assert ("SUCCEEDED", 4, 3) == (run.state, run.parts, run.items)
    assert ["x" * 4000, 1, 2] == published(cloud, run)


def test_a_source_that_is_too_small_is_expanded_in_one_go(cloud: AppCloud) -> None:
    put(cloud, "inputs/lines.jsonl", "")

    run = cloud.run("lines")

    assert ("SUCCEEDED", 0, 0, 0) == (run.state, run.parts, run.items, run.chunks)


def test_records_of_comma_separated_values_by_their_names(cloud: AppCloud) -> None:
    people = [("ann", 'says "hi"'), ("bob", "a;b"), ("poison", ""), ("dee", "ü")] * 5
    rows = "".join(f'{name};"{quote.replace(chr(34), chr(34) * 2)}"\r\n' for name, quote in people)
    put(cloud, "inputs/people.csv", f"\ufeffname; quote\r\n{rows}eve\r\n")

    run = cloud.run("people")

    wanted = [{"name": name, "quote": quote} for name, quote in people if name != "poison"]
    assert ("SUCCEEDED", 3, 21, 6) == (run.state, run.parts, run.items, run.failed)
    assert wanted == published(cloud, run)
    assert {"ValueError": 5, "RecordMalformed": 1} == {
        kind: sum(letter.error_type == kind for letter in run.dead_letters)
        for kind in ("ValueError", "RecordMalformed")
    }


def test_a_first_line_that_names_no_columns_fails_the_run_with_the_reason(cloud: AppCloud) -> None:
    put(cloud, "inputs/people.csv", "a;a\n1;2\n")

    run = cloud.run("people")

    assert "FAILED" == run.state
    assert "inputs/people.csv: the first line must name each of the 2 columns, once" in run.reason


def test_a_quoted_field_may_hold_line_breaks_where_the_source_says_so(cloud: AppCloud) -> None:
    put(cloud, "inputs/quoted.csv", 'id,text\n1,"two\nlines"\n2,one\n')

    run = cloud.run("quoted")

    assert [{"id": "1", "text": "two\nlines"}, {"id": "2", "text": "one"}] == published(cloud, run)


def test_objects_are_listed_by_the_prefixes_below_theirs(cloud: AppCloud) -> None:
    keys = [f"inputs/objects/{key}" for key in ("0", "a/1", "a/2", "b", "b/", "b/1", "c/1", "d/1", "d/2", "z")]
    for key in keys:
        put(cloud, key, "x")

    run = cloud.run("objects")

    assert ("SUCCEEDED", 3, 10) == (run.state, run.parts, run.items)
    assert keys == [found["key"] for found in published(cloud, run)]


def test_the_segments_of_a_table(cloud: AppCloud) -> None:
    dynamodb = cloud.client("dynamodb")
    dynamodb.create_table(
        TableName="customers",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    for number in range(20):
        dynamodb.put_item(TableName="customers", Item={"id": {"S": f"{number:02}"}})

    run = cloud.run("records")

    assert ("SUCCEEDED", 3, 20) == (run.state, run.parts, run.items)
    assert [f"{number:02}" for number in range(20)] == sorted(found["id"] for found in published(cloud, run))


def test_a_function_is_called_for_each_part(cloud: AppCloud) -> None:
    run = cloud.run("shares", params={"items": [1, 2, "poison"]})

    assert ("SUCCEEDED", 4, 3, 1) == (run.state, run.parts, run.items, run.failed)
    assert [1, 2] == published(cloud, run)
    assert [2_000_000_000] == [letter.number for letter in run.dead_letters]
    check_invariants(cloud)


def test_a_part_that_fails_for_good_fails_the_run_and_the_others_are_done(cloud: AppCloud) -> None:
    run = cloud.run("shares", params={"broken": 1})

    assert ("FAILED", 20, 20) == (run.state, run.items, run.record.succeeded)
    assert "expand raised ValueError: no more of this part" in run.reason
    check_invariants(cloud, may_hold=["DeadFires"])


def test_items_given_by_hand_are_divided_like_the_lines_they_are(cloud: AppCloud) -> None:
    run = cloud.run("shares", items=["a", "b", "poison", "c", "d", "e"])

    assert ("SUCCEEDED", 4, ["a", "b", "c", "d", "e"]) == (run.state, run.parts, published(cloud, run))
    assert ["poison"] == [letter.item for letter in run.dead_letters]


def test_each_part_goes_on_in_further_invocations(cloud: AppCloud) -> None:
    run = cloud.run("slow")

    assert ("SUCCEEDED", 2, 24) == (run.state, run.parts, run.items)
    assert [*range(12), *range(100, 112)] == published(cloud, run)


def test_what_failed_in_any_part_is_redriven_in_one_round(cloud: AppCloud) -> None:
    run = cloud.run("shares", params={"items": ["poison", 1, 2, "poison", 4, "poison"]})
    control = Control(Deployment.of_outputs(cloud.deployment.outputs), cloud, now=lambda: cloud.now)

    again = control.redrive(run.id, items="0,3000000000")
    assert cloud.run_until_idle(timedelta(hours=1))

    after = cloud.show(run)
    assert (2, (0, 3_000_000_000)) == (again.items, again.numbers)
    assert ("SUCCEEDED", 1, 6, 3) == (after.state, after.round, after.items, after.failed)
    assert [0, 1_000_000_001, 3_000_000_000] == [letter.number for letter in after.dead_letters]
    check_invariants(cloud)


def test_a_cancelled_run_has_exact_counts_over_all_its_parts_and_its_rest_is_redriven(cloud: AppCloud) -> None:
    control = Control(Deployment.of_outputs(cloud.deployment.outputs), cloud, now=lambda: cloud.now)
    run = cloud.fire("kept")
    cloud.advance(seconds=4)
    control.cancel(run.id, abandon=True)
    assert cloud.run_until_idle(timedelta(hours=12))

    ended = cloud.show(run)
    assert ("CANCELLED", 2, 4) == (ended.state, ended.parts, ended.record.succeeded + ended.dropped)
    assert ended.dropped
    control.redrive(run.id)
    assert cloud.run_until_idle(timedelta(hours=12))
    assert ("SUCCEEDED", 4) == (cloud.show(run).state, cloud.show(run).record.succeeded)


STORM = {
    "duplicate_delivery": 0.2,
    "reorder": 0.5,
    "throttle": 0.03,
    "lost_reply": 0.05,
    "crash_before_settle": 0.04,
    "crash_after_side_effect": 0.04,
    "send_batch_partial_failure": 0.2,
    "clock_jump": 0.3,
}


@pytest.mark.parametrize("seed", range(3))
def test_a_storm_of_faults_over_all_parts_changes_no_count(drumbeat_assembly: Path, seed: int) -> None:
    faults = Faults(**STORM)
    with AppCloud(drumbeat_assembly, seed=seed, faults=faults) as cloud:
        fired = cloud.fire("shares", params={"items": [*range(18), "poison", "poison"]})
        for _ in range(12):
            cloud.advance(minutes=30)
            if cloud.runs("shares") and cloud.show(fired).state != "RUNNING":
                break
        run = cloud.show(fired)

    assert ("SUCCEEDED", 4, 20, 2) == (run.state, run.parts, run.items, run.failed), cloud.log.text()[-3000:]
    assert faults.strikes, "nothing went wrong: the storm was no storm"
