"""What is wrong ends in a visible state with its reason, and hangs no run."""

import json

import pytest

from drumbeat.testing.cloud import AppCloud, RunView


def metric(cloud: AppCloud, name: str) -> float:
    return sum(value.value for value in cloud.metrics() if value.name == name)


def expand(cloud: AppCloud, how: str) -> RunView:
    """Run the task whose expand behaves as it is told to; see tests/app/handlers/expands.py."""
    cloud.client("s3").put_object(Bucket=cloud.bucket, Key="runs/expands/how", Body=how.encode())
    return cloud.run("expands")


def test_an_expansion_that_raises_halfway_fails_the_run_after_its_tries_and_loses_no_item(cloud: AppCloud) -> None:
    run = expand(cloud, "halfway")

    assert ("FAILED", 6, 6, 0) == (run.state, run.items, run.record.succeeded, run.failed)
    assert "task 'expands': expand raised LookupError: the customers' database is gone" in run.reason
    assert 3 + 1 == cloud.invocations[cloud.dispatcher("expands")]
    assert 1 == metric(cloud, "RunsFailed")


def test_an_expansion_that_recovers_goes_on_where_it_was(cloud: AppCloud) -> None:
    run = expand(cloud, "recovers")

    assert ("SUCCEEDED", 10, 3) == (run.state, run.record.succeeded, run.chunks)


@pytest.mark.parametrize(
    ("how", "items", "words"),
    [
        ("sets", 1, "task 'expands', item 1: a set that isn't JSON"),
        ("huge", 1, "task 'expands', item 1: 11,000,002 bytes, 10,485,760 allowed"),
        ("text", 0, "expand returned a str; yield items"),
        ("stuck", 24, "expand needs more than one invocation (60 s) to get past item 24; yield items sooner"),
    ],
)
def test_items_that_cannot_be_had_fail_the_run_with_the_remedy(
    cloud: AppCloud, how: str, items: int, words: str
) -> None:
    run = expand(cloud, how)

    assert ("FAILED", items) == (run.state, run.record.succeeded)
    assert words in run.reason


def test_a_run_with_no_items_succeeds(cloud: AppCloud) -> None:
    run = expand(cloud, "empty")

    assert ("SUCCEEDED", 0, 0) == (run.state, run.items, run.chunks)


def test_items_above_the_limit_of_a_message_travel_through_s3(cloud: AppCloud) -> None:
    run = expand(cloud, "large")

    assert ("FAILED", 2, 1) == (run.state, run.record.succeeded, run.failed)
    assert [{"raise": "y" * 2_000_000}] == [letter.item for letter in run.dead_letters]
    kept = cloud.client("s3").list_objects_v2(Bucket=cloud.bucket, Prefix=f"runs/{run.id}/chunks/")
    assert 1 == kept["KeyCount"]


def test_an_expansion_longer_than_an_invocation_goes_on_in_the_next(cloud: AppCloud) -> None:
    run = expand(cloud, "slowly")

    assert ("SUCCEEDED", 90, 90, 23) == (run.state, run.items, run.record.succeeded, run.chunks)
    assert cloud.invocations[cloud.dispatcher("expands")] > 4


def test_a_fan_in_that_raises_is_tried_again_then_fails_the_run(cloud: AppCloud) -> None:
    run = cloud.run("publisher")

    assert ("FAILED", 3, "complete raised OSError: the disk is full") == (run.state, run.record.succeeded, run.reason)


@pytest.mark.parametrize("event", [{}, {"task": "gone", "scheduled_at": "2026-01-01T00:00:00Z"}, [1], 5])
def test_a_malformed_fire_is_kept_and_counted(cloud: AppCloud, event: object) -> None:
    cloud.invoke_async(cloud.dispatcher("plain"), event)
    cloud.advance(minutes=10)

    kept = [queue.name for queue in cloud.deployment.queues if cloud.queue_depth(queue.name)[0]]
    assert 3 == metric(cloud, "MalformedFires")
    assert 1 == len(kept)
    assert [] == cloud.runs("plain")


@pytest.mark.parametrize(
    "body", ["hello", "{}", '{"v":0}', '{"v":1,"run":"other/2026-01-01T00:00:00Z","chunk":0,"first":0,"items":[1]}']
)
def test_a_foreign_message_is_put_aside_and_counted(cloud: AppCloud, body: str) -> None:
    run = cloud.run("plain", items=[1, 2])
    cloud.client("sqs").send_message(QueueUrl=run.queue_url, MessageBody=body)
    cloud.run_until_idle()

    kept = cloud.client("s3").list_objects_v2(Bucket=cloud.bucket, Prefix="runs/plain/malformed/")["Contents"]
    assert [body.encode()] == [
        cloud.client("s3").get_object(Bucket=cloud.bucket, Key=entry["Key"])["Body"].read() for entry in kept
    ]
    assert 1 == metric(cloud, "MalformedMessages")
    assert run.record == cloud.show(run).record


def test_no_payload_and_no_error_text_is_logged(cloud: AppCloud) -> None:
    cloud.run("plain", items=[{"raise": "secret-canary"}, {"name": "secret-canary"}])
    expand(cloud, "halfway")

    written = "\n".join(line.text for function in cloud.functions() for line in cloud.logs(function.name))
    assert "secret-canary" not in written
    assert "database is gone" not in written
    assert "chunks settled" in written


def test_what_would_be_zero_is_no_metric(cloud: AppCloud) -> None:
    cloud.run("plain", items=[])
    cloud.run("plain", items=[1])

    assert 1 == metric(cloud, "ChunksSent")
    assert all(value.value for value in cloud.metrics())


def test_an_invocation_of_a_worker_says_in_one_line_what_it_has_settled(cloud: AppCloud) -> None:
    run = cloud.run("plain", items=[1, 2])

    (line,) = [json.loads(line.text) for line in cloud.logs(cloud.worker("plain"))]
    assert "chunks settled" == line["message"]
    assert {run.id: {"chunks": [0], "succeeded": 2, "failed": 0, "dropped": 0}} == line["settled"]
    assert ([1.0], [2.0]) == (line["ChunksSettled"], line["ItemsSucceeded"])
    assert line["function_request_id"]
