"""Invocations: environments, concurrency, limits, errors."""

import json

import pytest

from tests.ceilings import over_the_limit

from .asynchronous import SECONDS, record
from .lab import FAIL, LAMBDA, PRINT, Lab, row

QUOTAS = LAMBDA + "gettingstarted-limits.html"
CONCURRENCY = LAMBDA + "lambda-concurrency.html"
RESERVED = LAMBDA + "configuration-concurrency.html"


@row("A synchronous event may have 6 MB", QUOTAS)
def sync_limit(lab: Lab):
    lab.function("one", "def handler(event, context): return len(event)")
    cloud = lab.open()
    client = cloud.client("lambda")
    most = 6 * 1024 * 1024

    assert (
        str(most - 2).encode() == client.invoke(FunctionName="one", Payload=f'"{"x" * (most - 2)}"')["Payload"].read()
    )
    with over_the_limit(), pytest.raises(client.exceptions.RequestTooLargeException):
        client.invoke(FunctionName="one", Payload=f'"{"x" * (most - 1)}"')


@row("A response may have 6 MB, a larger one is a function error", QUOTAS)
def response_limit(lab: Lab):
    lab.function("one", "def handler(event, context): return 'x' * event")
    cloud = lab.open()
    most = 6 * 1024 * 1024

    assert cloud.invoke("one", most - 2).ok
    outcome = cloud.invoke("one", most + 100)
    assert ("Function.ResponseSizeTooLarge", "Unhandled") == (outcome.error_type, outcome.error)


@row("An asynchronous event may have 1 MB", QUOTAS)
def async_limit(lab: Lab):
    lab.function("one", "def handler(event, context): print(len(event))")
    cloud = lab.open()
    client = cloud.client("lambda")
    most = 1024 * 1024
    client.invoke(FunctionName="one", InvocationType="Event", Payload=f'"{"x" * (most - 2)}"')
    with over_the_limit(), pytest.raises(client.exceptions.RequestTooLargeException):
        client.invoke(FunctionName="one", InvocationType="Event", Payload=f'"{"x" * (most - 1)}"')
    cloud.run_until_idle()

    assert [most - 2] == lab.printed()


@row(
    "A function that outlives its timeout is killed, and its environment is not used again",
    LAMBDA + "configuration-timeout.html",
)
def timeout(lab: Lab):
    lab.function("one", SECONDS, timeout=3)
    cloud = lab.open()
    outcome = cloud.invoke("one", {"s": 10})
    cloud.invoke("one", {"s": 1})

    assert "Sandbox.Timedout" == outcome.error_type
    assert "Task timed out after 3.00 seconds" in outcome.message
    assert 2 == cloud.meter.cold_starts["one"]


@row("A function that takes more memory than it has is killed", LAMBDA + "troubleshooting-invocation.html")
def memory(lab: Lab):
    lab.function("one", PRINT, MemorySize=256)
    cloud = lab.open(memory=lambda function, event: event["mib"])  # noqa: ARG005
    outcome = cloud.invoke("one", {"mib": 257})

    assert "Runtime.OutOfMemory" == outcome.error_type
    assert "signal: killed" in outcome.message
    assert cloud.invoke("one", {"mib": 256}).ok
    assert [{"mib": 256}] == lab.printed()
    assert 2 == cloud.meter.cold_starts["one"]


@row(
    "The first invocation is a cold start, the next one within minutes is warm",
    LAMBDA + "lambda-runtime-environment.html",
)
def cold(lab: Lab):
    lab.function("one", "n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    return n")
    cloud = lab.open()

    assert [1, 2, 3] == [cloud.invoke("one", {}).value() for _ in range(3)]
    cloud.advance(hours=2)
    assert 1 == cloud.invoke("one", {}).value()
    assert 2 == cloud.meter.cold_starts["one"]


@row("Concurrent invocations have environments of their own", LAMBDA + "lambda-runtime-environment.html")
def apart(lab: Lab):
    code = "import time\nn = 0\ndef handler(event, context):\n    global n\n    n += 1\n    time.sleep(1)\n    print(n)"
    lab.function("one", code)
    cloud = lab.open()
    for _ in range(3):
        cloud.invoke_async("one", {})
    cloud.run_until_idle()

    assert [1, 1, 1] == lab.printed()


@row("All functions of an account share its concurrency; what is over it is throttled", CONCURRENCY)
def account(lab: Lab):
    lab.function("one", SECONDS)
    lab.function("two", SECONDS)
    cloud = lab.open(account_concurrency=3)
    for name in ("one", "two"):
        for _ in range(2):
            cloud.invoke_async(name, {})
    cloud.advance(seconds=0.5)

    assert {"ConcurrentInvocationLimitExceeded"} == {
        entry.detail["reason"] for entry in cloud.log.of("invoke.throttled")
    }
    assert 3 == lab.peak("one") + lab.peak("two")


@row("A reserved concurrency is a function's own, and taken from the others'", RESERVED)
def reserved(lab: Lab):
    lab.function("one", SECONDS, ReservedConcurrentExecutions=2)
    lab.function("two", SECONDS)
    cloud = lab.open(account_concurrency=5)
    for name in ("one", "two"):
        for _ in range(5):
            cloud.invoke_async(name, {})
    cloud.advance(seconds=0.5)

    assert (2, 3) == (lab.peak("one"), lab.peak("two"))


@row("A throttled synchronous invocation is TooManyRequestsException, 429, with its reason", CONCURRENCY)
def too_many(lab: Lab):
    lab.function("one", PRINT, ReservedConcurrentExecutions=0)
    cloud = lab.open()
    client = cloud.client("lambda")
    with pytest.raises(client.exceptions.TooManyRequestsException) as caught:
        client.invoke(FunctionName="one")

    assert "ReservedFunctionConcurrentInvocationLimitExceeded" == caught.value.response["Reason"]
    assert 429 == caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


@row("A function takes ten requests a second for each unit of its concurrency", CONCURRENCY)
def requests_per_second(lab: Lab):
    lab.function("one", "def handler(event, context): pass", ReservedConcurrentExecutions=1)
    cloud = lab.open()
    client = cloud.client("lambda")
    with pytest.raises(client.exceptions.TooManyRequestsException) as caught:
        all(client.invoke(FunctionName="one") for _ in range(40))
    assert 10 <= cloud.invocations["one"] <= 15
    cloud.advance(seconds=1)
    client.invoke(FunctionName="one")

    assert "ReservedFunctionInvocationRateLimitExceeded" == caught.value.response["Reason"]


@row("A function gets a thousand new environments in ten seconds, and no more", LAMBDA + "scaling-behavior.html")
def scaling_rate(lab: Lab):
    lab.function("one", "def handler(event, context): pass", timeout=900)
    more = {"account_concurrency": 3000, "own_environments": False}
    cloud = lab.open(durations=lambda function, event, rng: 600.0, **more)  # noqa: ARG005
    for _ in range(1_300):
        cloud.invoke_async("one", {})
    cloud.advance(seconds=1)
    at_once = lab.peak("one")
    cloud.advance(seconds=30)

    assert 1_000 <= at_once <= 1_100
    assert 1_300 == lab.peak("one")


@row("A function that invokes itself in circles is stopped after about 16 turns", LAMBDA + "invocation-recursion.html")
def recursion(lab: Lab):
    code = """
        import boto3, os
        def handler(event, context):
            boto3.client("lambda").invoke(FunctionName=context.function_name, InvocationType="Event", Payload=b"{}")
    """
    lab.function("one", code)
    lab.function("two", code, RecursiveLoop="Allow")
    cloud = lab.open()
    cloud.invoke_async("one", {})
    cloud.invoke_async("two", {})
    cloud.advance(minutes=1)

    assert 16 == cloud.invocations["one"]
    assert cloud.invocations["two"] > 30


@row(
    "Errors of a handler are Unhandled function errors with type, message and trace", LAMBDA + "python-exceptions.html"
)
def errors(lab: Lab):
    lab.function("one", FAIL)
    answer = lab.open().client("lambda").invoke(FunctionName="one")
    body = json.loads(answer["Payload"].read())

    assert (200, "Unhandled") == (answer["StatusCode"], answer["FunctionError"])
    assert ("no", "ValueError") == (body["errorMessage"], body["errorType"])
    assert {"errorMessage", "errorType", "requestId", "stackTrace"} == set(body)


@row("Settings changed by API calls hold from then on", LAMBDA + "configuration-function-common.html")
def changed(lab: Lab):
    code = "import os, time\ndef handler(e, c): time.sleep(5); print(os.environ.get('N', '0'), c.memory_limit_in_mb)"
    lab.queue("Queue")
    lab.function("one", code, timeout=3)
    cloud = lab.open()
    client = cloud.client("lambda")
    assert not cloud.invoke("one", {}).ok
    environment = {"Variables": {"N": "1"}}
    client.update_function_configuration(FunctionName="one", Timeout=10, MemorySize=512, Environment=environment)
    assert cloud.invoke("one", {}).ok
    queue = next(one.arn for one in cloud.deployment.queues)
    to = {"OnFailure": {"Destination": queue}}
    client.put_function_event_invoke_config(FunctionName="one", MaximumRetryAttempts=0, DestinationConfig=to)
    client.put_function_concurrency(FunctionName="one", ReservedConcurrentExecutions=0)
    cloud.invoke_async("one", {})
    cloud.run_until_idle()

    assert ["1 512"] == [line.text for line in cloud.logs("one") if line.text.endswith("512")]
    assert "ZeroReservedConcurrency" == record(lab)["requestContext"]["condition"]


@row(
    "A version with SnapStart is invoked through an alias; each environment is restored, and isn't told its log's name",
    LAMBDA + "snapstart-monitoring.html",
)
def restored(lab: Lab):
    names = ["AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_STREAM_NAME"]
    code = f"""
        import json, os
        def handler(event, context):
            arn = context.invoked_function_arn.rpartition(":")[2]
            told = [os.environ.get(name) for name in {names}]
            print(json.dumps([arn, context.function_version, *told, context.log_stream_name[11:14]]))
    """
    lab.worker(code, function={"SnapStart": {"ApplyOn": "PublishedVersions"}, "MemorySize": 512}, BatchSize=1)
    lab.add("One", "AWS::Lambda::Version", FunctionName={"Ref": "worker"})
    version = {"Fn::GetAtt": ["One", "Version"]}
    lab.add("Live", "AWS::Lambda::Alias", FunctionName={"Ref": "worker"}, FunctionVersion=version, Name="live")
    lab.resources["Workworker"]["Properties"]["FunctionName"] = {"Ref": "Live"}
    cloud = lab.open()
    lab.send("Work", "one")
    cloud.run_until_idle()
    cloud.invoke("worker", {})
    lab.send("Work", "two")
    cloud.run_until_idle()

    snapshot = ["live", "1", "1", "snap-start", None, "[1]"]
    first, unpublished, second = lab.printed("worker")
    assert [snapshot, snapshot] == [first, second]
    assert ["worker", "$LATEST", "$LATEST", "on-demand"] == unpublished[:4]
    assert unpublished[4] is not None
    assert 0.5 == cloud.billed["snap_start_restored_gb"]
    began = [entry for entry in cloud.log if entry.kind == "invoke.start"]
    assert ["restored", "cold", ""] == ["".join({"restored", "cold"} & entry.detail.keys()) for entry in began]
