"""Asynchronous invocations and synchronous ones between functions."""

# ruff: noqa: E501  handlers in text, stand-ins for callbacks

import json

import pytest
from botocore.exceptions import ClientError

from tests.ceilings import over_the_limit

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
    with over_the_limit(), pytest.raises(ClientError, match="must be smaller"):
        client.invoke(FunctionName="one", InvocationType="Event", Payload=json.dumps("x" * 1024 * 1024))
    with pytest.raises(ClientError, match="Function not found"):
        client.invoke(FunctionName="other", Payload=b"{}")
    assert 0 == sum(cloud.requests.values())
