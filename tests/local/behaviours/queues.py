"""Queues by themselves: visibility, receive counts, dead letters, order, limits."""

import json
from typing import Any

import pytest

from drumbeat.local import Faults
from tests.ceilings import over_the_limit

from .lab import SQS, SQS_API, Lab, arn, redrive, row

VISIBILITY = SQS + "sqs-visibility-timeout.html"
DEAD = SQS + "sqs-dead-letter-queues.html"
QUOTAS = SQS + "quotas-messages.html"
FIFO = SQS + "FIFO-queues-exactly-once-processing.html"


def queue(lab: Lab, **options: Any):
    lab.queue("Queue")
    return lab.open(**options)


def bodies(messages: list[dict[str, Any]]):
    return [message["Body"] for message in messages]


def fifo(lab: Lab):
    lab.add("Queue", "AWS::SQS::Queue", QueueName="Queue.fifo", FifoQueue=True, VisibilityTimeout=30)
    return lab.open()


def error(lab: Lab, operation: str, **params: Any):
    client = lab.cloud.client("sqs")
    with pytest.raises(client.exceptions.ClientError) as caught:
        getattr(client, operation)(QueueUrl=lab.url("Queue"), **params)
    return caught.value.response["Error"]["Code"]


@row("A received message is hidden for 30 seconds, then comes again with a higher count", VISIBILITY)
def hidden(lab: Lab):
    cloud = queue(lab)
    lab.send("Queue", "a")
    assert "1" == lab.receive("Queue")[0]["Attributes"]["ApproximateReceiveCount"]
    assert [] == lab.receive("Queue")
    cloud.advance(seconds=30.1)

    assert "2" == lab.receive("Queue")[0]["Attributes"]["ApproximateReceiveCount"]


@row("ChangeMessageVisibility shortens or extends; zero gives the message up at once", VISIBILITY)
def change(lab: Lab):
    cloud = queue(lab)
    lab.send("Queue", "a")
    sqs, url = cloud.client("sqs"), lab.url("Queue")
    handle = lab.receive("Queue")[0]["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=60)
    cloud.advance(seconds=50)
    assert [] == lab.receive("Queue")
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)

    assert ["a"] == bodies(lab.receive("Queue"))


@row("A receipt handle from an earlier receive deletes nothing", SQS + "sqs-queue-message-identifiers.html")
def stale(lab: Lab):
    cloud = queue(lab)
    lab.send("Queue", "a")
    handle = lab.receive("Queue")[0]["ReceiptHandle"]
    cloud.advance(seconds=31)
    lab.receive("Queue")
    cloud.client("sqs").delete_message(QueueUrl=lab.url("Queue"), ReceiptHandle=handle)
    cloud.advance(seconds=31)

    assert ["a"] == bodies(lab.receive("Queue"))


@row("A message may be delayed up to 15 minutes, by itself or by its queue", SQS + "sqs-delay-queues.html")
def delay(lab: Lab):
    lab.queue("Queue", DelaySeconds=60)
    cloud = lab.open()
    lab.send("Queue", "queue's")
    lab.send("Queue", "its own", DelaySeconds=5)
    assert (0, 0, 2) == cloud.queue_depth("Queue")
    cloud.advance(seconds=6)
    assert ["its own"] == bodies(lab.receive("Queue"))
    cloud.advance(seconds=55)
    assert "queue's" in bodies(lab.receive("Queue"))
    with over_the_limit():
        assert "InvalidParameterValue" == error(lab, "send_message", MessageBody="x", DelaySeconds=901)


@row("A message is gone after its retention period", SQS + "sqs-basic-architecture.html")
def retention(lab: Lab):
    lab.queue("Queue", MessageRetentionPeriod=60)
    cloud = lab.open()
    lab.send("Queue", "a")
    cloud.advance(seconds=61)

    assert [] == lab.receive("Queue")


@row("A message received more often than maxReceiveCount goes to the dead-letter queue, with its source", DEAD)
def dead_letters(lab: Lab):
    lab.queue("Dead")
    lab.queue("Queue", RedrivePolicy=redrive("Dead", 2))
    cloud = lab.open()
    (sent,) = lab.send("Queue", "a")
    for _ in range(3):
        lab.receive("Queue")
        cloud.advance(seconds=31)

    (message,) = lab.receive("Dead")
    assert (sent, "a") == (message["MessageId"], message["Body"])
    assert message["Attributes"]["DeadLetterQueueSourceArn"].endswith(":Queue")


@row("In a standard dead-letter queue the retention counts from the first sending", DEAD)
def dead_retention(lab: Lab):
    lab.queue("Dead", MessageRetentionPeriod=120)
    lab.queue("Queue", RedrivePolicy=redrive("Dead", 1), MessageRetentionPeriod=600)
    cloud = lab.open()
    lab.send("Queue", "a")
    lab.receive("Queue")
    cloud.advance(seconds=60)
    lab.receive("Queue")
    assert (1, 0, 0) == cloud.queue_depth("Dead")
    cloud.advance(seconds=61)

    assert [] == lab.receive("Dead")


@row(
    "A move task brings all dead letters back, as new messages, and one runs at a time",
    SQS_API + "API_StartMessageMoveTask.html",
)
def move(lab: Lab):
    lab.queue("Dead")
    lab.queue("Queue", RedrivePolicy=redrive("Dead", 1))
    cloud = lab.open()
    sent = lab.send("Queue", *"abcde")
    lab.receive("Queue")
    cloud.advance(seconds=31)
    lab.receive("Queue")
    sqs = cloud.client("sqs")
    dead = next(one.arn for one in cloud.deployment.queues if one.name == "Dead")
    sqs.start_message_move_task(SourceArn=dead, MaxNumberOfMessagesPerSecond=2)
    with pytest.raises(sqs.exceptions.ClientError, match="already a task running"):
        sqs.start_message_move_task(SourceArn=dead)
    cloud.advance(seconds=1.5)
    assert (2, 3) == (cloud.queue_depth("Queue")[0], cloud.queue_depth("Dead")[0])
    cloud.advance(seconds=5)

    found = lab.receive("Queue")
    assert [*"abcde"] == sorted(bodies(found))
    assert not set(sent) & {message["MessageId"] for message in found}
    assert {"1"} == {message["Attributes"]["ApproximateReceiveCount"] for message in found}
    (task,) = sqs.list_message_move_tasks(SourceArn=dead)["Results"]
    assert ("COMPLETED", 5) == (task["Status"], task["ApproximateNumberOfMessagesMoved"])


@row("A queue that is nobody's dead-letter queue has no move tasks", SQS_API + "API_StartMessageMoveTask.html")
def no_move(lab: Lab):
    cloud = queue(lab)
    sqs = cloud.client("sqs")
    with pytest.raises(sqs.exceptions.ClientError, match="must be configured as a Dead Letter Queue"):
        sqs.start_message_move_task(SourceArn=cloud.deployment.queues[0].arn)


@row("A standard queue may deliver a message twice", SQS + "standard-queues-at-least-once-delivery.html")
def twice(lab: Lab):
    cloud = queue(lab, faults=Faults(duplicate_delivery=1.0))
    lab.send("Queue", "a")
    (first,) = lab.receive("Queue")
    cloud.client("sqs").delete_message(QueueUrl=lab.url("Queue"), ReceiptHandle=first["ReceiptHandle"])
    cloud.advance(minutes=2)

    assert [first["MessageId"]] == [message["MessageId"] for message in lab.receive("Queue")]


@row("A standard queue may deliver messages in another order", SQS + "standard-queues.html")
def reordered(lab: Lab):
    queue(lab, faults=Faults(reorder=1.0))
    lab.send("Queue", *"abcdefghij")
    got = bodies(lab.receive("Queue"))

    assert sorted(got) == [*"abcdefghij"] != got


@row("A FIFO queue drops a duplicate within five minutes", FIFO)
def deduplicated(lab: Lab):
    cloud = fifo(lab)
    more = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    first, again = lab.send("Queue", "a", "b", **more)
    assert first == again
    cloud.advance(minutes=5, seconds=1)
    lab.send("Queue", "c", **more)

    assert ["a", "c"] == bodies(lab.receive("Queue"))


@row(
    "While a message of a FIFO group is in flight, no other of that group is received",
    SQS + "FIFO-queue-message-identifiers.html",
)
def group_blocked(lab: Lab):
    cloud = fifo(lab)
    for group, body in (("g", "g1"), ("g", "g2"), ("h", "h1")):
        lab.send("Queue", body, MessageGroupId=group, MessageDeduplicationId=body)
    (first,) = lab.receive("Queue", MaxNumberOfMessages=1)
    assert ["h1"] == bodies(lab.receive("Queue"))
    cloud.client("sqs").delete_message(QueueUrl=lab.url("Queue"), ReceiptHandle=first["ReceiptHandle"])

    assert ["g2"] == bodies(lab.receive("Queue"))


@row("A message may have 1 MiB, counted in UTF-8 bytes and with its attributes", QUOTAS)
def sizes(lab: Lab):
    queue(lab)
    most = 1024 * 1024
    lab.send("Queue", "x" * most)
    lab.send("Queue", "é" * (most // 2))
    side = {"a": {"DataType": "String", "StringValue": "b"}}

    with over_the_limit():
        assert "InvalidParameterValue" == error(lab, "send_message", MessageBody="x" * (most + 1))
        assert "InvalidParameterValue" == error(lab, "send_message", MessageBody="é" * (most // 2) + "x")
        assert "InvalidParameterValue" == error(lab, "send_message", MessageBody="x" * most, MessageAttributes=side)


@row("A batch has at most ten entries, with distinct ids, and 1 MiB in all", SQS_API + "API_SendMessageBatch.html")
def batches(lab: Lab):
    queue(lab)

    def send(*sizes: int, ids: Any = None):
        names = ids or [str(n) for n in range(len(sizes))]
        entries = [{"Id": name, "MessageBody": "x" * size} for name, size in zip(names, sizes, strict=True)]
        return error(lab, "send_message_batch", Entries=entries).removeprefix("AWS.SimpleQueueService.")

    with over_the_limit():
        assert "TooManyEntriesInBatchRequest" == send(*[1] * 11)
        assert "BatchEntryIdsNotDistinct" == send(1, 1, ids=["a", "a"])
        assert "BatchRequestTooLong" == send(600_000, 600_000)
        assert "EmptyBatchRequest" == send()


@row("A FIFO queue wants a group and something to deduplicate by", SQS_API + "API_SendMessage.html")
def fifo_needs(lab: Lab):
    fifo(lab)

    assert "MissingParameter" == error(lab, "send_message", MessageBody="x")
    assert "InvalidParameterValue" == error(lab, "send_message", MessageBody="x", MessageGroupId="g")


@row("At most 120,000 messages of a queue are in flight", SQS + "quotas-queues.html")
def in_flight(lab: Lab):
    cloud = queue(lab)
    store = cloud._world.queues.by_name("Queue")
    for n in range(120_005):
        store.send(str(n), sender="test")
    while store.receive(1_000):
        pass

    assert (5, 120_000, 0) == cloud.queue_depth("Queue")


@row("A long poll waits for a message, at most 20 seconds", SQS + "sqs-short-and-long-polling.html")
def long_poll(lab: Lab):
    cloud = queue(lab)
    began = cloud.now
    assert [] == lab.receive("Queue", WaitTimeSeconds=20)
    assert 20 <= (cloud.now - began).total_seconds() < 21


@row("A queue's policy decides which service may send to it", SQS + "sqs-basic-examples-of-sqs-policies.html")
def policy(lab: Lab):
    lab.queue("Queue")
    lab.queue("Open")
    lab.let_send("Open", "events.amazonaws.com")
    targets = [{"Id": name, "Arn": arn(name)} for name in ("Queue", "Open")]
    lab.add("Rule", "AWS::Events::Rule", Name="Rule", ScheduleExpression="rate(1 hour)", Targets=targets)
    cloud = lab.open()
    cloud.advance(minutes=61)

    assert [(0, 0, 0), (1, 0, 0)] == [cloud.queue_depth("Queue"), cloud.queue_depth("Open")]
    assert "aws.events" == json.loads(lab.receive("Open")[0]["Body"])["source"]
