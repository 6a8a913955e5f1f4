"""A run from its fire to its end, in the local cloud, under the roles of the template."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from drumbeat.testing.cloud import AppCloud


@pytest.mark.cloud(start=datetime(2026, 1, 1, 23, 50, tzinfo=UTC))
def test_every_item_is_counted_once_and_the_fan_in_reads_results_in_item_order(cloud: AppCloud) -> None:
    cloud.advance(minutes=20)

    [run] = [run for run in cloud.runs("plain") if run.scheduled_at == "2026-01-02T00:00:00Z"]

    assert ("SUCCEEDED", 95, 0, 95, 10, 10) == (
        run.state, run.succeeded, run.failed, run.attempts, run.chunks, run.messages,
    )  # fmt: skip
    assert list(range(95)) == json.loads(cloud.published(cloud.show(run))["all.json"])


def test_poison_item_alone_becomes_a_dead_letter(cloud: AppCloud) -> None:
    run = cloud.run("plain", items=["ann", {"raise": "bad amount"}, "bob"])

    assert "SUCCEEDED" == run.state
    assert ["ann", "bob"] == run.succeeded
    [letter] = run.dead_letters
    assert ({"raise": "bad amount"}, "RuntimeError", "bad amount", 3) == (
        letter.item, letter.error_type, letter.error, letter.attempts,
    )  # fmt: skip
    assert ["ann", "bob"] == json.loads(cloud.published(run)["all.json"])


def test_failed_items_are_tried_again_and_done_ones_are_not_done_again(cloud: AppCloud) -> None:
    run = cloud.run("plain", items=[1, {"fail_until": "a"}, 2, {"fail_until": "b"}])

    assert ("SUCCEEDED", 4, 0, 6) == (run.state, run.record.succeeded, run.failed, run.attempts)
    assert [1, {"fail_until": "a"}, 2, {"fail_until": "b"}] == json.loads(cloud.published(run)["all.json"])


def test_throttling_burns_no_attempt(cloud: AppCloud) -> None:
    run = cloud.run("strict", items=[1, {"throttled_until": "x"}])

    assert ("SUCCEEDED", 2, 0, 2) == (run.state, run.record.succeeded, run.failed, run.attempts)


def test_an_item_that_kills_its_worker_is_given_up_alone(cloud: AppCloud) -> None:
    run = cloud.run("plain", items=["ann", {"exit": 1}, "bob", "eve"])

    assert "SUCCEEDED" == run.state
    assert ["ann", "bob", "eve"] == run.succeeded
    assert [({"exit": 1}, "WorkerDied")] == [(letter.item, letter.error_type) for letter in run.dead_letters]
    assert ["ann", "bob", "eve"] == json.loads(cloud.published(run)["all.json"])


def test_an_item_that_outlives_the_timeout_is_given_up_alone(cloud: AppCloud) -> None:
    run = cloud.run("strict", items=["ann", {"sleep": 60}, "bob"])

    assert ("FAILED", 2, 1) == (run.state, run.record.succeeded, run.failed)
    assert ["ann", "bob"] == run.succeeded
    assert "1 of 3 items failed; none are tolerated" == run.reason


def test_a_chunk_longer_than_an_invocation_goes_on_in_the_next(cloud: AppCloud) -> None:
    run = cloud.run("strict", items=[{"sleep": 4}] * 5)

    assert ("SUCCEEDED", 5, 5) == (run.state, run.record.succeeded, run.attempts)


def test_work_in_threads_and_coroutines_counts_the_same(cloud: AppCloud) -> None:
    for task in ("threads", "coroutines"):
        run = cloud.run(task, items=[1, {"raise": "no"}, 2, {"fail_until": "z"}, 3])

        assert ("FAILED", 4, 1, 7) == (run.state, run.record.succeeded, run.failed, run.attempts)
        assert [{"raise": "no"}] == [letter.item for letter in run.dead_letters]


def test_coroutines_wait_side_by_side(cloud: AppCloud) -> None:
    before = cloud.now
    run = cloud.run("coroutines", items=range(20))

    assert 20 == run.record.succeeded
    assert cloud.now - before < timedelta(seconds=20 * 0.5)


def test_a_coroutine_that_outlives_the_time_fails_alone(cloud: AppCloud) -> None:
    run = cloud.run("coroutines", items=[1, {"await": 100}, 2])

    assert [1, 2] == run.succeeded
    assert ["TimeoutError"] == [letter.error_type for letter in run.dead_letters]


def test_a_result_that_is_not_json_fails_its_item_at_once(cloud: AppCloud) -> None:
    run = cloud.run("plain", items=[1, {"return": "set"}])

    assert [("ResultNotJson", 1)] == [(letter.error_type, letter.attempts) for letter in run.dead_letters]


def test_an_idempotent_item_has_one_effect_even_when_its_chunk_dies(cloud: AppCloud) -> None:
    run = cloud.run("once", items=[{"id": "a"}, {"id": "b"}, {"id": "c", "exit": 1}])

    effects = cloud.client("s3").list_objects_v2(Bucket=cloud.bucket, Prefix=f"runs/{run.id}/effects/")["Contents"]
    names = [entry["Key"].split("/")[-2] for entry in effects]
    assert (1, 1) == (names.count("a"), names.count("b"))
    assert [{"id": "c", "exit": 1}] == [letter.item for letter in run.dead_letters]


def test_an_item_without_its_idempotency_field_fails_with_the_reason(cloud: AppCloud) -> None:
    run = cloud.run("once", items=[{"name": "ann"}])

    assert ["MissingKey"] == [letter.error_type for letter in run.dead_letters]


def test_a_repeated_fire_is_the_same_run(cloud: AppCloud) -> None:
    first = cloud.run("strict", items=[1, 2])
    again = cloud.run("strict", at=datetime.fromisoformat(first.scheduled_at))

    assert first.record == again.record
    assert 1 == len(cloud.runs("strict"))


def test_a_fire_while_a_run_is_active_is_skipped_and_says_why(cloud: AppCloud) -> None:
    first = cloud.fire("strict", items=[{"sleep": 5}] * 20)
    cloud.advance(seconds=5)
    second = cloud.fire("strict", at=cloud.now + timedelta(minutes=1))
    cloud.run_until_idle()
    third = cloud.run("strict", at=cloud.now + timedelta(minutes=2))

    states = {run.id: (run.state, run.reason) for run in cloud.runs("strict")}
    assert ("SKIPPED", f"{first.id} was still active") == states[second.id]
    assert ("SUCCEEDED", "") == states[first.id] == states[third.id]


def test_overlapping_runs_are_counted_apart(cloud: AppCloud) -> None:
    first = cloud.fire("coroutines", items=[{"await": 20}] * 10)
    cloud.advance(seconds=5)
    second = cloud.fire("coroutines", items=[1, 2, 3], at=cloud.now + timedelta(minutes=1))
    cloud.run_until_idle()

    assert {first.id: 10, second.id: 3} == {run.id: run.succeeded for run in cloud.runs("coroutines")}


def test_a_call_that_no_grant_allows_is_denied(cloud: AppCloud) -> None:
    run = cloud.run("strict", items=[{"call": "s3"}])

    assert "FAILED" == run.state
    assert "s3:ListAllMyBuckets" in run.dead_letters[0].error
