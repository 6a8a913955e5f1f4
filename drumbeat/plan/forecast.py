"""What one run of a task asks of AWS: every call of its dispatcher and workers, with the formula that counts it.

It follows `drumbeat.runtime` call by call; a test runs tasks of several shapes in the local cloud and compares the
requests exactly.  A run that ends otherwise than by doing all of its items (halted, overtaken, started late) isn't
forecast.
"""

from collections.abc import Iterator
from dataclasses import replace

from drumbeat.ledger.tree import leaves, partial  # the shape of the counting tree: arithmetic alone
from drumbeat.packing import NOTHING, Learned, saves_of
from drumbeat.task import Task

from .expanding import expanding
from .given import Failures, Timing
from .packing import INLINE, Packing, pack_run
from .steps import DISPATCHER, WORKER, put, read, write
from .units import WRITE_UNIT, units
from .usage import POLLER, Step, Usage

LOG_BYTES_PER_INVOCATION, LOG_BYTES_PER_CHUNK = 900, 25
"""START, END and REPORT of Lambda and one line of metrics, which names the chunks: about, with 26 bytes for each line.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
"""
_BYTES_OF_LETTER = 500  # of a dead letter beyond its item, about
KEPT_BYTES = 4000  # as in `drumbeat.runtime.results`
_BYTES_AROUND_RESULTS = 120  # the names, the key and the date of their record, about
_ALONE = 1  # as in `drumbeat.runtime.combine`


def forecast(
    task: Task,
    *,
    items: int,
    item_bytes: int | None = None,
    item_s: float | None = None,
    field_bytes: int = 0,
    compresses_to: float = 1,
    result_bytes: int = 20,
    failures: Failures | None = None,
    failure_rate: float = 0,
    timing: Timing | None = None,
    returns: bool = True,
    given: bool = False,
    learned: Learned = NOTHING,
) -> Usage:
    """One run of so many items, each `item_bytes` of JSON and `item_s` of work (by default the task's `item_s`).

    failures, or failure_rate: how many attempts fail, or what share of them; timing: what only time decides; both are
    expectations unless they are given.  returns: whether `complete` or `combine` returns something to keep.
    field_bytes, compresses_to: see `pack_run`.  result_bytes: JSON of what `work` returns for an item, if it is kept.
    given: whether the items are given by hand, as `drumbeat run --items` does.
    learned: what the task's runs before it have shown.
    """
    packing = pack_run(
        task,
        items=items,
        item_bytes=item_bytes,
        field_bytes=field_bytes,
        compresses_to=compresses_to,
        given=given,
        learned=learned,
    )
    failures = failures or Failures.expected(task, packing, failure_rate)
    item_s = task.item_s if item_s is None else item_s
    timing = timing or Timing.expected(task, packing, failures, item_s=item_s)
    run = _Run(task, packing, failures, timing, returns=returns, given=given, result_bytes=result_bytes)
    steps = (*run.open(), *run.send(), *run.count(), *run.work(), *run.retry(), *run.finish(), *run.compute())
    return Usage(tuple(step for step in steps if step.count), packing, timing)


class _Run:
    """The steps of a run, in their order."""

    def __init__(
        self,
        task: Task,
        packing: Packing,
        failures: Failures,
        timing: Timing,
        *,
        returns: bool,
        given: bool,
        result_bytes: int,
    ) -> None:
        self._task, self._packing, self._failures, self._timing = task, packing, failures, timing
        self._returns, self._given = returns, given
        self._kept_bytes = 1 + packing.per_chunk * (result_bytes + len(f'"{packing.items}":,'))
        self._chunks = packing.chunks
        self._said = f"{packing.chunks:,} chunks"
        self._trees = [chunks for chunks in packing.spread or (packing.chunks,) if chunks]
        self._leaves = sum(map(leaves, self._trees))
        self._partial = sum(len(list(partial(chunks))) for chunks in self._trees)
        self._parts = len(packing.spread)
        self._ends_well = failures.end_well(task, packing.items)

    # -- the dispatcher ------------------------------------------------------------------------------------

    def open(self) -> Iterator[Step]:
        """Open the run, once, whoever else tries."""
        yield read("is the task paused, is the run known", "2 records", 2)
        yield write("join the task's active runs", "1", 1)
        yield put("the run's record", "1", 1)
        yield Step("tell that it has started", "1", 1, "events", "events", "PutEvents", DISPATCHER)

    def send(self) -> Iterator[Step]:
        """Expand, pack, send, seal."""
        packing, timing = self._packing, self._timing
        yield from expanding(self._task, packing, hand_overs=timing.hand_overs, given=self._given)
        if packing.spools:
            how = f"{packing.spools:,} objects of 8 MiB"
            yield Step("spool the items", how, packing.spools, "s3_puts", "s3", "PutObject", DISPATCHER)
        if packing.stored:
            how = f"{packing.stored:,} chunks above 1 MiB"
            yield Step("keep large chunks", how, packing.stored, "s3_puts", "s3", "PutObject", DISPATCHER)
        how = f"{self._said} / 10 a call" if packing.calls * 10 >= self._chunks else f"{self._said}, 1 MiB a call"
        yield Step(
            *("send the chunks", how, packing.calls, "sqs_requests", "sqs", "SendMessageBatch", DISPATCHER),
            units=packing.sent_units,
            units_how=f"{packing.calls:,} calls, {packing.sent_bytes:,} bytes, each 64 KiB of a call",
        )
        saves = sum(map(saves_of, packing.part_calls or (packing.calls,)))
        how = f"{saves:,} in {packing.calls:,} calls: after 2, 4, 6, 9, ..., every 100; {timing.saves} after 10 s"
        yield write("save the cursor", how, saves + timing.saves)
        if self._parts:
            yield read("does the run go on", "at each save", saves + timing.saves)
        yield write("seal the run", "1", 1)
        if timing.hand_overs:
            yield write("hand over and take up", f"2 x {timing.hand_overs}", 2 * timing.hand_overs)
            how = f"{timing.hand_overs}"
            yield Step("hand over", how, timing.hand_overs, "", "lambda", "Invoke", DISPATCHER)

    def count(self) -> Iterator[Step]:
        """The counting tree: what sealing writes, what settling writes, what climbs."""
        if not self._chunks:
            return
        nodes = sum(_nodes(leaves(chunks)) for chunks in self._trees)
        how = f"{self._partial} nodes that aren't full at 256"
        yield write("tell the tree its size", how, self._partial)
        yield replace(write("settle each chunk, once", self._said, self._chunks), by=WORKER)
        roots = len(self._trees)
        full = (_root_children(chunks, leaves(chunks)) == 256 for chunks in self._trees)  # noqa: PLR2004
        more = sum(full) if self._timing.seal_last else 0
        how = f"{nodes} nodes - {roots}" + (f" + {more}" if more else "")
        yield replace(write("count full nodes into those above", how, nodes - roots + more), by=WORKER)

    # -- the workers ---------------------------------------------------------------------------------------

    def work(self) -> Iterator[Step]:
        """Take the messages, do the items, keep results."""
        packing, timing, task = self._packing, self._timing, self._task
        deliveries = self._chunks + self._failures.again
        again = f" + {self._failures.again:,} again" if self._failures.again else ""
        average = packing.received_units / max(1, self._chunks)
        yield Step(
            *("receive the messages", f"({self._said}{again}) / {task.batch_size} a batch", timing.receives),
            *("sqs_requests", "sqs", "ReceiveMessage", POLLER),
            units=_received(packing, timing, deliveries, average, task.batch_size),
            units_how=f"{timing.receives:,} receives, each 64 KiB of one",
        )
        yield Step(
            *("delete the messages", f"{self._said} / {task.batch_size} a batch", timing.deletes),
            *("sqs_requests", "sqs", "DeleteMessageBatch", POLLER),
        )
        reads = f"{timing.environments} environments, one each 5 s"
        yield replace(read("does the run go on", reads, timing.head_reads), by=WORKER)
        if packing.worker_reads:
            gets = deliveries if packing.way != INLINE else packing.stored + self._failures.again
            yield Step("read the items", f"{self._said}{again}", gets, "s3_gets", "s3", "GetObject", WORKER)
        if task.keeps_results:
            yield self._keep()
        if task.idempotent_by:
            how = f"{packing.items:,} items"
            yield replace(put("Powertools: an item begins", how, packing.items), by=WORKER)
            yield replace(write("Powertools: an item is done", how, packing.items), by=WORKER)
        yield Step("tell the dispatcher to finish", "1", 1, "", "lambda", "Invoke", WORKER)

    def _keep(self) -> Step:
        """The results of a chunk go into the ledger, or into S3 if they are large."""
        size = self._kept_bytes
        if size > KEPT_BYTES:
            how = f"{self._said}, {size:,} bytes each"
            return Step("keep the results", how, self._chunks, "s3_puts", "s3", "PutObject", WORKER)
        each = units(size + _BYTES_AROUND_RESULTS, WRITE_UNIT)
        kept = replace(put("keep the results", self._said, self._chunks), by=WORKER)
        return replace(kept, units=self._chunks * each, units_how=f"{self._said} x {each} KB")

    def _read_back(self) -> Iterator[Step]:
        yield read("read the results", self._said, self._chunks)
        if self._kept_bytes > KEPT_BYTES:
            yield Step("read the large ones", self._said, self._chunks, "s3_gets", "s3", "GetObject", DISPATCHER)

    def retry(self) -> Iterator[Step]:
        """What failed items add: nothing on the happy path."""
        failures, task = self._failures, self._task
        chunks, again = f"{failures.chunks:,} chunks", f"{failures.again:,} deliveries again"
        if not failures.chunks:
            return
        how = f"{chunks} + 2 x {again}"
        yield replace(put("record how far they came", how, failures.chunks + 2 * failures.again), by=WORKER)
        if failures.again:
            yield replace(read("what was done before", f"2 x {again}", 2 * failures.again), by=WORKER)
            wait = ("sqs_requests", "sqs", "ChangeMessageVisibility", WORKER)
            yield Step("wait before the next try", again, failures.again, *wait)
        if failures.letters:
            size = units(self._packing.item_bytes + _BYTES_OF_LETTER, WRITE_UNIT)
            letter = replace(put("dead letters", f"{failures.letters:,}", failures.letters), by=WORKER)
            how = f"{failures.letters:,} x {size} KB"
            yield replace(letter, units=failures.letters * size, units_how=how)
        if failures.parts and task.keeps_results:
            how = f"{failures.parts:,} passes"
            yield Step("keep results of passes", how, failures.parts, "s3_puts", "s3", "PutObject", WORKER)
            yield Step("gather them", how, failures.parts, "s3_gets", "s3", "GetObject", WORKER)
        if failures.reports:
            how = f"{failures.reports:,} chunks with dead letters"
            yield replace(write("watch what is tolerated", how, failures.reports), by=WORKER)

    # -- the end -------------------------------------------------------------------------------------------

    def finish(self) -> Iterator[Step]:
        """Fan in, announce, close, make room for the next run."""
        task = self._task
        both = task.combiner is not None and self._ends_well and self._leaves > _ALONE
        looks = (1 + (self._chunks > 0)) * (2 if both else 1)
        yield read("is the run complete", f"{looks}", looks)
        yield write("begin, decide, close", "3", 3)
        if both:
            yield from self._combine()
        elif task.keeps_results and self._ends_well and (task.fan_in is not None or task.combiner is not None):
            yield read("which chunks were settled", f"{self._leaves} leaves of the tree", self._leaves)
            yield from self._read_back()
        if self._returns and self._ends_well and (task.fan_in is not None or task.combiner is not None):
            yield Step("keep the run's result", "1", 1, "s3_puts", "s3", "PutObject", DISPATCHER)
        yield Step("tell how it has ended", "1", 1, "events", "events", "PutEvents", DISPATCHER)
        yield write("leave the active runs", "1", 1)
        if task.active_limit is not None:
            yield read("does a run wait", "1", 1)

    def _combine(self) -> Iterator[Step]:
        found, size = self._leaves, len(list(partial(self._leaves)))
        again = leaves(found)
        yield write("a tree over the leaves", f"{size} nodes, twice", 2 * size)
        yield read("which leaves are combined", f"{again}", again)
        yield Step("give the leaves out", f"{found:,}", found, "", "lambda", "Invoke", DISPATCHER)
        yield read("the run and its leaf", f"2 x {found:,}", 2 * found)
        yield from self._read_back()
        yield Step("keep what was combined", f"{found:,}", found, "s3_puts", "s3", "PutObject", DISPATCHER)
        nodes = _nodes(again) - 1
        yield write("count the leaves", f"{found:,} + {nodes} nodes", found + nodes)
        yield Step("tell to finish", "1", 1, "", "lambda", "Invoke", DISPATCHER)
        yield Step("read what was combined", f"{found:,}", found, "s3_gets", "s3", "GetObject", DISPATCHER)

    def compute(self) -> Iterator[Step]:
        """Invocations, seconds and log lines of our functions."""
        task, timing = self._task, self._timing
        combines = task.combiner is not None and self._leaves > _ALONE and self._ends_well
        starts = 2 + self._parts + timing.hand_overs + (1 + self._leaves if combines else 0)
        begin = f"1 to divide, {self._parts} to expand" if self._parts else "1 to expand"
        how = f"{begin}, 1 to finish" + (f", 1 + {self._leaves:,} leaves to combine" if combines else "")
        how += f" + {timing.hand_overs} handed over" if timing.hand_overs else ""
        yield Step("dispatcher", how, starts, "lambda_requests", by=DISPATCHER)
        workers = timing.worker_invocations
        deliveries = self._chunks + self._failures.again
        how = f"{deliveries:,} deliveries / {task.batch_size} a batch"
        yield Step("worker", how, workers, "lambda_requests", by=WORKER)
        for name, seconds, memory in (
            (DISPATCHER, timing.dispatcher_s, task.dispatcher_memory_mib),
            (WORKER, timing.worker_s, task.memory_mib),
        ):
            how = f"{seconds:,.1f} s x {memory:,} MiB / 1,024"
            yield Step(name, how, seconds * memory / 1024, "lambda_gb_s", by=name)
        if task.snap_start:
            how = f"{timing.environments:,} environments x {task.memory_mib:,} MiB / 1,024"
            restored = timing.environments * task.memory_mib / 1024
            yield Step("worker restored from its snapshot", how, restored, "snap_start_restored_gb", by=WORKER)
        logged = workers * LOG_BYTES_PER_INVOCATION + deliveries * LOG_BYTES_PER_CHUNK + starts * 2000
        how = f"{workers:,} invocations x {LOG_BYTES_PER_INVOCATION} + {deliveries:,} chunks x {LOG_BYTES_PER_CHUNK}"
        yield Step("log lines", f"{how} + {starts} x 2,000 bytes", logged, "log_bytes")


def _nodes(count: int) -> int:
    """The nodes of a tree of so many leaves."""
    found = count
    while count > 1:
        count = -(-count // 256)
        found += count
    return found


def _root_children(chunks: int, count: int) -> int:
    if count == 1:
        return chunks
    while count > 256:  # noqa: PLR2004
        count = -(-count // 256)
    return count


def _received(packing: Packing, timing: Timing, deliveries: int, average: float, batch_size: int) -> float:
    """What SQS bills for receiving; several small messages in one receive share its 64 KiB."""
    if batch_size == 1:
        return round(deliveries * average)
    a_receive = packing.sent_bytes / max(1, packing.chunks) * deliveries / max(1, timing.receives)
    return timing.receives * units(a_receive, 64 * 1024)
