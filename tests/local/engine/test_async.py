"""Asynchronous invocations and synchronous ones between functions."""

# ruff: noqa: ARG005, E501  handlers in text, stand-ins for callbacks

import json
from itertools import pairwise

import pytest
from botocore.exceptions import ClientError

FAIL = """
    import json
    def handler(event, context):
        print(json.dumps([context.aws_request_id, event]))
        if event.get("fail"):
            raise ValueError("no")
        return "fine"
"""


def destination(app, on, arn):
    app.add(
        "Config",
        "AWS::Lambda::EventInvokeConfig",
        FunctionName={"Ref": "one"},
        Qualifier="$LATEST",
        DestinationConfig={on: {"Destination": arn}},
    )


def test_a_failed_event_is_tried_again_after_one_and_two_minutes(app, open_cloud):
    app.function("one", FAIL)
    app.queue("Failed")
    destination(app, "OnFailure", {"Fn::GetAtt": ["Failed", "Arn"]})
    cloud = open_cloud(app)
    cloud.invoke_async("one", {"fail": True})
    cloud.run_until_idle()

    lines = [line for line in cloud.logs("one") if line.text.startswith('["')]
    gaps = [round((b.time - a.time).total_seconds()) for a, b in pairwise(lines)]
    assert [60, 120] == gaps
    assert 1 == len({json.loads(line.text)[0] for line in lines})
    url = cloud.deployment.queues[0].url
    (message,) = cloud.client("sqs").receive_message(QueueUrl=url)["Messages"]
    record = json.loads(message["Body"])
    assert ("RetriesExhausted", 3) == (
        record["requestContext"]["condition"],
        record["requestContext"]["approximateInvokeCount"],
    )
    assert {"fail": True} == record["requestPayload"]
    assert "ValueError" == record["responsePayload"]["errorType"]


def test_success_goes_to_its_destination(app, open_cloud):
    app.function("one", FAIL)
    app.function("two", FAIL)
    destination(app, "OnSuccess", {"Fn::GetAtt": ["two", "Arn"]})
    cloud = open_cloud(app)
    cloud.invoke_async("one", {"n": 1})
    cloud.run_until_idle()

    ((_, record),) = [json.loads(line.text) for line in cloud.logs("two")]
    assert ("Success", "fine") == (record["requestContext"]["condition"], record["responsePayload"])


def test_a_functions_dead_letter_queue_gets_the_event(app, open_cloud):
    app.queue("Dead")
    app.function("one", FAIL, DeadLetterConfig={"TargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}})
    cloud = open_cloud(app)
    cloud.invoke_async("one", {"fail": True})
    cloud.run_until_idle()

    url = cloud.deployment.queues[0].url
    (message,) = cloud.client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert {"fail": True} == json.loads(message["Body"])
    assert "no" == message["MessageAttributes"]["ErrorMessage"]["StringValue"]


def test_throttled_events_wait_for_their_turn(app, open_cloud):
    app.function("one", FAIL, ReservedConcurrentExecutions=2)
    cloud = open_cloud(app, durations=lambda function, event, rng: 5.0)
    for n in range(6):
        cloud.invoke_async("one", {"n": n})
    cloud.run_until_idle()

    assert 6 == cloud.invocations["one"]
    assert 2 == max(active for _, active in cloud.samples["one"])


def test_functions_call_each_other_synchronously_and_asynchronously(app, open_cloud):
    app.function("one", FAIL)
    app.function(
        "caller",
        """
        import boto3, json
        client = boto3.client("lambda")
        def handler(event, context):
            good = client.invoke(FunctionName="one", Payload=json.dumps({}))
            bad = client.invoke(FunctionName="one", Payload=b'{"fail": 1}')
            later = client.invoke(FunctionName="one", InvocationType="Event", Payload=b"{}")
            dry = client.invoke(FunctionName="one", InvocationType="DryRun")
            error = json.loads(bad["Payload"].read())
            return [json.load(good["Payload"]), bad["FunctionError"], error["errorType"], later["StatusCode"], dry["StatusCode"]]
        """,
    )
    cloud = open_cloud(app)

    assert ["fine", "Unhandled", "ValueError", 202, 204] == cloud.invoke("caller", {}).value()
    cloud.run_until_idle()
    assert 3 == cloud.invocations["one"]


def test_an_operator_invokes_through_boto3_and_is_told_of_limits(app, open_cloud):
    app.function("one", FAIL)
    cloud = open_cloud(app)
    client = cloud.client("lambda")

    assert b'"fine"' == client.invoke(FunctionName="one", Payload=b"{}")["Payload"].read()
    with pytest.raises(ClientError, match="must be smaller"):
        client.invoke(FunctionName="one", InvocationType="Event", Payload=json.dumps("x" * 1024 * 1024))
    with pytest.raises(ClientError, match="Function not found"):
        client.invoke(FunctionName="other", Payload=b"{}")
    assert 0 == sum(cloud.requests.values())


def test_a_direct_loop_is_stopped_unless_it_is_allowed(app, open_cloud):
    code = """
        import boto3, json
        client = boto3.client("lambda")
        def handler(event, context):
            if event["left"]:
                client.invoke(FunctionName=context.function_name, InvocationType="Event", Payload=json.dumps({"left": event["left"] - 1}))
    """
    app.function("one", code)
    app.function("two", code, RecursiveLoop="Allow")
    cloud = open_cloud(app)
    for name in ("one", "two"):
        cloud.invoke_async(name, {"left": 39})
    cloud.run_until_idle()

    assert {"one": 16, "two": 40} == dict(cloud.invocations)
