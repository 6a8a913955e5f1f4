"""The dead-letter consumer: no run hangs on a message that SQS gave up.

A chunk that was never attempted (every delivery was throttled), or that got on since it was last sent, is sent again;
one that stands still is settled as failed, so that its run ends with exact counts.
"""

from dataclasses import replace

from drumbeat.chunk import Chunk, parse, sent_again
from drumbeat.discovery import discover
from drumbeat.errors import MalformedMessage, NewerMessage, WorkerDied
from drumbeat.ledger import count, progress
from drumbeat.ledger.progress import Progress
from drumbeat.ledger.record import RUNNING, RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.limits import SQS_DELAY_S
from drumbeat.reference import Lines

from .batch import Message
from .invoke import invoke
from .lines import check_reference, is_own
from .load import load_what_there_is
from .observability import count as metric
from .observability import logger
from .services import Services
from .settle import bury, drop, expiry, finish_event, left_of_swept, reject, settle

ROUNDS = 2
"""How often a chunk that stands still is sent again."""
ROUNDS_UNATTEMPTED = 20
"""How often a chunk that no worker has begun is sent again: with the delays, for hours."""
_DELAY_S = 60


class DeadLetters:
    """Takes the messages of the lanes' dead-letter queue."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._runs = Runs(services.table)

    def take(self, record: Message) -> None:
        """Send a chunk again or settle it; afterwards the message may go."""
        try:
            chunk = parse(record.body, bucket=self._services.settings.bucket)
            self._check(chunk)
        except NewerMessage as newer:
            metric("NewerMessages")
            logger.warning("message of a later release", problem=str(newer))
            raise  # it stays for fourteen days
        except MalformedMessage as problem:
            reject(record.body, record.id, problem, self._services)
            return
        logger.append_keys(run=chunk.run.id, chunk=chunk.number)
        run = self._runs.get(chunk.run)
        if run is not None and run.state == RUNNING and run.round == chunk.round:
            self._settle(chunk, record, run)
            return
        logger.info("dead letter of a run that has ended")
        if run is not None:
            self._keep(chunk, run, halt=run.halted(chunk.round), token=record.id)

    def _settle(self, chunk: Chunk, record: Message, run: RunRecord) -> None:
        expires_at = expiry(self._services.now())
        end = count.settled(self._services.table, chunk.tree, chunk.number, expires_at=expires_at)
        if end is None:
            state = progress.read(self._services.table, chunk.tree, chunk.number)
            if not state.final and run.halt:
                state = self._drop(chunk, state, run, token=record.id)
            if not state.final and state.rounds < (ROUNDS if state.was_attempted else ROUNDS_UNATTEMPTED):
                self._send_again(chunk, record.body, run, state, token=record.id)
                return
            if not state.final:
                state = self._give_up(chunk, state, token=record.id)
            end = settle(chunk, state, self._services, keeps_results=run.keeps_results)
        if end.before == "gone":
            self._keep(chunk, run, halt=run.halt, token=record.id)
        if end.run_totals is not None:
            invoke(self._services, run.dispatcher, finish_event(chunk))

    def _check(self, chunk: Chunk) -> None:
        """Refuse what the worker would: the keeper may read every task's files, and a forged message mustn't."""
        if not isinstance(chunk.reference, Lines) or is_own(chunk.reference, chunk):
            return
        task = discover(self._services.settings.handlers).get(chunk.run.task)
        if task is None:
            raise MalformedMessage("the reference is neither to the run's own files nor to a task's source")
        check_reference(chunk, task)

    def _send_again(self, chunk: Chunk, body: str, run: RunRecord, state: Progress, *, token: str) -> None:
        following = replace(state, rounds=state.rounds + 1)
        self._write(chunk, following, token)
        delay = min(SQS_DELAY_S, _DELAY_S * 2**state.rounds)
        self._services.sqs.send_message(QueueUrl=run.queue_url, MessageBody=sent_again(body), DelaySeconds=delay)
        metric("ChunksSentAgain", task=run.task)
        logger.warning("chunk sent again", round=following.rounds, attempted=state.was_attempted, delay_s=delay)

    def _give_up(self, chunk: Chunk, state: Progress, *, token: str) -> Progress:
        items = load_what_there_is(chunk, self._services)
        pending = state.left(chunk.count)
        error = WorkerDied(
            "the worker died (out of memory, timeout) again and again with this item's chunk"
            if state.was_attempted
            else "no worker began with this item's chunk; is the function throttled or broken?"
        )
        for index, attempts in pending.items():
            bury(chunk, self._services, item=items[index], error=error, attempts=attempts, token=token)
        after = replace(
            state, pending={}, due={}, failed=state.failed + len(pending), final=True, passes=(*state.passes, token)
        )
        logger.error("chunk given up", items=len(pending), attempted=state.was_attempted)
        return self._write(chunk, after, token)

    def _keep(self, chunk: Chunk, run: RunRecord, *, halt: str, token: str) -> None:
        """Keep, for a redrive, what is left of a chunk that was swept when its run was halted."""
        state = left_of_swept(self._services, chunk) if halt else None
        if state is not None:
            self._drop(chunk, state, replace(run, halt=halt), token=token)

    def _drop(self, chunk: Chunk, state: Progress, run: RunRecord, *, token: str) -> Progress:
        items = load_what_there_is(chunk, self._services)
        return self._write(chunk, drop(chunk, state, items, self._services, halt=run.halt, token=token), token)

    def _write(self, chunk: Chunk, state: Progress, token: str) -> Progress:
        expires_at = expiry(self._services.now())
        return progress.write(self._services.table, chunk.tree, chunk.number, state, token=token, expires_at=expires_at)
