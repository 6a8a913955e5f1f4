"""A handler runs as in Lambda, and harms nobody but its own invocation."""

# ruff: noqa: ANN003, ARG005, PTH109, E501  handlers in text, stand-ins for callbacks

import os
import sys
from datetime import timedelta

import boto3
import pytest


def run(open_cloud, app, code, event=None, **options):
    function = {key: options.pop(key) for key in ("timeout", "env") if key in options}
    app.function("one", code, **function)
    cloud = open_cloud(app, **options)
    return cloud, cloud.invoke("one", event or {})


def test_a_handler_sees_its_context_environment_and_virtual_time(app, open_cloud):
    _, outcome = run(
        open_cloud,
        app,
        """
        import os, time, datetime
        def handler(event, context):
            before = context.get_remaining_time_in_millis()
            time.sleep(2)
            return [
                context.function_name, context.memory_limit_in_mb, os.environ["AWS_LAMBDA_FUNCTION_NAME"],
                os.environ["AWS_REGION"], os.environ["MINE"], "HOME" in os.environ,
                before - context.get_remaining_time_in_millis(), datetime.datetime.now().year,
                context.invoked_function_arn, event["x"],
            ]
        """,
        {"x": 1},
        env={"MINE": "yes"},
    )

    arn = "arn:aws:lambda:us-east-1:123456789012:function:one"
    assert ["one", "128", "one", "us-east-1", "yes", False, 2000, 2026, arn, 1] == outcome.value()


def test_a_timeout_ends_the_invocation_and_nothing_happens_after_it(app, open_cloud):
    app.queue("Queue")
    cloud, outcome = run(
        open_cloud,
        app,
        """
        import os, time, boto3
        sqs = boto3.client("sqs")
        def handler(event, context):
            sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody="before")
            try:
                time.sleep(10)
            except BaseException:
                sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody="after")
            finally:
                sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody="cleanup")
        """,
        timeout=3,
        env={"QUEUE": {"Ref": "Queue"}},
    )

    assert "Task timed out after 3.00 seconds" in outcome.message
    assert "Sandbox.Timedout" == outcome.error_type
    assert (1, 0, 0) == cloud.queue_depth("Queue")
    assert 1 == cloud.requests["sqs", "SendMessage"]


def test_compute_from_the_duration_model_counts_against_the_timeout(app, open_cloud):
    _, outcome = run(
        open_cloud, app, "def handler(e, c): return 1", timeout=5, durations=lambda function, event, rng: 5.5
    )

    assert "Sandbox.Timedout" == outcome.error_type


def test_a_handler_that_hangs_for_real_is_stopped(app, open_cloud):
    cloud, outcome = run(
        open_cloud,
        app,
        "def handler(e, c):\n        while not e: pass\n        return 'fine'",
        timeout=5,
        watchdog_s=0.3,
    )

    assert "Sandbox.Timedout" == outcome.error_type
    assert "fine" == cloud.invoke("one", {"stop": True}).value()


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("os._exit(3)", "Runtime.ExitError"),
        ("sys.exit(1)", "Runtime.ExitError"),
        ("raise KeyError('x')", "KeyError"),
        ("return object()", "Runtime.MarshalError"),
    ],
)
def test_what_a_handler_does_to_itself_is_an_error_of_its_invocation(app, open_cloud, line, kind):
    cloud, outcome = run(open_cloud, app, f"import os, sys\ndef handler(e, c):\n    {line}")

    assert kind == outcome.error_type
    assert {"one": 1} == dict(cloud.meter.errors)


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("import nothing_here\ndef handler(e, c): pass", "Runtime.ImportModuleError", "No module named 'nothing_here'"),
        ("def handler(e, c) pass", "Runtime.UserCodeSyntaxError", "expected ':'"),
        ("def other(e, c): pass", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'index'"),
    ],
)
def test_code_that_cannot_be_loaded_is_named(app, open_cloud, code, kind, message):
    _, outcome = run(open_cloud, app, code)

    assert kind == outcome.error_type
    assert message in outcome.message


def test_changes_to_the_process_stay_inside(app, open_cloud):
    before = (dict(os.environ), list(sys.path), os.getcwd(), sys.stdout, set(sys.modules))
    cloud, outcome = run(
        open_cloud,
        app,
        """
        import os, sys, index
        def handler(event, context):
            os.environ["LEAK"] = "1"
            os.environ.pop("AWS_REGION")
            sys.path.insert(0, "/nowhere")
            os.chdir("/")
            return "ok"
        """,
    )
    other = cloud.invoke("one", {})
    cloud.__exit__(None, None, None)

    assert ["ok", "ok"] == [outcome.value(), other.value()]
    assert before[:4] == (dict(os.environ), list(sys.path), os.getcwd(), sys.stdout)
    assert "index" not in set(sys.modules) - before[4]


def test_functions_with_the_same_module_and_concurrent_environments_dont_meet(app, open_cloud):
    app.queue("Queue")
    code = """
        import os, time, boto3
        sqs = boto3.client("sqs")
        state = []
        def handler(event, context):
            state.append(event["n"])
            sqs.list_queues()
            return [os.environ["WHO"], state]
    """
    app.function("left", code, env={"WHO": "left"})
    app.function("right", code.replace('os.environ["WHO"]', '"R", os.environ["WHO"]'), env={"WHO": "right"})
    app.function(
        "both",
        """
        import boto3, json
        from concurrent.futures import ThreadPoolExecutor
        client = boto3.client("lambda")
        def call(args):
            name, n = args
            return json.load(client.invoke(FunctionName=name, Payload=json.dumps({"n": n}))["Payload"])
        def handler(event, context):
            with ThreadPoolExecutor(4) as pool:
                return list(pool.map(call, [("left", 1), ("right", 2), ("left", 3), ("right", 4)]))
        """,
    )
    cloud = open_cloud(app)

    assert [["left", [1]], ["R", "right", [2]], ["left", [3]], ["R", "right", [4]]] == cloud.invoke("both", {}).value()
    assert ["left", [1, 5]] in [cloud.invoke("left", {"n": 5}).value(), ["left", [1, 5]]]
    assert {"left": 2, "right": 2, "both": 1} == dict(cloud.meter.cold_starts)


def test_randomness_follows_the_seed(app, open_cloud):
    code = """
        import random, secrets, uuid
        def handler(event, context):
            return [str(uuid.uuid4()), random.random(), secrets.token_hex(4), context.aws_request_id]
    """
    app.function("one", code)
    seen = []
    for seed in (1, 1, 2):
        cloud = open_cloud(app, seed=seed)
        seen.append(cloud.invoke("one", {}).value())
        cloud.__exit__(None, None, None)

    assert seen[0] == seen[1]
    assert all(one != other for one, other in zip(seen[0], seen[2], strict=True))


def test_prints_logs_and_metrics_are_captured_with_virtual_time(app, open_cloud, capsys):
    cloud, _ = run(
        open_cloud,
        app,
        """
        import json, logging, time
        logging.getLogger().setLevel("INFO")
        def handler(event, context):
            print("hello")
            time.sleep(1)
            logging.getLogger("mine").info("logged")
            emf = {"_aws": {"CloudWatchMetrics": [{"Namespace": "N", "Dimensions": [["d"]], "Metrics": [{"Name": "m"}]}]}}
            print(json.dumps({**emf, "d": "x", "m": 3}))
        """,
    )
    first, second, _ = cloud.logs("one")
    (metric,) = cloud.metrics()

    assert "hello" == first.text
    assert second.text.startswith("[INFO]\t2026-03-01T00:00:01.")
    assert second.text.endswith("Z\tlogged")
    assert timedelta(seconds=1) == second.time - first.time
    assert ("N", "m", (("d", "x"),), 3.0) == (metric.namespace, metric.name, metric.dimensions, metric.value)
    assert "" == capsys.readouterr().out


def test_a_call_that_the_role_does_not_allow_is_denied(app, open_cloud):
    app.table("Table")
    app.resources["Role"]["Properties"]["Policies"] = []
    _, outcome = run(
        open_cloud,
        app,
        """
        import boto3
        from botocore.exceptions import ClientError
        client = boto3.client("dynamodb")
        def handler(event, context):
            try:
                client.get_item(TableName="Table", Key={"pk": {"S": "x"}})
            except ClientError as error:
                return [error.response["Error"]["Code"], "dynamodb:GetItem" in str(error)]
        """,
    )

    assert ["AccessDeniedException", True] == outcome.value()


def test_environment_and_credentials_are_put_back(app, open_cloud, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "mine")
    cloud, _ = run(open_cloud, app, "def handler(e, c): return 1")

    assert "AWS_PROFILE" not in os.environ
    assert [] == boto3.client("sqs").list_queues().get("QueueUrls", [])
    cloud.__exit__(None, None, None)
    assert "mine" == os.environ["AWS_PROFILE"]


def test_a_function_that_is_not_in_python_says_so_when_it_is_invoked(app, open_cloud):
    app.function("one", "exports.handler = async () => 1")
    app.resources["one"]["Properties"]["Runtime"] = "nodejs22.x"
    outcome = open_cloud(app).invoke("one", {})

    assert ("Runtime.Unsupported", True) == (outcome.error_type, "function one is in nodejs22.x" in outcome.message)


def test_a_thread_that_a_handler_leaks_does_nothing_to_later_invocations(app, open_cloud):
    code = """
        import threading, time
        n = []
        def work():
            while True:
                time.sleep(0.2)
                n.append(1)
        def handler(event, context):
            threading.Thread(target=work, daemon=True).start()
            time.sleep(event["s"])
            return len(n)
    """
    app.function("one", code)
    app.function("two", "import time\ndef handler(event, context): time.sleep(5); return 'fine'")
    cloud = open_cloud(app)

    assert 4 <= cloud.invoke("one", {"s": 1}).value() <= 5
    assert "fine" == cloud.invoke("two", {}).value()
    assert cloud.invoke("one", {"s": 0}).ok
