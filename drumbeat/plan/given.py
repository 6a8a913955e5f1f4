"""What a forecast is given beside the task and its items: how it fails, and what only time decides."""

from dataclasses import dataclass
from math import ceil

from drumbeat.packing import saves_of
from drumbeat.task import Task

from .packing import Packing

CALL_S = 0.01
"""A call of AWS within a Region: an order of magnitude, as the local cloud assumes it; not measured on AWS."""
INIT_S = 0.35
"""A cold start of drumbeat's functions, billed since August 2025: an assumption, see `benchmarks/cold.py`.

One that is restored from a snapshot instead is billed by the GB, and hardly by the second.
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-monitoring.html
"""
ITEM_CPU_S = 5e-6
"""What packing or unpacking an item costs: see `benchmarks/dispatch.py` and `work.py`."""
ENVIRONMENTS_START, ENVIRONMENTS_PER_S = 5, 5
"""How an SQS event source ramps up: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""
HEAD_FRESH_S = 5
"""As in `drumbeat.runtime.head`: how old what a worker knows of a run may be."""
DISPATCHER_SHARE = 0.9
"""As in `drumbeat.runtime.expand`: the share of its timeout that a dispatcher expands for, before it hands over."""
SAVE_EVERY_S = 10
"""As there: after how many seconds the cursor is saved, whatever was sent."""


@dataclass(frozen=True)
class Failures:
    """What goes wrong in a run.

    chunks: those in which something has failed; again: their deliveries after the first; letters: items given up.
    parts: passes over these chunks that had results to keep; reports: chunks with items given up, if the task tolerates
    some (a report is left out while a worker doesn't know yet how many items the run has).
    """

    chunks: int = 0
    again: int = 0
    letters: int = 0
    parts: int = 0
    reports: int = 0

    @classmethod
    def expected(cls, task: Task, packing: Packing, rate: float) -> "Failures":
        """What is expected if each attempt of an item fails with this probability, whatever the others do."""
        fails = [1 - (1 - rate**attempt) ** packing.per_chunk for attempt in range(1, task.retries + 2)]
        given_up = fails[-1] * packing.chunks
        chunks = fails[0] * packing.chunks
        again = sum(fails[:-1]) * packing.chunks
        tolerates = task.tolerated_failure_count is not None or task.tolerated_failure_percentage is not None
        return cls(
            chunks=round(chunks),
            again=round(again),
            letters=round(packing.items * rate ** (task.retries + 1)),
            parts=round(chunks + again) if task.keeps_results else 0,
            reports=round(given_up) if tolerates else 0,
        )

    def end_well(self, task: Task, items: int) -> bool:
        """Whether a run with these failures has succeeded."""
        count, share = task.tolerated_failure_count, task.tolerated_failure_percentage
        if count is None and share is None:
            return self.letters == 0
        within = share is None or self.letters * 100 <= share * items
        return within and (count is None or self.letters <= count)


@dataclass(frozen=True)
class Timing:
    """What depends on when things happen; a forecast assumes it, a test counts it.

    worker_invocations: how many batches the deliveries come in; deletes: calls that delete them; receives: calls that
    receive them.
    environments: of the worker; head_reads: reads of the run's record by workers, one for each environment and every
    five seconds.
    worker_s, dispatcher_s: seconds that all their invocations last together.
    saves: of the cursor, because ten seconds have passed; hand_overs: of one dispatcher to the next.
    seal_last: whether all chunks were settled before the run was sealed: with a root of exactly 256 children one more.
    """

    worker_invocations: int
    receives: int
    deletes: int
    environments: int
    head_reads: int
    worker_s: float
    dispatcher_s: float
    saves: int = 0
    hand_overs: int = 0
    seal_last: bool = False

    @classmethod
    def expected(
        cls, task: Task, packing: Packing, failures: Failures, *, item_s: float, completes: bool = True
    ) -> "Timing":
        """Full batches, the event source's own ramp, and the constants above."""
        deliveries = packing.chunks + failures.again
        invocations = ceil(deliveries / task.batch_size)
        batch = min(task.batch_size, packing.chunks)
        worked = packing.items * (1 + failures.again / max(1, packing.chunks * packing.per_chunk))
        calls = 1 + packing.worker_reads + task.keeps_results
        each = calls * CALL_S
        work_s = worked * (item_s / task.concurrency + ITEM_CPU_S) + deliveries * each
        environments, lasts = _ramp(task, invocations, work_s)
        dispatch_s = packing.items * ITEM_CPU_S * (packing.way == "inline") + packing.calls * CALL_S
        window = task.dispatcher_timeout_s * DISPATCHER_SHARE
        end_s = 0.15 + (packing.chunks * CALL_S / 10 if task.keeps_results and completes else 0)
        return cls(
            worker_invocations=invocations,
            receives=invocations * ceil(batch / 10) if batch else 0,
            deletes=invocations * ceil(batch / 10) if batch else 0,
            environments=environments,
            head_reads=environments * (1 + int(lasts / HEAD_FRESH_S)),
            worker_s=work_s + environments * (0 if task.snap_start else INIT_S),
            dispatcher_s=dispatch_s + end_s + INIT_S,
            saves=max(0, int(dispatch_s / SAVE_EVERY_S) - saves_of(packing.calls)),
            hand_overs=int(dispatch_s / window),
        )


def _ramp(task: Task, invocations: int, work_s: float) -> tuple[int, float]:
    """How many environments come to work, and for how many seconds: five at first, five more a second."""
    most = min(task.max_concurrency, invocations)
    if most == 0:
        return 0, 0.0
    start = min(ENVIRONMENTS_START, most)
    until_full = (most - start) / ENVIRONMENTS_PER_S
    done = (start + most) / 2 * until_full
    if done <= work_s:
        return most, until_full + (work_s - done) / most
    # start * t + ENVIRONMENTS_PER_S / 2 * t^2 = work_s
    lasts = ((start**2 + 2 * ENVIRONMENTS_PER_S * work_s) ** 0.5 - start) / ENVIRONMENTS_PER_S
    return ceil(start + ENVIRONMENTS_PER_S * lasts), lasts
