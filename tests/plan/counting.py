"""What a run in the local cloud asks of AWS, and whether that is what is forecast for it."""

import importlib.util
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from drumbeat.local.faults import Seam
from drumbeat.plan.forecast import forecast
from drumbeat.plan.given import Timing
from drumbeat.task import Task
from drumbeat.testing.cloud import AppCloud, RunView
from drumbeat.testing.single import Single

Requests = Counter[tuple[str, str]]
OF_RUNS = ("sqs", "dynamodb", "s3", "lambda", "events")


@dataclass
class Counted:
    """A run, and what it asked of AWS."""

    run: RunView
    requests: Requests
    polls: Requests
    billed: dict[str, float]
    timing: Timing
    invocations: dict[str, int]


@dataclass
class Count:
    """Runs a task on a cloud and counts."""

    cloud: AppCloud
    seam: Single

    def __call__(self, name: str, items: list[Any] | None = None) -> Counted:
        cloud = self.cloud
        run = cloud.run(name, items)
        meter = cloud.meter
        reads = [p for p in self.seam.points if p.operation == "GetItem" and p.function.endswith("worker")]
        invocations = {
            "dispatcher": meter.invocations[cloud.dispatcher(name)],
            "worker": meter.invocations[cloud.worker(name)],
        }
        timing = Timing(
            worker_invocations=invocations["worker"],
            receives=meter.service_requests["sqs", "ReceiveMessage"],
            deletes=meter.service_requests["sqs", "DeleteMessageBatch"],
            environments=meter.cold_starts[cloud.worker(name)],
            head_reads=sum("/run#" in point.target for point in reads),
            worker_s=0,
            dispatcher_s=0,
        )
        requests = Counter({call: n for call, n in meter.requests.items() if call[0] in OF_RUNS})
        return Counted(run, requests, Counter(meter.service_requests), dict(meter.billed), timing, invocations)


def declared(module: Path) -> ModuleType:
    """A module of some app's handlers, outside of its cloud."""
    spec = importlib.util.spec_from_file_location(f"{module.stem}_of_the_plan", module)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@contextmanager
def counting(assembly: Path) -> Iterator[Count]:
    """A fresh cloud whose requests are counted."""
    seam = Single(Seam())
    with AppCloud(assembly, faults=seam) as cloud:
        yield Count(cloud, seam)


def agree(counted: Counted, task: Task, *, reads: bool = True, published: int = 0, **given: Any) -> None:
    """Assert that a run made the requests that are forecast, and that as much of each is billed.

    reads: whether that is known of DynamoDB's reads, too; the records of parts are about a KB.
    published: how many objects the author's own functions have put.
    """
    expected = forecast(task, timing=counted.timing, **given)
    counted.requests["s3", "PutObject"] -= published
    counted.billed["s3_puts"] = counted.billed.get("s3_puts", 0) - published

    differ = {call: (expected.requests[call], counted.requests[call]) for call in expected.requests | counted.requests}
    wrong = {call: pair for call, pair in differ.items() if pair[0] != pair[1]}
    assert not wrong, f"(forecast, counted): {wrong}"
    assert expected.polls == counted.polls
    assert expected.invocations == {role: n for role, n in counted.invocations.items() if n}
    billed = ("sqs_requests", "dynamodb_write_units", "s3_puts", "s3_gets", "events", "lambda_requests")
    assert {name: expected.billed.get(name, 0) for name in billed} == {
        name: counted.billed.get(name, 0) for name in billed
    }
    if reads:
        assert expected.billed["dynamodb_read_units"] == counted.billed["dynamodb_read_units"]
