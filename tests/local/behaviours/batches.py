"""SQS event source mappings: batches, windows, failures, filters."""

import json
from typing import Any

import pytest

from drumbeat.local.errors import ResourceRejected

from .lab import LAMBDA, SQS, Lab, redrive, row

CONFIGURE = LAMBDA + "services-sqs-configure.html"
ERRORS = LAMBDA + "services-sqs-errorhandling.html"
REPORT = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
SCALING = LAMBDA + "services-sqs-scaling.html"


@row("A batch has at most BatchSize messages, and ten without one", CONFIGURE)
def batch_size(lab: Lab):
    lab.worker()
    cloud = lab.open()
    lab.send("Work", *map(str, range(25)))
    cloud.run_until_idle()

    assert 10 == max(len(batch) for batch in lab.printed("worker"))
    assert 25 == sum(len(batch) for batch in lab.printed("worker"))


@row("A window gathers messages until it ends or the batch is full", CONFIGURE)
def window(lab: Lab):
    lab.worker(BatchSize=50, MaximumBatchingWindowInSeconds=20)
    cloud = lab.open()
    lab.send("Work", "1")
    cloud.advance(seconds=10)
    lab.send("Work", "2")
    cloud.advance(seconds=5)
    assert [] == lab.printed("worker")
    cloud.advance(seconds=6)
    assert [["1", "2"]] == lab.printed("worker")
    lab.send("Work", *map(str, range(50)))
    cloud.advance(seconds=3)

    assert 50 == len(lab.printed("worker")[1])


@row("A batch is closed at 6 MB, however many messages it may have", CONFIGURE)
def six_megabytes(lab: Lab):
    lab.worker("def handler(e, c): print(len(e['Records']))", BatchSize=100, MaximumBatchingWindowInSeconds=10)
    cloud = lab.open()
    lab.send("Work", *["x" * 1_000_000] * 8)
    cloud.run_until_idle()

    assert 8 == sum(lab.printed("worker"))
    assert max(lab.printed("worker")) <= 6


@row("A mapping of more than ten messages needs a window", CONFIGURE)
def needs_window(lab: Lab):
    lab.worker(BatchSize=11)
    with pytest.raises(ResourceRejected, match="needs a batching window"):
        lab.open()


@row("A queue's visibility timeout may not be shorter than the function's timeout", SQS + "sqs-visibility-timeout.html")
def visibility_too_short(lab: Lab):
    lab.worker(queue={"VisibilityTimeout": 20}, function={"timeout": 30})
    with pytest.raises(ResourceRejected, match="20 seconds is less than Function timeout: 30"):
        lab.open()


@row("A mapping needs a role that may receive, delete and read attributes", LAMBDA + "with-sqs.html")
def needs_role(lab: Lab):
    lab.worker()
    statement = {"Effect": "Allow", "Action": ["sqs:ReceiveMessage", "sqs:GetQueueAttributes"], "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    lab.resources["Role"]["Properties"]["Policies"][0]["PolicyDocument"] = document
    with pytest.raises(ResourceRejected, match="may not call DeleteMessage on the queue"):
        lab.open()


@row("Messages of a successful batch are deleted", ERRORS)
def deleted(lab: Lab):
    lab.worker()
    cloud = lab.open()
    lab.send("Work", "a", "b")
    cloud.run_until_idle()

    assert (0, 0, 0) == cloud.queue_depth("Work")


@row("A failed batch comes back after its visibility timeout and ends in the dead-letter queue", ERRORS)
def failed(lab: Lab):
    lab.worker()
    cloud = lab.open()
    lab.send("Work", "boom", "good")
    began = cloud.now
    cloud.run_until_idle()

    assert [["boom", "good"]] * 3 == lab.printed("worker")
    assert (2, 0, 0) == cloud.queue_depth("Dead")
    assert 180 <= (cloud.now - began).total_seconds() < 185


@row("A batch that outlives the function's timeout comes back", ERRORS)
def timed_out(lab: Lab):
    lab.worker("import time\ndef handler(e, c): time.sleep(20)", function={"timeout": 10})
    cloud = lab.open()
    lab.send("Work", "x")
    cloud.run_until_idle()

    assert (3, (1, 0, 0)) == (cloud.meter.errors["worker"], cloud.queue_depth("Dead"))


def partial(case: str, answer: str, tries: int):
    """A row for one answer of a function that reports partial failures: how often its batch of two is tried."""

    @row(f"Partial batch response: {case}", ERRORS + "#services-sqs-batchfailurereporting")
    def check(lab: Lab):
        lab.worker(**REPORT)
        cloud = lab.open()
        lab.send("Work", f"answer:{answer}", "other")
        cloud.run_until_idle()

        assert (tries, 2 if tries > 1 else 0) == (len(lab.printed("worker")), cloud.queue_depth("Dead")[0])

    return check


def named(identifier: str):
    return '{"batchItemFailures": [{"itemIdentifier": ' + identifier + "}]}"


empty_list = partial("an empty list is a complete success", '{"batchItemFailures": []}', 1)
null_list = partial("a null list is a complete success", '{"batchItemFailures": null}', 1)
empty_response = partial("an empty response is a complete success", "{}", 1)
null_response = partial("a null response is a complete success", "null", 1)
empty_text = partial("an empty string is a complete success", '""', 1)
not_json = partial("a string is a complete failure", '"a string"', 3)
empty_id = partial("an empty itemIdentifier is a complete failure", named('""'), 3)
null_id = partial("a null itemIdentifier is a complete failure", named("null"), 3)
bad_key = partial("a wrong key is a complete failure", '{"batchItemFailures": [{"id": "x"}]}', 3)
unknown_id = partial("an id that isn't in the batch is a complete failure", named('"no"'), 3)


@row("Partial batch response: only the messages that it names come back", ERRORS)
def some(lab: Lab):
    code = """
        import json
        def handler(event, context):
            print(json.dumps([record["body"] for record in event["Records"]]))
            bad = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
            return {"batchItemFailures": [{"itemIdentifier": one} for one in bad]}
    """
    lab.worker(code, **REPORT)
    cloud = lab.open()
    lab.send("Work", "a", "bad", "c")
    cloud.run_until_idle()

    assert [["a", "bad", "c"], ["bad"], ["bad"]] == lab.printed("worker")
    assert (1, 0, 0) == cloud.queue_depth("Dead")


@row("Partial batch response: an exception is a complete failure", ERRORS)
def raised(lab: Lab):
    lab.worker(**REPORT)
    cloud = lab.open()
    lab.send("Work", "boom", "b")
    cloud.run_until_idle()

    assert (2, 0, 0) == cloud.queue_depth("Dead")


@row("Without ReportBatchItemFailures the response doesn't matter", ERRORS)
def not_asked(lab: Lab):
    lab.worker()
    cloud = lab.open()
    lab.send("Work", 'answer:{"batchItemFailures": [{"itemIdentifier": ""}]}')
    cloud.run_until_idle()

    assert 1 == len(lab.printed("worker"))


@row("A throttled batch is tried again, and each time that it comes back it has been received once more", ERRORS)
def throttled(lab: Lab):
    queue: Any = {"VisibilityTimeout": 30, "RedrivePolicy": redrive("Dead", 2)}
    lab.worker(queue=queue, BatchSize=1, function={"ReservedConcurrentExecutions": 0, "timeout": 3})
    cloud = lab.open()
    lab.send("Work", "x")
    cloud.run_until_idle()

    assert (0, (1, 0, 0)) == (cloud.invocations["worker"], cloud.queue_depth("Dead"))
    assert cloud.meter.throttles["worker"] > 2


@row("A MaximumConcurrency of five and a reserved concurrency of five throttle nothing", SCALING)
def agreed(lab: Lab):
    lab.worker(BatchSize=1, ScalingConfig={"MaximumConcurrency": 5}, function={"ReservedConcurrentExecutions": 5})
    cloud = lab.open(durations=lambda function, event, rng: 2.0)  # noqa: ARG005
    lab.send("Work", *map(str, range(20)))
    cloud.run_until_idle()

    assert (20, 0) == (cloud.invocations["worker"], cloud.meter.throttles["worker"])


@row("Messages that no filter lets through are deleted unseen", LAMBDA + "invocation-eventfiltering.html")
def filtered(lab: Lab):
    patterns = [{"body": {"n": [{"numeric": [">", 5]}]}}, {"body": {"kind": ["yes"]}}]
    lab.worker(FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)} for pattern in patterns]})
    cloud = lab.open()
    lab.send("Work", '{"n": 6}', '{"n": 5}', '{"kind": "yes"}', "no JSON")
    cloud.run_until_idle()

    assert {'{"n": 6}', '{"kind": "yes"}'} == {body for batch in lab.printed("worker") for body in batch}
    assert [(0, 0, 0), (0, 0, 0)] == [cloud.queue_depth("Work"), cloud.queue_depth("Dead")]


@row("A FIFO queue's messages come in order within their group, also after a failure", SCALING)
def fifo(lab: Lab):
    code = """
        import json
        seen = set()
        def handler(event, context):
            bodies = [record["body"] for record in event["Records"]]
            print(json.dumps(bodies))
            first = int(event["Records"][0]["attributes"]["ApproximateReceiveCount"]) == 1
            if "a1" in bodies and first:
                raise RuntimeError("once")
    """
    lab.worker(code, queue={"FifoQueue": True, "ContentBasedDeduplication": True}, BatchSize=1)
    cloud = lab.open()
    for n in range(3):
        for group in "ab":
            lab.send("Work", f"{group}{n}", MessageGroupId=group)
    cloud.run_until_idle()

    bodies = [batch[0] for batch in lab.printed("worker")]
    assert ["a0", "a1", "a1", "a2"] == [body for body in bodies if body.startswith("a")]
    assert ["b0", "b1", "b2"] == [body for body in bodies if body.startswith("b")]


@row("A disabled mapping leaves messages in the queue until it is enabled", CONFIGURE)
def disabled(lab: Lab):
    lab.worker(Enabled=False)
    cloud = lab.open()
    lab.send("Work", "a")
    cloud.advance(hours=1)
    assert (1, 0, 0) == cloud.queue_depth("Work")
    uuid = cloud.deployment.mappings[0].uuid
    cloud.client("lambda").update_event_source_mapping(UUID=uuid, Enabled=True)
    cloud.run_until_idle()

    assert [["a"]] == lab.printed("worker")


@row("A record has the message's body, attributes, digest and source", LAMBDA + "with-sqs.html")
def record(lab: Lab):
    lab.worker("import json\ndef handler(e, c): print(json.dumps(e['Records'][0]))")
    cloud = lab.open()
    side = {"side": {"DataType": "String", "StringValue": "left"}}
    (message_id,) = lab.send("Work", "hello", MessageAttributes=side)
    cloud.run_until_idle()

    (found,) = lab.printed("worker")
    assert (message_id, "hello", "aws:sqs") == (found["messageId"], found["body"], found["eventSource"])
    assert ("left", "String") == (
        found["messageAttributes"]["side"]["stringValue"],
        found["messageAttributes"]["side"]["dataType"],
    )
    assert {"ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"} <= set(
        found["attributes"]
    )
    assert ("5d41402abc4b2a76b9719d911017c592", "us-east-1") == (found["md5OfBody"], found["awsRegion"])


@row(
    "A loop of a function and its queue is stopped after about 16 turns, into the dead-letter queue",
    LAMBDA + "invocation-recursion.html",
)
def recursion(lab: Lab):
    code = """
        import os, boto3
        sqs = boto3.client("sqs")
        def handler(event, context):
            sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody="again")
    """
    lab.worker(code, function={"env": {"QUEUE": {"Ref": "Work"}}})
    cloud = lab.open()
    lab.send("Work", "x")
    cloud.run_until_idle()

    assert (16, (1, 0, 0)) == (cloud.invocations["worker"], cloud.queue_depth("Dead"))
