"""The worker: take the messages of a batch one by one, and report back those that must come again."""

from collections import deque
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import Any, NoReturn

from drumbeat.chunk import Chunk, parse
from drumbeat.errors import DrumbeatError, Fenced, MalformedMessage, NewerMessage
from drumbeat.ledger import failures
from drumbeat.ledger.count import Settled, Totals
from drumbeat.ledger.record import TOLERANCE, RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.limits import LAMBDA_TIMEOUT_S, SQS_VISIBILITY_S
from drumbeat.retry import Backoff
from drumbeat.task import Task, Work

from . import tolerance
from .batch import Message, take_each
from .gate import Allowed, Slowest
from .head import Heads
from .invoke import invoke
from .lines import check_reference
from .observability import count as metric
from .observability import frames, logger
from .passes import Pass, Turn
from .services import Services
from .settle import finish_event, reject

_OUTAGE = Backoff(first_s=5, cap_s=900)
_LONGEST_S = SQS_VISIBILITY_S - LAMBDA_TIMEOUT_S  # SQS counts its limit from when the message was received
_FINISHED = 64  # runs that an environment remembers to have told the end of
_YIELD = Backoff(first_s=60, cap_s=60)  # how soon a backfill looks again whether it may go on


class Unfinished(DrumbeatError):
    """The chunk must come back; its message stays in the queue."""


@dataclass
class _Invocation:
    """What the chunks of one invocation share; `at_s` is what was left of it when the last lap ended."""

    context: Any
    work: Work
    slowest: Slowest
    at_s: float

    def left_s(self) -> float:
        """Seconds until it is killed."""
        return float(self.context.get_remaining_time_in_millis()) / 1000

    def lap_ms(self) -> int:
        """Milliseconds since the last call, or since the invocation began: what a chunk took, its reading included."""
        before, self.at_s = self.at_s, min(self.at_s, self.left_s())
        return round((before - self.at_s) * 1000)


class Worker:
    """Answers the batches of one task's queue."""

    def __init__(self, task: Task, services: Services) -> None:
        self._task = task
        self._services = services
        self._heads = Heads(task, services)
        self._finished: deque[str] = deque(maxlen=_FINISHED)
        self._budget = self._allowance()

    def __call__(self, event: dict[str, Any], context: Any) -> Any:
        """Do each message's chunk; the answer names the messages that SQS should keep."""
        invocation = _Invocation(context, self._work(context), Slowest(), float(self._task.timeout_s))
        take = partial(self._take, invocation=invocation)
        return take_each(event, take)

    def _take(self, record: Message, *, invocation: _Invocation) -> None:
        try:
            chunk = parse(record.body, bucket=self._services.settings.bucket)
            if chunk.run.task != self._task.name:
                raise MalformedMessage(f"a chunk of task {chunk.run.task!r} in the queue of {self._task.name!r}")
            check_reference(chunk, self._task)
        except NewerMessage as newer:
            self._leave(record, newer)
        except MalformedMessage as problem:
            reject(record.body, record.id, problem, self._services)
            return
        receive = record.receive
        logger.append_keys(run=chunk.run.id, chunk=chunk.number, attempt=receive)
        turn = Turn(
            receive=receive,
            token=f"{invocation.context.aws_request_id}.{receive}",
            left_s=invocation.left_s,
            slowest=invocation.slowest,
            lap_ms=invocation.lap_ms,
        )
        self._settle(chunk, record, turn, invocation.work)

    def _leave(self, record: Message, newer: NewerMessage) -> NoReturn:
        """Leave a message to the workers of the release that has written it, or at last to its keeper."""
        metric("NewerMessages")
        logger.warning("message of a later release", problem=str(newer))
        self._come_back(record, _OUTAGE.delay_s(record.receive, draw=self._services.draw()))
        raise Unfinished

    def _settle(self, chunk: Chunk, record: Message, turn: Turn, work: Work) -> None:
        try:
            end = self._go(chunk, turn, work)
        except Fenced as error:
            logger.warning("fenced", problem=str(error))
            raise
        except Exception as error:
            logger.error("chunk not settled", error=type(error).__name__, frames=frames(error))
            self._come_back(record, _OUTAGE.delay_s(turn.receive, draw=self._services.draw()))
            raise
        if isinstance(end, float | int):
            metric("ChunksRetried")
            self._come_back(record, end)
            raise Unfinished
        if end is not None and end.run_totals is not None:
            self._finish(chunk)

    def _finish(self, chunk: Chunk) -> None:
        """Tell the dispatcher that a run is full: once, however many of its messages come again before its end."""
        if chunk.tree not in self._finished:
            invoke(self._services, self._services.settings.dispatcher, finish_event(chunk))
            self._finished.append(chunk.tree)

    def _go(self, chunk: Chunk, turn: Turn, work: Work) -> Settled | float | None:
        """What became of the chunk; None if there is nothing to do with it any more."""
        head = self._heads.of(chunk)
        if head is None:
            logger.info("chunk of a run that isn't running")
            metric("ChunksStale")
            if (halted := self._heads.of_halted(chunk)) is not None:
                self._pass(chunk, halted, turn, work).keep()
            return None
        if self._heads.must_yield(head):
            return _YIELD.delay_s(1, draw=self._services.draw())
        end = self._pass(chunk, head, turn, work).go()
        if isinstance(end, Settled) and end.leaf is not None and end.leaf_totals is not None:
            new = end.totals.failed if end.accepted and end.totals is not None else end.leaf_totals.failed
            leaf = f"{end.leaf.index}" if chunk.part is None else f"{chunk.part}_{end.leaf.index}"
            self._watch_tolerance(head, leaf, end.leaf_totals, new, is_full=end.leaf_is_full)
        return end

    def _pass(self, chunk: Chunk, head: RunRecord, turn: Turn, work: Work) -> Pass:
        return Pass(
            self._task, chunk, self._services, work=work, turn=turn, head=head, heads=self._heads, budget=self._budget
        )

    def _watch_tolerance(self, head: RunRecord, leaf: str, counted: Totals, new: int, *, is_full: bool) -> None:
        """Halt a run that has more failures than it tolerates."""
        allowed = tolerance.allowed(self._task, head)
        if allowed is None or not counted.failed or head.halt or head.round:
            return
        table, expires_at = self._services.table, head.expires_at
        if failures.report(
            table,
            head.tree,
            leaf,
            counted.failed,
            new=new,
            tolerated=allowed,
            expires_at=expires_at,
            is_full=is_full,
        ):
            run = head.run()
            reason = f"{allowed + 1} or more items failed; {tolerance.said(self._task)}"
            Runs(table).halt(run, kind=TOLERANCE, reason=reason, now=self._services.now())
            self._heads.forget(run)
            metric("RunsStoppedEarly")
            logger.warning("more failures than are tolerated")

    def _come_back(self, record: Message, delay_s: float) -> None:
        """Make the message visible after the delay instead of the queue's whole visibility timeout."""
        settings = self._services.settings
        self._services.sqs.change_message_visibility(
            QueueUrl=next(
                (url for url in (settings.backfill_url,) if url.endswith(f"/{record.queue}")), settings.queue_url
            ),
            ReceiptHandle=record.receipt_handle,
            VisibilityTimeout=min(ceil(delay_s), _LONGEST_S),
        )

    def _allowance(self) -> Allowed | None:
        if not self._task.budgets:
            return None
        from .budget import Allowance  # noqa: PLC0415  (only where a task asks for it: it costs init time)

        return Allowance(self._task.budgets, self._services)

    def _work(self, context: Any) -> Work:
        if not self._task.idempotent_by:
            return self._task.worker
        from .once import once  # noqa: PLC0415  (only where a task asks for it: it costs init time)

        return once(self._task, self._services, context)
