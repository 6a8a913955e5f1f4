"""The worker: take the messages of a batch one by one, and report back those that must come again."""

from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from drumbeat.chunk import Chunk, parse
from drumbeat.errors import DrumbeatError, Fenced, MalformedMessage
from drumbeat.retry import Backoff
from drumbeat.task import Task, Work

from .dispatch import invoke
from .observability import count as metric
from .observability import frames, logger
from .passes import Pass
from .services import Services
from .settle import finish_event, reject

_OUTAGE = Backoff(first_s=5, cap_s=900)


class Unfinished(DrumbeatError):
    """The chunk must come back; its message stays in the queue."""


class Worker:
    """Answers the batches of one task's queue."""

    def __init__(self, task: Task, services: Services) -> None:
        self._task = task
        self._services = services
        self._processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)

    def __call__(self, event: dict[str, Any], context: Any) -> Any:
        """Do each message's chunk; the answer names the messages that SQS should keep."""
        take = partial(self._take, work=self._work(context), context=context)
        return process_partial_response(event, take, self._processor, context)

    def _take(self, record: SQSRecord, *, work: Work, context: Any) -> None:
        try:
            chunk = parse(record.body, bucket=self._services.settings.bucket)
            if chunk.run.task != self._task.name:
                raise MalformedMessage(f"a chunk of task {chunk.run.task!r} in the queue of {self._task.name!r}")
        except MalformedMessage as problem:
            reject(record.body, record.message_id, problem, self._services)
            return
        receive = int(record.attributes.approximate_receive_count)
        logger.append_keys(run=chunk.run.id, chunk=chunk.number, attempt=receive)
        turn = Pass(
            self._task,
            chunk,
            self._services,
            work=work,
            receive=receive,
            token=f"{context.aws_request_id}.{receive}",
            left_s=lambda: float(context.get_remaining_time_in_millis()) / 1000,
        )
        self._settle(turn, chunk, record, receive)

    def _settle(self, turn: Pass, chunk: Chunk, record: SQSRecord, receive: int) -> None:
        try:
            end = turn.go()
        except Fenced as error:
            logger.warning("fenced", problem=str(error))
            raise
        except Exception as error:
            logger.error("chunk not settled", error=type(error).__name__, frames=frames(error))
            self._come_back(record, _OUTAGE.delay_s(receive, draw=self._services.draw()))
            raise
        if isinstance(end, float | int):
            metric("ChunksRetried")
            self._come_back(record, end)
            raise Unfinished
        if end.run_totals is not None:
            invoke(self._services, self._services.settings.dispatcher, finish_event(chunk))

    def _come_back(self, record: SQSRecord, delay_s: float) -> None:
        """Make the message visible after the delay instead of the queue's whole visibility timeout."""
        self._services.sqs.change_message_visibility(
            QueueUrl=self._services.settings.queue_url,
            ReceiptHandle=record.receipt_handle,
            VisibilityTimeout=round(delay_s),
        )

    def _work(self, context: Any) -> Work:
        if not self._task.idempotent_by:
            return self._task.worker
        from .once import once  # noqa: PLC0415  (only where a task asks for it: it costs init time)

        return once(self._task, self._services, context)
