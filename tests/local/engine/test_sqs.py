"""The queue store, as boto3 shows it."""

# ruff: noqa: ANN002, ANN003, ANN204  handlers in text, stand-ins for callbacks

import pytest
from botocore.exceptions import ClientError

from tests.ceilings import over_the_limit


class Box:
    """A queue in a cloud, with short words for its calls."""

    def __init__(self, cloud, name="Queue"):
        self.cloud, self.sqs = cloud, cloud.client("sqs")
        self.url = next(queue.url for queue in cloud.deployment.queues if queue.name == name)
        self.arn = next(queue.arn for queue in cloud.deployment.queues if queue.name == name)

    def send(self, *bodies, **more):
        return [self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **more) for body in bodies]

    def receive(self, most=10, **more):
        more = {"MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"], **more}
        return self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=most, **more).get("Messages", [])

    def bodies(self, most=10, **more):
        return [message["Body"] for message in self.receive(most, **more)]

    def delete(self, message):
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def visibility(self, message, seconds):
        handle = message["ReceiptHandle"]
        self.sqs.change_message_visibility(QueueUrl=self.url, ReceiptHandle=handle, VisibilityTimeout=seconds)

    def counts(self):
        return self.cloud.queue_depth(self.url)


@pytest.fixture
def box(app, open_cloud):
    def make(name="Queue", **properties):
        app.queue(name, **properties)
        return Box(open_cloud(app), name)

    return make


def test_a_handle_still_deletes_after_its_visibility_if_nobody_received_since(box):
    queue = box(VisibilityTimeout=30)
    queue.send("a")
    (message,) = queue.receive()
    queue.cloud.advance(seconds=31)

    queue.delete(message)

    assert [] == queue.receive()


def test_delays_are_kept_per_message_and_per_queue(box):
    queue = box(DelaySeconds=10)
    queue.send("queue")
    queue.send("message", DelaySeconds=0)

    assert (1, 0, 1) == queue.counts()
    assert ["message"] == queue.bodies()
    queue.cloud.advance(seconds=10)
    assert ["queue"] == queue.bodies()


def test_a_message_outlives_its_retention_nowhere(box, app):
    app.queue("Dead", MessageRetentionPeriod=3600)
    redrive = {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 1}
    queue = box(MessageRetentionPeriod=1800, RedrivePolicy=redrive, VisibilityTimeout=30)
    dead = Box(queue.cloud, "Dead")
    (sent, _) = queue.send("a", "b")
    queue.receive(1)
    queue.cloud.advance(minutes=20)
    assert ["b"] == queue.bodies()

    (moved,) = dead.receive()
    assert sent["MessageId"] == moved["MessageId"]
    assert queue.arn == moved["Attributes"]["DeadLetterQueueSourceArn"]
    queue.cloud.advance(minutes=20)
    assert ["a"] == dead.bodies()  # counted from the first sending: 40 of 60 minutes
    queue.cloud.advance(minutes=25)
    assert [] == dead.receive()
    assert [] == queue.receive()


def test_a_dead_letter_queue_is_moved_back_at_its_pace(box, app):
    app.queue("Dead")
    redrive = {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 1}
    queue = box(RedrivePolicy=redrive, VisibilityTimeout=1)
    dead = Box(queue.cloud, "Dead")
    queue.send(*(str(n) for n in range(25)))
    for _ in range(3):
        queue.receive()
    queue.cloud.advance(seconds=2)
    queue.receive()
    assert (25, 0, 0) == dead.counts()

    handle = queue.sqs.start_message_move_task(SourceArn=dead.arn, MaxNumberOfMessagesPerSecond=10)["TaskHandle"]
    with pytest.raises(ClientError, match="already a task running"):
        queue.sqs.start_message_move_task(SourceArn=dead.arn)
    queue.cloud.advance(seconds=2)
    (task,) = queue.sqs.list_message_move_tasks(SourceArn=dead.arn)["Results"]
    assert ("RUNNING", 20, handle) == (task["Status"], task["ApproximateNumberOfMessagesMoved"], task["TaskHandle"])
    queue.cloud.advance(seconds=2)
    assert (25, 0, 0) == queue.counts()
    assert {"1"} == {one["Attributes"]["ApproximateReceiveCount"] for one in queue.receive()}


def test_sizes_count_bytes_with_attributes_and_a_batch_counts_whole(box):
    queue = box()
    limit = 1024 * 1024
    queue.send("x" * limit)
    with over_the_limit(), pytest.raises(ClientError, match="Message must be shorter"):
        queue.send("é" * (limit // 2 + 1))
    with over_the_limit(), pytest.raises(ClientError, match="Message must be shorter"):
        queue.send("x" * limit, MessageAttributes={"a": {"DataType": "String", "StringValue": "v"}})
    entries = [{"Id": str(n), "MessageBody": "x" * (limit // 2 + 1)} for n in range(2)]
    with over_the_limit(), pytest.raises(ClientError, match="cannot be longer"):
        queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)
    with over_the_limit(), pytest.raises(ClientError, match="Maximum number of entries"):
        queue.sqs.send_message_batch(
            QueueUrl=queue.url, Entries=[{"Id": str(n), "MessageBody": "x"} for n in range(11)]
        )
    with over_the_limit(), pytest.raises(ClientError, match="repeated"):
        queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=[{"Id": "a", "MessageBody": "x"}] * 2)


def test_one_entry_over_the_queues_own_limit_fails_alone(box):
    queue = box(MaximumMessageSize=2048)
    entries = [{"Id": "small", "MessageBody": "x"}, {"Id": "large", "MessageBody": "x" * 3000}]

    answer = queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)

    assert ["small"] == [entry["Id"] for entry in answer["Successful"]]
    assert [("large", True)] == [(entry["Id"], entry["SenderFault"]) for entry in answer["Failed"]]


def test_attributes_travel_and_are_chosen_by_name(box):
    queue = box(VisibilityTimeout=0)
    queue.send(
        "a",
        MessageAttributes={
            "one.x": {"DataType": "String", "StringValue": "1"},
            "two": {"DataType": "Number", "StringValue": "2"},
        },
    )

    assert {"one.x", "two"} == set(queue.receive()[0]["MessageAttributes"])
    assert {"one.x"} == set(queue.receive(MessageAttributeNames=["one.*"])[0]["MessageAttributes"])
    assert "MessageAttributes" not in queue.receive(MessageAttributeNames=[])[0]


def test_a_handlers_long_poll_wakes_when_another_sends(app, open_cloud):
    app.queue("Queue")
    receive = """
        import os, time, boto3
        sqs = boto3.client("sqs")
        def handler(event, context):
            began = time.time()
            got = sqs.receive_message(QueueUrl=os.environ["QUEUE"], WaitTimeSeconds=20).get("Messages", [])
            print([m["Body"] for m in got], round(time.time() - began, 1))
    """
    app.function("receiver", receive, env={"QUEUE": {"Ref": "Queue"}})
    cloud = open_cloud(app)
    cloud.invoke_async("receiver", {})
    cloud.advance(seconds=5)
    cloud.client("sqs").send_message(QueueUrl=cloud.deployment.queues[0].url, MessageBody="hello")
    cloud.run_until_idle()

    (line,) = cloud.logs("receiver")
    assert line.text.startswith("['hello'] 4.")


def test_fifo_keeps_the_order_of_a_group_also_after_a_failure(box):
    queue = box("Queue.fifo", FifoQueue=True, ContentBasedDeduplication=True, VisibilityTimeout=30)
    for body, group in (("a1", "a"), ("a2", "a"), ("b1", "b"), ("a1", "a")):  # the last is a duplicate
        queue.send(body, MessageGroupId=group)

    (first,) = queue.receive(1)
    assert ["b1"] == queue.bodies()  # group a waits for its first
    queue.cloud.advance(seconds=31)
    again = queue.receive(2)
    assert ["a1", "a2"] == [message["Body"] for message in again]
    assert first["MessageId"] == again[0]["MessageId"]
    for message in again:
        queue.delete(message)
    queue.cloud.advance(minutes=6)
    queue.send("a1", MessageGroupId="a")  # five minutes later it is no duplicate
    assert ["b1", "a1"] == queue.bodies()


def test_a_purged_queue_is_empty_and_its_attributes_are_shown(box):
    queue = box(VisibilityTimeout=45)
    queue.send("a", "b")
    queue.receive(1)
    shown = queue.sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["All"])["Attributes"]
    queue.sqs.purge_queue(QueueUrl=queue.url)

    assert ("1", "1", "45") == (
        shown["ApproximateNumberOfMessages"],
        shown["ApproximateNumberOfMessagesNotVisible"],
        shown["VisibilityTimeout"],
    )
    assert (0, 0, 0) == queue.counts()


def test_a_queue_made_or_changed_through_the_api_is_known(app, open_cloud):
    cloud = open_cloud(app)
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="new", Attributes={"VisibilityTimeout": "5"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="a")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "50"})
    sqs.receive_message(QueueUrl=url)
    cloud.advance(seconds=10)
    assert (0, 1, 0) == cloud.queue_depth("new")
    sqs.delete_queue(QueueUrl=url)
    with pytest.raises(ClientError, match="does not exist"):
        sqs.send_message(QueueUrl=url, MessageBody="b")


def test_a_deleted_messages_memory_is_given_back(box):
    queue = box(VisibilityTimeout=3600)
    store = queue.cloud._world.queues.by_url(queue.url)
    for _ in range(300):
        for _ in range(10):
            store.send("x", sender="test")
        for message in store.receive(10):
            store.delete(message.receipt)

    assert 0 == len(store.messages)
    assert len(store._timed) < 100
