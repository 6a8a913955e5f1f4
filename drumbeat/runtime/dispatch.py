"""The dispatcher: open a run when its task fires, expand it, hand over when time is short, finish it at its end."""

import json
from collections.abc import Callable
from typing import Any

from drumbeat.errors import ExpandFailed, Fenced, MalformedFire
from drumbeat.ledger import count
from drumbeat.ledger.runs import RUNNING, SKIPPED, Plan, RunRecord, Runs
from drumbeat.run import Run
from drumbeat.signal import Finish, Fire, Resume, parse_signal
from drumbeat.task import Task

from .expand import Expansion, OutOfTime
from .finish import Finisher
from .observability import count as metric
from .observability import frames, logger
from .services import Services


class Dispatcher:
    """Answers the events of one task's dispatcher function."""

    def __init__(self, task: Task, services: Services) -> None:
        self._task = task
        self._services = services
        self._runs = Runs(services.table)

    def __call__(self, event: Any, context: Any) -> None:
        """Do what the event asks for; whatever is raised makes Lambda try the event again, then keep it."""
        try:
            signal = parse_signal(event, task=self._task.name, bucket=self._services.settings.bucket)
        except MalformedFire as error:
            metric("MalformedFires")
            logger.error("malformed fire", problem=str(error))
            raise
        logger.append_keys(run=signal.run.id)
        owner = context.aws_request_id

        def left_s() -> float:
            return float(context.get_remaining_time_in_millis()) / 1000

        match signal:
            case Fire():
                self._expand(self._open(signal, owner), left_s)
            case Resume(run, epoch):
                self._expand(self._runs.claim(run, epoch=epoch, owner=owner), left_s)
            case Finish(run):
                Finisher(self._task, run, self._services).finish(owner)

    def _open(self, fire: Fire, owner: str) -> RunRecord | None:
        settings = self._services.settings
        plan = Plan(
            queue_url=settings.queue_url,
            dispatcher=settings.dispatcher,
            keeps_results=self._task.fan_in is not None,
            items_key=fire.items_key,
        )
        overlap, now = self._task.overlap, self._services.now()
        record = self._runs.open(fire.run, owner=owner, overlap=overlap, plan=plan, now=now)
        if record is None:
            logger.info("this fire has been had already")
        elif record.state == SKIPPED:
            metric("RunsSkipped")
            logger.warning("run skipped", reason=record.reason)
        return record

    def _expand(self, record: RunRecord | None, left_s: Callable[[], float]) -> None:
        if record is None or record.state != RUNNING:
            return
        if not record.sealed:
            record = self._send(record, left_s)
        if record is not None and self._is_complete(record):
            invoke(self._services, record.dispatcher, Finish(Run.parse(record.id)).event())

    def _send(self, record: RunRecord, left_s: Callable[[], float]) -> RunRecord | None:
        """Send what there is to send; the sealed record, or None if it is another invocation's turn."""
        expansion = Expansion(self._task, record, self._services, left_s)
        try:
            sealed = expansion.send()
        except OutOfTime:
            self._hand_over(expansion.record, progressed=expansion.record.chunks > record.chunks)
        except Fenced as error:
            logger.warning("fenced", problem=str(error))
        except ExpandFailed as error:
            self._runs.count_try(expansion.record)
            logger.error(
                "expand failed", error=type(error.__cause__ or error).__name__, frames=frames(error.__cause__ or error)
            )
            raise
        else:
            metric("ChunksSent", sealed.chunks)
            logger.info("run sealed", chunks=sealed.chunks, items=sealed.items)
            return sealed
        return None

    def _hand_over(self, record: RunRecord, *, progressed: bool) -> None:
        if not progressed:
            record = self._runs.stop_at(
                record,
                items=record.items,
                reason=f"task {self._task.name!r}: expand needs more than one invocation "
                f"({self._task.dispatcher_timeout_s} s) to get past item {record.items}; yield items sooner, or let it "
                "take `skip`, the number of items to leave out",
            )
        record = self._runs.hand_over(record)
        invoke(self._services, record.dispatcher, Resume(Run.parse(record.id), record.epoch).event())
        logger.info("handed over", chunks=record.chunks, items=record.items)

    def _is_complete(self, record: RunRecord) -> bool:
        if record.chunks == 0:
            return True
        return count.seal(self._services.table, record.id, record.chunks, expires_at=record.expires_at) is not None


def invoke(services: Services, function: str, event: dict[str, Any]) -> None:
    """Invoke a dispatcher asynchronously."""
    services.functions.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())
