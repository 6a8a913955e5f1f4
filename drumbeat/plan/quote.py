"""What a task costs: a run, a month of its runs, what idles, and the same items done in other ways."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from drumbeat import limits
from drumbeat.packing import chunk_size_of, learned_of_many
from drumbeat.schedule import Rate
from drumbeat.task import Task

from .alternatives import Alternative, alternatives
from .bill import Bill, bill
from .forecast import forecast
from .idle import HOURS, idle, metrics
from .packing import INLINE, LINES, NUMBERS, SPOOLED, Packing
from .units import SQS_UNIT
from .usage import Step, Usage


@dataclass(frozen=True)
class Quote:
    """One task's costs; `run` is one run of it, `idle` what a month costs without any.

    later: a run like it once several have shown what an item takes, if its items are packed otherwise then.
    """

    task: Task
    item_s: float
    runs_per_month: float
    run: Usage
    later: Usage | None
    packing: Packing
    idle: Usage
    month: Bill
    alternatives: tuple[Alternative, ...]

    @property
    def run_dollars(self) -> float:
        """A run, with the items' own work."""
        return self.run.bill.dollars

    @property
    def work_dollars(self) -> float:
        """The items' own work, which costs the same whoever hands it out."""
        seconds = self.packing.items * self.item_s / self.task.concurrency
        return bill({"lambda_gb_s": seconds * self.task.memory_mib / 1024}).dollars

    @property
    def orchestration_dollars(self) -> float:
        """A run without the items' own work."""
        return self.run_dollars - self.work_dollars

    @property
    def sources(self) -> list[str]:
        """The pages that the alternatives are priced by."""
        return sorted({found.source for found in self.alternatives})


def quote(
    task: Task,
    *,
    items: int,
    item_bytes: int | None = None,
    item_s: float | None = None,
    field_bytes: int = 0,
    compresses_to: float = 1,
    result_bytes: int = 20,
    failure_rate: float = 0,
    runs_per_month: float = 1,
    tasks: int = 1,
) -> Quote:
    """Price a task; `tasks`: how many tasks of its app share the keeper. For the others see `forecast`."""
    item_s = task.item_s if item_s is None else item_s
    forecast_ = partial(
        forecast,
        task,
        items=items,
        item_bytes=item_bytes,
        item_s=item_s,
        field_bytes=field_bytes,
        compresses_to=compresses_to,
        result_bytes=result_bytes,
        failure_rate=failure_rate,
    )
    run = forecast_()
    learned = learned_of_many(items, items * item_s / task.concurrency)
    later = forecast_(learned=learned) if chunk_size_of(task, learned) != task.chunk_size else None
    assert run.packing is not None
    if later is not None and later.packing == run.packing:
        later = None  # its chunks are full before they have as many items
    resting = idle(task, tasks=tasks)
    resting = Usage((*resting.steps, *_by_schedule(task, runs_per_month)))
    used = dict(run.times(runs_per_month))
    for name, quantity in resting.billed.items():
        used[name] = used.get(name, 0) + quantity
    others = tuple(alternatives(task, run.packing, item_s=item_s))
    return Quote(task, item_s, runs_per_month, run, later, run.packing, resting, bill(used), others)


def _by_schedule(task: Task, runs: float) -> Iterator[Step]:
    if runs:
        yield metrics(runs)
        if task.schedule is not None and task.schedule.timezone:
            yield Step("fires", f"{runs:,.10g} runs", runs, "scheduler_invocations")


def fires_per_month(task: Task, *, since: datetime) -> int | None:
    """How often a task's schedule fires in the month of 730 hours from then on; None without a schedule."""
    schedule = task.schedule
    if schedule is None:
        return None
    until = since + timedelta(hours=HOURS)
    if isinstance(schedule, Rate):
        return sum(1 for _ in schedule.fires(after=since, until=until, anchor=since))
    return sum(1 for _ in schedule.fires(after=since, until=until))


def explain(found: Quote) -> Iterator[str]:
    """Why the items are packed as they are, in sentences."""
    task, packing = found.task, found.packing
    each = f"{packing.per_chunk:,} items a chunk, closed by {packing.closed_by}"
    yield f"{packing.items:,} items / {each}: {packing.chunks:,} chunks"
    if task.chooses_chunk_size:
        yield from _chosen(found)
    ways = {
        INLINE: f"messages hold their items, {packing.item_bytes:,} bytes each"
        + (", compressed" if packing.compressed else ""),
        NUMBERS: "messages say which range of numbers they mean",
        LINES: "messages say which bytes of the source they mean, and workers read them: a GET for each chunk",
        SPOOLED: f"items are written to S3 first, {packing.spools:,} objects, and messages say where",
    }
    yield f"{ways[packing.way]}: up to {packing.message_bytes:,} bytes a message"
    yield f"{packing.calls:,} calls of SendMessageBatch, billed as {packing.sent_units:,} requests of 64 KiB"
    yield from _advice(found)


def _chosen(found: Quote) -> Iterator[str]:
    """Where chunk_size comes from if the author didn't say it, and what it becomes."""
    task, later = found.task, found.later
    guessed = f"chunk_size is chosen by item_s={task.item_s:g}, the guess"
    if task.budgets:
        yield f"{guessed}; how long workers wait for budgets says nothing of the items"
        return
    yield f"{guessed}, until runs have shown what an item takes"
    if later is not None and later.packing is not None:
        packing = later.packing
        yield (
            f"if runs like this one show {found.item_s:g} s an item: {packing.per_chunk:,} items a chunk, "
            f"{packing.chunks:,} chunks, ${later.bill.dollars:,.6f} a run"
        )


def _advice(found: Quote) -> Iterator[str]:
    task, packing = found.task, found.packing
    a_call = packing.sent_units / packing.calls if packing.calls else 1
    if packing.way == INLINE and a_call > 1:
        fits = SQS_UNIT // 10
        yield (
            f"a call of ten is billed {a_call:.3g} times: past {fits:,} bytes a message, larger chunks save receives, "
            "deletes and ledger writes, and not what sending costs; only references do (by_reference=True)"
        )
    if packing.chunks > 1 and packing.per_chunk < 1000 and packing.closed_by.startswith("chunk_size"):  # noqa: PLR2004
        takes = packing.per_chunk * found.item_s / task.concurrency * task.batch_size
        room = task.timeout_s / 3
        more = min(limits.CHUNK_ITEMS, int(packing.per_chunk * room / takes)) if takes else limits.CHUNK_ITEMS
        if more >= 2 * packing.per_chunk:
            batch = "a chunk takes" if task.batch_size == 1 else f"a batch of {task.batch_size} chunks takes"
            yield (
                f"{batch} {takes:.3g} s of timeout_s={task.timeout_s}: chunk_size up to {more:,} leaves two thirds of "
                "it, and every request but the source's falls in proportion"
            )
