"""The keeper: what was lost on the way is found, and no run hangs."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from drumbeat import Run
from drumbeat.signal import Resume
from drumbeat.testing.cloud import AppCloud
from tests.runtime.lanes import live_mapping, pause_worker

HALF_PAST = datetime(2026, 1, 1, 0, 30, tzinfo=UTC)


def metric(cloud: AppCloud, name: str) -> float:
    return sum(value.value for value in cloud.metrics() if value.name == name)


def test_a_completion_that_was_never_announced_is_announced(cloud: AppCloud) -> None:
    """The worker dies, or its invoke is lost, after it settled the last chunk."""
    run = cloud.run("strict", items=[1, 2])
    reopen(cloud, run.id)
    cloud.advance(minutes=50)

    assert "SUCCEEDED" == cloud.show(run).state


def test_a_run_whose_dispatcher_died_is_resumed(cloud: AppCloud) -> None:
    run = cloud.run("plain")
    table = cloud.client("dynamodb")
    reopen(cloud, run.id, "SET sealed = :false, chunks = :zero, #items = :zero", zero=0)
    del table
    cloud.advance(minutes=50)

    ended = cloud.show(run)
    assert ("SUCCEEDED", 95, 95) == (ended.state, ended.items, ended.record.succeeded)
    assert 1 == ended.takeovers


def test_a_dispatcher_that_dies_again_and_again_fails_the_run(cloud: AppCloud) -> None:
    run = cloud.run("plain", items=[1])
    reopen(cloud, run.id, "SET sealed = :false, chunks = :zero, #items = :zero, takeovers = :many", zero=0, many=5)
    cloud.advance(minutes=50)

    assert "the dispatcher died 5 times" in cloud.show(run).reason


def test_a_stale_resume_changes_nothing(cloud: AppCloud) -> None:
    run = cloud.run("plain", items=[1])
    cloud.invoke_async(cloud.dispatcher("plain"), Resume(Run.parse(run.id), 7).event())
    cloud.run_until_idle()

    assert run.record == cloud.show(run).record


@pytest.mark.cloud(start=datetime(2026, 1, 1, 23, 20, tzinfo=UTC))
def test_a_fire_that_never_came_is_recorded_and_counted(cloud: AppCloud) -> None:
    cloud.advance(minutes=20)
    rule = next(rule for rule in cloud.deployment.rules if "plain" in rule.name and rule.expression)
    cloud.client("events").disable_rule(Name=rule.name)
    cloud.advance(hours=1)

    assert [("MISSED", "2026-01-02T00:00:00Z")] == [(run.state, run.scheduled_at) for run in cloud.runs("plain")]
    assert [("service", "plain")] == [
        pair for value in cloud.metrics() if value.name == "FiresMissed" for pair in value.dimensions
    ]


def test_a_message_that_only_kills_workers_is_settled_and_the_run_ends(cloud: AppCloud) -> None:
    run = cloud.run("plain", items=[{"exit": 1}] * 3)

    assert ("FAILED", 0, 3) == (run.state, run.record.succeeded, run.failed)


def test_a_chunk_that_no_worker_has_begun_is_sent_again_not_failed(cloud: AppCloud) -> None:
    """Throttled deliveries use up the receive count; the dead-letter queue gets a chunk nobody has tried."""
    sqs = cloud.client("sqs")
    run = cloud.fire("plain", items=[1, 2, 3])
    pause_worker(cloud, "plain")
    cloud.advance(minutes=1)
    queue_url = cloud.show(run).queue_url
    [message] = sqs.receive_message(QueueUrl=queue_url)["Messages"]
    sqs.send_message(QueueUrl=dead_letter_queue_of(cloud, "plain"), MessageBody=message["Body"])
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    pause_worker(cloud, "plain", paused=False)
    cloud.run_until_idle(timedelta(days=1))

    assert ("SUCCEEDED", 3) == (cloud.show(run).state, cloud.show(run).record.succeeded)
    assert 1 == metric(cloud, "ChunksSentAgain")


def test_a_completion_is_announced_with_one_id(cloud: AppCloud) -> None:
    sqs, events = cloud.client("sqs"), cloud.client("events")
    arn = "arn:aws:sqs:us-east-1:123456789012:heard"
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    url = sqs.create_queue(QueueName="heard", Attributes={"Policy": policy})["QueueUrl"]
    events.put_rule(Name="hear", EventPattern=json.dumps({"source": ["drumbeat"], "detail": {"task": ["strict"]}}))
    events.put_targets(Rule="hear", Targets=[{"Id": "1", "Arn": arn}])

    run = cloud.run("strict", items=[1, 2])

    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    began, heard = sorted((json.loads(message["Body"]) for message in answer["Messages"]), key=lambda m: m["time"])
    assert {"Run state changed"} == {began["detail-type"], heard["detail-type"]}
    assert (f"{run.id}/RUNNING", 0) == (began["detail"]["id"], began["detail"]["succeeded"])
    assert (f"{run.id}/SUCCEEDED", run.id, 2, 2, 0) == tuple(
        heard["detail"][name] for name in ("id", "run", "items", "succeeded", "failed")
    )


def reopen(cloud: AppCloud, run_id: str, also: str = "", **values: object) -> None:
    """Put a run back to RUNNING and among the active ones, as if its end had never been written."""
    task, _, time = run_id.partition("/")
    key = {"pk": {"S": f"task#{task}"}, "sk": {"S": f"run#{time}"}}
    expression = (also + ", " if also else "SET ") + "#state = :running, tries = :none, epoch = :none"
    cloud.client("dynamodb").update_item(
        TableName=cloud.table,
        Key=key,
        UpdateExpression=expression,
        ExpressionAttributeNames={"#state": "state"} | ({"#items": "items"} if "#items" in also else {}),
        ExpressionAttributeValues={
            ":running": {"S": "RUNNING"},
            ":none": {"N": "0"},
            **({":false": {"BOOL": False}} if ":false" in also else {}),
            **{f":{name}": {"N": str(value)} for name, value in values.items()},
        },
    )
    cloud.client("dynamodb").update_item(
        TableName=cloud.table,
        Key={"pk": {"S": f"task#{task}"}, "sk": {"S": "active"}},
        UpdateExpression="ADD runs :run",
        ExpressionAttributeValues={":run": {"SS": [run_id]}},
    )


def dead_letter_queue_of(cloud: AppCloud, task: str) -> str:
    """The URL of the queue with the messages that a task's queue gave up."""
    source = live_mapping(cloud, task).source_arn
    queues = {queue.arn: queue for queue in cloud.deployment.queues}
    return queues[str(queues[source].dead_letter_arn)].url


def test_a_run_whose_messages_expired_ends_with_its_items_counted_as_failed(cloud: AppCloud) -> None:
    pause_worker(cloud, "plain")
    run = cloud.fire("plain", items=range(25))
    cloud.advance(minutes=1)
    cloud.client("sqs").purge_queue(QueueUrl=cloud.show(run).queue_url)
    task, _, time = run.id.partition("/")
    cloud.client("dynamodb").update_item(
        TableName=cloud.table,
        Key={"pk": {"S": f"task#{task}"}, "sk": {"S": f"run#{time}"}},
        UpdateExpression="SET started_at = :then",
        ExpressionAttributeValues={":then": {"S": "2025-12-24T00:00:00Z"}},
    )
    cloud.advance(minutes=50)

    ended = cloud.show(run)
    assert ("FAILED", 0, 25) == (ended.state, ended.record.succeeded, ended.failed)
    assert "messages with 25 items expired before a worker took them" in ended.reason
