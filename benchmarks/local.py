"""How fast the local cloud is: items a second, memory, virtual days a second, against stock moto in the same run.

    python benchmarks/local.py            every measure, each in a process of its own; under four minutes
    python benchmarks/local.py engine     one of them

The work is trivial (double a number), packed 100 items to a message; a worker counts each message in DynamoDB, as a
ledger does. "drumbeat" is the library's own dispatcher, worker, keeper and ledger under its synthesized template (it
needs Node.js); "engine" is a plain function on a queue. Prints one table; writes results/local.json and local.svg.
"""

# ruff: noqa: PLC0415  a measure's process imports what it measures, and no more

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from textwrap import dedent
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"
sys.path.insert(0, str(ROOT))
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")

PACKED = 100
DEPTHS = (1_000, 5_000, 20_000)
REPEATS = 3
START = datetime(2026, 1, 1, tzinfo=UTC)
SMALL = (50, 200, 400)  # messages: what stock moto is asked for
GOAL = 60_000

SEND = """
    import json, os, boto3
    sqs = boto3.client("sqs")
    def handler(event, context):
        first, last = event["messages"]
        for start in range(first, last, 10):
            entries = [{"Id": str(n), "MessageBody": json.dumps(list(range(n * 100, n * 100 + 100)))}
                       for n in range(start, min(start + 10, last))]
            sqs.send_message_batch(QueueUrl=os.environ["QUEUE"], Entries=entries)
"""
WORK = """
    import json, os, boto3
    dynamodb = boto3.client("dynamodb")
    def handler(event, context):
        for record in event["Records"]:
            done = [2 * item for item in json.loads(record["body"])]
            dynamodb.update_item(TableName=os.environ["TABLE"], Key={"pk": {"S": "run"}},
                                 UpdateExpression="ADD done :n",
                                 ExpressionAttributeValues={":n": {"N": str(len(done))}})
"""
TASK = """
    from drumbeat import Cron, Range, Task

    bench = Task("bench", schedule=Cron("{cron}"), chunk_size=100, timeout_s=60)
    bench.expand(Range(0, {items}))

    @bench.work
    def double(number, run):
        return 2 * number
"""
APP = """
    from pathlib import Path

    from aws_cdk import App

    from drumbeat.cdk import bundle_code
    from drumbeat.discovery import discover
    from stacks.drumbeat_stack import DrumbeatStack

    app, tasks = App(), discover()
    DrumbeatStack(app, "Bench", tasks=tasks, code=bundle_code(tasks, cache=Path("{cache}")))
    app.synth()
"""


# -- apps --------------------------------------------------------------------------------------------------


def plain(folder: Path, rule: str | None = None) -> Path:
    """A template written by hand: a function that sends, a queue, a function that works, a table."""
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    trusted = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    role = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trusted]}}
    queue, table = {"Fn::GetAtt": ["Queue", "Arn"]}, {"AttributeName": "pk"}
    resources: dict[str, Any] = {
        "Role": ("AWS::IAM::Role", {**role, "Policies": [{"PolicyName": "all", "PolicyDocument": allow}]}),
        "Queue": ("AWS::SQS::Queue", {"VisibilityTimeout": 360}),
        "Table": (
            "AWS::DynamoDB::Table",
            {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{**table, "AttributeType": "S"}],
                "KeySchema": [{**table, "KeyType": "HASH"}],
            },
        ),
        "Send": ("AWS::Lambda::Function", _function(SEND, QUEUE={"Ref": "Queue"})),
        "Work": ("AWS::Lambda::Function", _function(WORK, TABLE={"Ref": "Table"})),
        "Mapping": (
            "AWS::Lambda::EventSourceMapping",
            {"EventSourceArn": queue, "FunctionName": {"Ref": "Work"}, "BatchSize": 10},
        ),
    }
    if rule is not None:
        work = {"Fn::GetAtt": ["Trivial", "Arn"]}
        resources |= {
            "Trivial": ("AWS::Lambda::Function", _function("def handler(event, context): return 1")),
            "Rule": ("AWS::Events::Rule", {"ScheduleExpression": rule, "Targets": [{"Id": "t", "Arn": work}]}),
            "Permission": (
                "AWS::Lambda::Permission",
                {
                    "Action": "lambda:InvokeFunction",
                    "FunctionName": {"Ref": "Trivial"},
                    "Principal": "events.amazonaws.com",
                    "SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]},
                },
            ),
        }
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://123456789012/us-east-1",
        "properties": {"templateFile": "App.template.json"},
    }
    template = {name: {"Type": kind, "Properties": properties} for name, (kind, properties) in resources.items()}
    (folder / "manifest.json").write_text(json.dumps({"version": "43.0.0", "artifacts": {"App": stack}}))
    (folder / "App.template.json").write_text(json.dumps({"Resources": template}))
    return folder


def _function(code: str, **variables: Any) -> dict[str, Any]:
    return {
        "Handler": "index.handler",
        "Runtime": "python3.11",
        "Timeout": 60,
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Code": {"ZipFile": dedent(code)},
        "Environment": {"Variables": variables},
    }


def own(folder: Path, *, cron: str, items: int) -> Path:
    """An app of drumbeat's own, bundled and synthesized."""
    from drumbeat.local.synth import synthesize

    for name, text in (("handlers/__init__.py", ""), ("handlers/bench.py", TASK.format(cron=cron, items=items))):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(dedent(text))
    (folder / "app.py").write_text(dedent(APP).format(cache=ROOT / ".drumbeat"))  # the repository's, as the tests do
    return synthesize(folder)


# -- measures: each returns figures, and runs in a process of its own --------------------------------------


def engine() -> dict[str, Any]:
    """Items a second behind 1,000, 5,000 and 20,000 waiting messages: send all, then work all."""
    from drumbeat.local import LocalCloud

    found: dict[str, list[float]] = {}
    with _folder() as folder, LocalCloud(plain(folder), start=START, log_keep=10_000) as cloud:
        _round(cloud, 100)
        for repeat in range(REPEATS):
            for messages in DEPTHS[: None if repeat == 0 else -1]:  # the deepest once: it takes as long as the rest
                found.setdefault(str(messages), []).append(messages * PACKED / _round(cloud, messages))
    return {"items_per_s": found}


def memory() -> dict[str, Any]:
    """Resident memory after every 200,000 items, in one cloud; ten quiet minutes let environments go in between."""
    from drumbeat.local import LocalCloud

    points = []
    with _folder() as folder, LocalCloud(plain(folder), start=START, log_keep=10_000) as cloud:
        for number in range(1, 7):
            _round(cloud, 2_000)
            cloud.advance(minutes=10)
            points.append((number * 2_000 * PACKED, _resident_mib()))
    return {"resident_mib": points}


def year() -> dict[str, Any]:
    """A year of an hourly rule with a trivial function: 8,760 fires."""
    from drumbeat.local import LocalCloud

    with _folder() as folder, LocalCloud(plain(folder, "cron(0 * * * ? *)"), start=START, log_keep=10_000) as cloud:
        began, cpu = time.perf_counter(), time.process_time()
        cloud.advance(days=365)
        cloud.run_until_idle()
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        return {"seconds": took, "cpu_seconds": cpu, "days_per_s": 365 / took, "fires": sum(cloud.invocations.values())}


def drumbeat_items() -> dict[str, Any]:
    """Items a second of drumbeat's own run of 300,000 items: dispatcher, worker, ledger and completion."""
    from drumbeat.testing.cloud import AppCloud

    items, rates = 300_000, []
    with _folder() as folder:
        assembly = own(folder, cron="0 0 1 1 ? *", items=items)
        with AppCloud(assembly, start=START, log_keep=10_000) as cloud:
            for minute in range(REPEATS):
                began = time.perf_counter()
                run = cloud.run("bench", at=START + timedelta(minutes=minute))
                rates.append(items / (time.perf_counter() - began))
                assert (run.record.state, run.record.succeeded) == ("SUCCEEDED", items), run.record
    return {"items_per_s": rates}


def drumbeat_days() -> dict[str, Any]:
    """Days a second of an hourly drumbeat task of one item, with its keeper; a year by proportion.

    The keeper looks every 15 minutes, and an idle environment is kept for 8: nearly every invocation is a cold start
    that imports anew what may keep state. `own_environments=False` lets a function's environments share all modules.
    """
    return {"own": _days(10, own_environments=True), "shared": _days(20, own_environments=False)}


def _days(days: int, *, own_environments: bool) -> dict[str, Any]:
    from drumbeat.testing.cloud import AppCloud

    with _folder() as folder:
        assembly = own(folder, cron="0 * * * ? *", items=1)
        with AppCloud(assembly, start=START, log_keep=10_000, own_environments=own_environments) as cloud:
            cloud.advance(hours=2)
            began, cpu = time.perf_counter(), time.process_time()
            cloud.advance(days=days)
            took, cpu = time.perf_counter() - began, time.process_time() - cpu
            cold, done = sum(cloud.meter.cold_starts.values()), sum(cloud.invocations.values())
    return {
        "days": days,
        "seconds": took,
        "cpu_seconds": cpu,
        "days_per_s": days / took,
        "year_s": took * 365 / days,
        "invocations": done,
        "cold_starts": cold,
    }


def stock() -> dict[str, Any]:
    """Stock moto: its own SQS-to-Lambda trigger inside SendMessageBatch, with an invoke that runs the same handler."""
    return {"items_per_s": {str(size): [_stock(size, trigger=True) for _ in range(REPEATS)] for size in SMALL}}


def stock_polled() -> dict[str, Any]:
    """Stock moto without its trigger: all messages sent, then received by ten, worked and deleted."""
    return {"items_per_s": {str(size): [_stock(size, trigger=False)] for size in SMALL}}


def ours_small() -> dict[str, Any]:
    """The engine at stock moto's sizes."""
    from drumbeat.local import LocalCloud

    found: dict[str, list[float]] = {}
    with _folder() as folder, LocalCloud(plain(folder), start=START, log_keep=10_000) as cloud:
        _round(cloud, 100)
        for _ in range(REPEATS):
            for messages in SMALL:
                found.setdefault(str(messages), []).append(messages * PACKED / _round(cloud, messages))
    return {"items_per_s": found}


def _round(cloud: Any, messages: int) -> float:
    """Send messages with the workers paused, then let them work; seconds of both."""
    mapping = next(iter(cloud._world.mappings.all.values()))  # noqa: SLF001
    from dataclasses import replace

    began = time.perf_counter()
    mapping.set(replace(mapping.mapping, enabled=False))
    for first in range(0, messages, 1_000):
        outcome = cloud.invoke("Send", {"messages": [first, min(messages, first + 1_000)]})
        assert outcome.ok, outcome
    assert cloud.queue_depth("Queue")[0] == messages
    mapping.set(replace(mapping.mapping, enabled=True))
    cloud.run_until_idle()
    assert cloud.queue_depth("Queue") == (0, 0, 0)
    return time.perf_counter() - began


def _stock(messages: int, *, trigger: bool) -> float:
    """Items a second in stock moto."""
    import io
    import zipfile

    import boto3
    from moto import mock_aws
    from moto.awslambda_simple.models import LambdaSimpleBackend

    os.environ |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    plain_invoke = LambdaSimpleBackend.invoke
    with mock_aws(config={"lambda": {"use_docker": False}}):
        sqs, dynamodb, functions = boto3.client("sqs"), boto3.client("dynamodb"), boto3.client("lambda")
        os.environ["TABLE"] = "table"
        dynamodb.create_table(
            TableName="table",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        scope: dict[str, Any] = {}
        exec(dedent(WORK), scope)

        def invoke(self: Any, *arguments: Any, **named: Any) -> str:
            del self
            body = named.get(
                "body", next((one for one in arguments if isinstance(one, str) and "Records" in one), "{}")
            )
            scope["handler"](json.loads(body), None)
            return "{}"

        LambdaSimpleBackend.invoke = invoke
        url = sqs.create_queue(QueueName="queue", Attributes={"VisibilityTimeout": "360"})["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        if trigger:
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w") as file:
                file.writestr("index.py", "def handler(event, context): pass")
            role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
            functions.create_function(
                FunctionName="work",
                Runtime="python3.11",
                Role=role,
                Handler="index.handler",
                Code={"ZipFile": archive.getvalue()},
            )
            functions.create_event_source_mapping(EventSourceArn=arn, FunctionName="work", BatchSize=10)
        os.environ["QUEUE"] = url
        sender: dict[str, Any] = {}
        exec(dedent(SEND), sender)
        began = time.perf_counter()
        sender["handler"]({"messages": [0, messages]}, None)
        if not trigger:
            while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                scope["handler"]({"Records": [{"body": message["Body"]} for message in got]}, None)
                entries = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(got)]
                sqs.delete_message_batch(QueueUrl=url, Entries=entries)
                if not int(_waiting(sqs, url)):
                    break
        took = time.perf_counter() - began
        done = dynamodb.get_item(TableName="table", Key={"pk": {"S": "run"}}).get("Item", {"done": {"N": "0"}})
        LambdaSimpleBackend.invoke = plain_invoke
        assert int(done["done"]["N"]) == messages * PACKED, done
    return messages * PACKED / took


def _waiting(sqs: Any, url: str) -> str:
    name = "ApproximateNumberOfMessages"
    answer: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]
    return answer


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def _resident_mib() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # not Linux: the highest until now
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pages * resource.getpagesize() / 2**20


MEASURES: dict[str, Callable[[], dict[str, Any]]] = {
    measure.__name__: measure
    for measure in (engine, memory, year, ours_small, stock, stock_polled, drumbeat_items, drumbeat_days)
}


# -- the table ---------------------------------------------------------------------------------------------


def rows(found: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Measure, median, and what it is compared with."""
    rates = {depth: statistics.median(values) for depth, values in found["engine"]["items_per_s"].items()}
    shallow = rates[str(DEPTHS[0])]
    for depth, rate in rates.items():
        flat = f"{rate / shallow:.2f} of that at {DEPTHS[0]:,}; goal {GOAL:,}: {rate / GOAL:.2f}"
        yield f"engine, {int(depth):,} messages waiting", f"{rate:,.0f} items/s", flat
    points = found["memory"]["resident_mib"]
    grown = points[-1][1] - points[1][1]
    yield (
        f"memory after {points[-1][0] / 1e6:.1f} M items",
        f"{points[-1][1]:,.0f} MiB",
        f"{grown:+.1f} MiB since 0.4 M items",
    )
    done = found["year"]
    yield "a year of an hourly rule", f"{done['seconds']:.1f} s", f"{done['days_per_s']:,.0f} days/s"
    for size in SMALL:
        ours = statistics.median(found["ours_small"]["items_per_s"][str(size)])
        for kind, name in (("stock", "its own trigger"), ("stock_polled", "polled")):
            theirs = statistics.median(found[kind]["items_per_s"][str(size)])
            told = f"engine {ours:,.0f}: {ours / theirs:,.0f} times as fast"
            yield f"stock moto, {name}, {size} messages", f"{theirs:,.0f} items/s", told
    if "error" not in found["drumbeat_items"]:
        rate = statistics.median(found["drumbeat_items"]["items_per_s"])
        yield "drumbeat, 300,000 items", f"{rate:,.0f} items/s", f"{rate / shallow:.2f} of the engine's"
        for kind, days in found["drumbeat_days"].items():
            told = f"by {days['days']} days; {days['cold_starts']:,} of {days['invocations']:,} invocations cold"
            yield f"drumbeat, a year hourly, {kind} environments", f"{days['year_s']:,.0f} s", told


def picture(found: dict[str, Any]) -> str:
    """Bars of items a second, on a scale of powers of ten, and the memory below."""
    bars = [(label, statistics.median(values), "ours") for label, values in _rates(found, "engine", "engine")]
    bars += [(label, statistics.median(v), "theirs") for label, v in _rates(found, "stock", "stock moto, trigger")]
    bars += [
        (label, statistics.median(v), "theirs") for label, v in _rates(found, "stock_polled", "stock moto, polled")
    ]
    if "error" not in found["drumbeat_items"]:
        bars.insert(len(DEPTHS), ("drumbeat, 3,000", statistics.median(found["drumbeat_items"]["items_per_s"]), "ours"))
    import math

    width, left, step = 760, 240, 26
    height = 70 + step * len(bars)
    parts = ['<rect width="100%" height="100%" fill="#fff"/>']
    parts.append('<text x="16" y="26" font-size="15" font-weight="600">Items a second, by messages waiting</text>')
    parts.append(
        '<text x="16" y="44" fill="#52606d">100 items to a message; each step to the right is ten times</text>'
    )

    def x(rate: float) -> float:
        return left + (width - left - 90) * math.log10(max(rate, 100) / 100) / 4

    for power in range(2, 7):
        at = x(10**power)
        parts.append(f'<line x1="{at:.0f}" x2="{at:.0f}" y1="54" y2="{height - 14}" stroke="#e4e7eb"/>')
    for row, (label, rate, kind) in enumerate(bars):
        y = 60 + step * row
        color = "#2563eb" if kind == "ours" else "#9aa5b1"
        parts.append(f'<text x="{left - 10}" y="{y + 13}" text-anchor="end">{label}</text>')
        parts.append(f'<rect x="{left}" y="{y}" width="{x(rate) - left:.0f}" height="18" fill="{color}"/>')
        parts.append(f'<text x="{x(rate) + 6:.0f}" y="{y + 13}" fill="#52606d">{rate:,.0f}</text>')
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    font = 'font-family="system-ui, \'Segoe UI\', Roboto, sans-serif" font-size="12" fill="#1f2933"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>{"".join(parts)}</svg>\n'


def _rates(found: dict[str, Any], measure: str, name: str) -> Iterator[tuple[str, list[float]]]:
    for depth, values in found[measure]["items_per_s"].items():
        yield f"{name}, {int(depth):,}", values


def machine() -> dict[str, Any]:
    """Where and with what it was measured."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load_before": round(os.getloadavg()[0], 1),
        **{name: version(name) for name in ("boto3", "moto", "time-machine")},
    }


def measured(name: str) -> dict[str, Any]:
    """One measure in a process of its own."""
    done = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1]}
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(MEASURES[sys.argv[1]]()))
        return
    began = time.perf_counter()
    where = machine()
    found: dict[str, Any] = {}
    for name in MEASURES:
        found[name] = measured(name)
        print(f"{name}: {found[name].get('error', 'done')}", file=sys.stderr)
    where["seconds"] = round(time.perf_counter() - began)
    print(", ".join(f"{key} {value}" for key, value in where.items()))
    table = list(rows(found))
    widths = [max(len(row[column]) for row in table) for column in range(3)]
    for row in table:
        print(f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "local.json").write_text(json.dumps({"machine": where, "measures": found}, indent=1) + "\n")
    (RESULTS / "local.svg").write_text(picture(found))


if __name__ == "__main__":
    main()
