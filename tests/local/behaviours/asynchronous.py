"""Asynchronous invocations: retries, age, throttles, destinations."""

import itertools
import json
from typing import Any

from .lab import FAIL, LAMBDA, PRINT, Lab, arn, row

ASYNC = LAMBDA + "invocation-async-error-handling.html"
RECORDS = LAMBDA + "invocation-async-retain-records.html"
SECONDS = "import time\ndef handler(event, context): time.sleep(event.get('s', 1)); return event"


def failing(lab: Lab, code: str = FAIL, *, function: Any = None, **settings: Any):
    lab.queue("Queue")
    lab.function("one", code, **(function or {}))
    lab.asynchronous("one", **settings)
    return lab.open()


def send_failures(**more: Any):
    return {"DestinationConfig": {"OnFailure": {"Destination": arn("Queue")}}, **more}


def record(lab: Lab):
    return json.loads(lab.receive("Queue")[0]["Body"])


@row("A failed asynchronous event is tried again after one minute and after two more", ASYNC)
def retries(lab: Lab):
    cloud = failing(lab)
    cloud.invoke_async("one", {})
    cloud.run_until_idle()

    times = [entry.time.timestamp() for entry in cloud.log.of("invoke.start")]
    assert [60, 120] == [round(after - before) for before, after in itertools.pairwise(times)]


@row("All attempts of an asynchronous event have the same request id", LAMBDA + "invocation-retries.html")
def same_id(lab: Lab):
    cloud = failing(lab)
    request_id = cloud.invoke_async("one", {})
    cloud.run_until_idle()

    assert [request_id] * 3 == [entry.detail["id"] for entry in cloud.log.of("invoke.start")]


@row("MaximumRetryAttempts may be none", ASYNC)
def no_retries(lab: Lab):
    cloud = failing(lab, MaximumRetryAttempts=0)
    cloud.invoke_async("one", {})
    cloud.run_until_idle()

    assert 1 == cloud.invocations["one"]


@row("What no retry mended goes to the failure destination with the response and the count of attempts", RECORDS)
def on_failure(lab: Lab):
    cloud = failing(lab, **send_failures())
    cloud.invoke_async("one", {"n": 1})
    cloud.run_until_idle()

    found = record(lab)
    assert ("RetriesExhausted", 3) == (
        found["requestContext"]["condition"],
        found["requestContext"]["approximateInvokeCount"],
    )
    assert ({"n": 1}, "ValueError") == (found["requestPayload"], found["responsePayload"]["errorType"])
    assert "Unhandled" == found["responseContext"]["functionError"]


@row("What succeeded goes to the success destination", RECORDS)
def on_success(lab: Lab):
    to = {"OnSuccess": {"Destination": arn("Queue")}}
    cloud = failing(lab, "def handler(event, context): return {'ok': event['n']}", DestinationConfig=to)
    cloud.invoke_async("one", {"n": 1})
    cloud.run_until_idle()

    found = record(lab)
    assert ("Success", {"ok": 1}) == (found["requestContext"]["condition"], found["responsePayload"])


@row("A synchronous invocation has no destinations", RECORDS)
def synchronous_has_none(lab: Lab):
    cloud = failing(lab, **send_failures())
    assert "ValueError" == cloud.invoke("one", {}).error_type
    cloud.run_until_idle()

    assert (1, (0, 0, 0)) == (cloud.invocations["one"], cloud.queue_depth("Queue"))


@row("A failure destination may be a bucket, where the record lies by function and date", RECORDS)
def to_bucket(lab: Lab):
    lab.add("Bucket", "AWS::S3::Bucket", BucketName="failures")
    to = {"OnFailure": {"Destination": "arn:aws:s3:::failures"}}
    cloud = failing(lab, DestinationConfig=to, MaximumRetryAttempts=0)
    cloud.invoke_async("one", {"n": 1})
    cloud.run_until_idle()

    s3 = cloud.client("s3")
    (found,) = s3.list_objects_v2(Bucket="failures")["Contents"]
    assert found["Key"].startswith("aws/lambda/async/one/2026/03/01/2026-03-01T00.")
    body = json.loads(s3.get_object(Bucket="failures", Key=found["Key"])["Body"].read())
    assert {"n": 1} == body["requestPayload"]


@row("A failure destination may be an event bus", RECORDS)
def to_bus(lab: Lab):
    bus = "arn:aws:events:us-east-1:123456789012:event-bus/default"
    lab.function("two", PRINT)
    lab.rule("Rule", "two", EventPattern={"source": ["lambda"]})
    cloud = failing(lab, DestinationConfig={"OnFailure": {"Destination": bus}}, MaximumRetryAttempts=0)
    cloud.invoke_async("one", {})
    cloud.run_until_idle()

    (event,) = lab.printed("two")
    assert "Lambda Function Invocation Result - Failure" == event["detail-type"]


@row("A function's dead-letter queue gets the event itself, with the error as attributes", RECORDS + "#invocation-dlq")
def dead_letter(lab: Lab):
    cloud = failing(lab, function={"DeadLetterConfig": {"TargetArn": arn("Queue")}}, MaximumRetryAttempts=0)
    request_id = cloud.invoke_async("one", {"n": 1})
    cloud.run_until_idle()

    (message,) = lab.receive("Queue")
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert {"n": 1} == json.loads(message["Body"])
    assert {"RequestID": request_id, "ErrorCode": "200", "ErrorMessage": "no"} == attributes


@row("An event older than MaximumEventAgeInSeconds is given up", ASYNC)
def age(lab: Lab):
    cloud = failing(lab, **send_failures(MaximumEventAgeInSeconds=100))
    cloud.invoke_async("one", {})
    cloud.run_until_idle()

    assert 2 == cloud.invocations["one"]
    assert "EventAgeExceeded" == record(lab)["requestContext"]["condition"]


@row("Throttled events stay in Lambda's queue and are tried again, which costs no retry", ASYNC)
def throttled(lab: Lab):
    cloud = failing(lab, SECONDS, function={"ReservedConcurrentExecutions": 1})
    for _ in range(5):
        cloud.invoke_async("one", {})
    cloud.run_until_idle()

    assert (5, 0) == (cloud.invocations["one"], cloud.meter.errors["one"])
    assert cloud.meter.throttles["one"] > 0


@row("With a reserved concurrency of zero an event goes to the failure destination without a retry", RECORDS)
def zero(lab: Lab):
    cloud = failing(lab, function={"ReservedConcurrentExecutions": 0}, **send_failures())
    cloud.invoke_async("one", {})
    cloud.run_until_idle()

    assert 0 == cloud.invocations["one"]
    assert "ZeroReservedConcurrency" == record(lab)["requestContext"]["condition"]
