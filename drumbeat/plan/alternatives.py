"""What the same items would cost in other ways: each with its arithmetic, from the same price list.

Only what differs is priced: requests, transitions, what holds the work.  Tracking, retries and results of each item,
which drumbeat's price includes, are left out where an alternative doesn't bring them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from drumbeat.task import Task

from .bill import bill
from .idle import HOURS, IDLE_POLLERS, LONG_POLL_S
from .packing import Packing
from .units import SQS_UNIT, units
from .usage import Step

VCPU_MIB = 1769
"""Memory at which a Lambda function has one vCPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
EXPRESS_GB = 64 / 1024
"""Express workflows bill memory by 64 MB: https://aws.amazon.com/step-functions/pricing/"""
CELERY_CHUNK = 100


@dataclass(frozen=True)
class Alternative:
    """Another way to do a run's items.

    orchestration: what it takes to hand out the items; work: what doing them takes; idle: what a month costs besides.
    source: the page that says how it is billed; note: what is assumed, or missing.
    """

    name: str
    orchestration: tuple[Step, ...]
    work: tuple[Step, ...]
    idle: tuple[Step, ...] = ()
    source: str = ""
    note: str = ""

    @property
    def run_dollars(self) -> float:
        """A run without its work."""
        return _dollars(self.orchestration)

    @property
    def work_dollars(self) -> float:
        """Its work alone."""
        return _dollars(self.work)

    def month_dollars(self, runs: float) -> float:
        """A month of so many runs, work and idle time included."""
        steps = (*self.orchestration, *self.work)
        used: dict[str, float] = {}
        for step, times in [*((step, runs) for step in steps), *((step, 1.0) for step in self.idle)]:
            used[step.price] = used.get(step.price, 0) + step.billed * times
        return bill(used).dollars


def _dollars(steps: tuple[Step, ...]) -> float:
    used: dict[str, float] = {}
    for step in steps:
        used[step.price] = used.get(step.price, 0) + step.billed
    return bill(used).dollars


def alternatives(task: Task, packing: Packing, *, item_s: float) -> Iterator[Alternative]:
    """The ways that people take, from the simplest on."""
    items, size = packing.items, packing.item_bytes
    work_s = items * item_s / task.concurrency
    gb_s = work_s * task.memory_mib / 1024
    how = f"{items:,} items x {item_s:g} s / {task.concurrency} at a time x {task.memory_mib:,} MiB / 1,024"
    work = (Step("work", how, gb_s, "lambda_gb_s"),)
    polled = int(HOURS * 3600 / LONG_POLL_S) * IDLE_POLLERS
    polls = (Step("empty receives", f"{IDLE_POLLERS} pollers x {HOURS} h / {LONG_POLL_S} s", polled, "sqs_requests"),)
    sqs, lambda_ = "https://aws.amazon.com/sqs/pricing/", "https://aws.amazon.com/lambda/pricing/"
    steps = "https://aws.amazon.com/step-functions/pricing/"
    each = units(size, SQS_UNIT)
    yield Alternative(
        "one message per item",
        (
            Step(
                "send, receive, delete", f"(2 x {each} + 1) x {items:,} items", (2 * each + 1) * items, "sqs_requests"
            ),
            Step("invocations", f"{items:,} items", items, "lambda_requests"),
            Step("a counter", f"{items:,} items", items, "dynamodb_write_units"),
        ),
        work,
        polls,
        source=sqs,
        note="counts an item twice when its message comes twice",
    )
    tens, ten = ceil(items / 10), units(10 * size, SQS_UNIT)
    yield Alternative(
        "batches of ten",
        (
            Step("send, receive, delete", f"(2 x {ten} + 1) x {tens:,} batches", (2 * ten + 1) * tens, "sqs_requests"),
            Step("invocations", f"{tens:,} batches", tens, "lambda_requests"),
        ),
        work,
        polls,
        source=sqs,
        note="nothing is counted: nobody knows when it is done",
    )
    yield Alternative(
        "Step Functions distributed map, standard",
        (
            Step("transitions", f"{items:,} items x 1 state", items, "step_transitions"),
            Step("invocations", f"{items:,} items", items, "lambda_requests"),
        ),
        work,
        source=steps,
        note="children of a single state, no retry; each further state is as much again",
    )
    batches, batch_s = packing.chunks, packing.per_chunk * item_s / task.concurrency
    express = ceil(batch_s * 10) / 10 * batches * EXPRESS_GB
    yield Alternative(
        "Step Functions distributed map, express",
        (
            Step("requests", f"{batches:,} batches of {packing.per_chunk}", batches, "step_express_requests"),
            Step("duration", f"{batches:,} batches x {batch_s:g} s x 64 MB", express, "step_express_gb_s"),
            Step("invocations", f"{batches:,} batches", batches, "lambda_requests"),
        ),
        work,
        source=steps,
        note="a batch of 5 minutes at most; what failed in a batch is the function's own affair"
        + ("; these batches take longer" if batch_s > 300 else ""),  # noqa: PLR2004
    )
    yield Alternative(
        "Lambda durable functions",
        (
            Step("operations", f"{items:,} items, a step each", items, "durable_operations"),
            Step("data", f"{items:,} items x {size:,} bytes", items * size, "durable_bytes"),
            Step("invocations", f"{batches:,} batches", batches, "lambda_requests"),
        ),
        work,
        source=lambda_,
        note="a step for each item; one step for a batch is cheaper by its size, and repeats the whole batch",
    )
    busy = work_s / 3600 / task.max_concurrency
    yield Alternative(
        "MWAA",
        (Step("invocations", f"{batches:,} batches", batches, "lambda_requests"),),
        work,
        (Step("an environment", f"{HOURS} h", HOURS, "mwaa_hours"),),
        source="https://aws.amazon.com/managed-workflows-for-apache-airflow/pricing/",
        note=f"the smallest environment is held all month; of a run of {busy:.2f} h only that",
    )
    cpus, gb = task.memory_mib / VCPU_MIB, task.memory_mib / 1024
    tasks = ceil(items / CELERY_CHUNK)
    chunk = units(CELERY_CHUNK * size, SQS_UNIT)
    yield Alternative(
        "Celery on Fargate",
        (
            Step(
                "send, receive, delete",
                f"(2 x {chunk} + 1) x {tasks:,} chunks",
                (2 * chunk + 1) * tasks,
                "sqs_requests",
            ),
        ),
        (
            Step("vCPU", f"{work_s / 3600:,.4g} h x {cpus:.3g}", work_s / 3600 * cpus, "fargate_vcpu_hours"),
            Step("memory", f"{work_s / 3600:,.4g} h x {gb:g} GB", work_s / 3600 * gb, "fargate_gb_hours"),
        ),
        (
            Step("beat", f"{HOURS} h x 0.25 vCPU", HOURS * 0.25, "fargate_vcpu_hours"),
            Step("beat", f"{HOURS} h x 0.5 GB", HOURS * 0.5, "fargate_gb_hours"),
        ),
        source="https://aws.amazon.com/fargate/pricing/",
        note="a fleet that is always busy, and gone when it isn't; idle containers cost the same as busy ones",
    )
