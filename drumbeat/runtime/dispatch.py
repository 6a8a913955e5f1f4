"""The dispatcher: open a run when its task fires, expand it, hand over when time is short, finish it at its end."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from drumbeat.errors import ExpandFailed, Fenced, MalformedFire
from drumbeat.ledger import count, parts, pause
from drumbeat.ledger.record import ABANDON, MISSED, RUNNING, SKIPPED, WAITING, Plan, RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.packing import chunk_size_of
from drumbeat.run import BACKFILL, Run
from drumbeat.signal import Combine, Finish, Fire, Follow, Resume, Sweep, parse_signal
from drumbeat.task import Task

from .announce import announce
from .chain import follow
from .combine import Combiner
from .depart import active_runs, cancel_others, promote
from .divide import plan_of, start
from .expand import Expansion, OutOfTime
from .finish import Finisher
from .invoke import invoke
from .observability import count as metric
from .observability import frames, logger
from .services import Services
from .sweep import sweep

HAND_OVERS = 1000
"""Ours: Lambda's own detector of recursion is off for our functions, whose chains are long and legal."""


class Dispatcher:
    """Answers the events of one task's dispatcher function."""

    def __init__(self, task: Task, services: Services) -> None:
        self._task = task
        self._services = services
        self._runs = Runs(services.table)

    def __call__(self, event: Any, context: Any) -> None:
        """Do what the event asks for; whatever is raised makes Lambda try the event again, then keep it."""
        try:
            signal = parse_signal(
                event,
                task=self._task.name,
                bucket=self._services.settings.bucket,
                takes_events=self._task.on is not None,
            )
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
                self._expand(self._open(signal, owner), owner, left_s)
            case Follow(run):
                fire = follow(self._services, self._task, run)
                self._expand(self._open(fire, owner) if fire else None, owner, left_s)
            case Resume(run, epoch, part):
                expand = self._expand if part is None else self._expand_part
                expand(self._runs.claim(run, epoch=epoch, owner=owner, part=part), owner, left_s)
            case Finish(run):
                Finisher(self._task, run, self._services).finish(owner)
            case Combine(run, leaf):
                record = self._runs.get(run)
                if record is not None and record.state == RUNNING and not record.verdict:
                    Combiner(self._services, self._task, record).combine_leaf(leaf)
            case Sweep(run):
                self._sweep(self._runs.get(run), owner)

    def _open(self, fire: Fire, owner: str) -> RunRecord | None:
        if self._is_paused(fire):
            return None
        settings, now = self._services.settings, self._services.now()
        plan = Plan(
            queue_url=settings.backfill_url if fire.lane == BACKFILL else settings.queue_url,
            dispatcher=settings.dispatcher,
            keeps_results=self._task.keeps_results,
            items_key=fire.items_key,
            chunk_bytes=self._task.chunk_bytes,
        )
        record = self._runs.open(
            fire,
            owner=owner,
            active=active_runs(self._services, self._task),
            overlap=self._task.overlap,
            plan=plan,
            now=now,
            deadline=self._task.deadline,
            chunk_size=partial(chunk_size_of, self._task),
        )
        if record is None:
            logger.info("this fire has been had already")
        elif record.state == SKIPPED:
            metric("RunsSkipped")
            logger.warning("run skipped", reason=record.reason)
            announce(self._services, record)
        elif record.state == WAITING:
            logger.info("run waits", for_=record.blocked_by)
            announce(self._services, record)
            if self._task.overlap == "cancel_other" and not fire.catch_up:
                cancel_others(self._services, self._task, fire.run)
            promote(self._services, self._task)
        return record

    def _is_paused(self, fire: Fire) -> bool:
        """Whether the task is paused; then the fire is recorded as missed, so that it isn't forgotten."""
        if fire.by_hand or fire.lane == BACKFILL or not pause.is_paused(self._services.table, self._task.name):
            return False
        if self._runs.note(fire.run, MISSED, reason="the task was paused", now=self._services.now()):
            metric("FiresPaused")
            logger.warning("the task is paused")
            missed = self._runs.get(fire.run)
            if missed is not None and missed.state == MISSED:
                announce(self._services, missed)
        return True

    def _expand(self, record: RunRecord | None, owner: str, left_s: Callable[[], float]) -> None:
        if record is None or record.state != RUNNING:
            return
        if not record.sealed and not record.chunks:
            if not record.parts:
                announce(self._services, record)
                record = self._divide(record)
            if record.parts:
                start(self._services, record)
                return
        sent = record if record.sealed else self._send(record, left_s)
        if sent is not None:
            self._go_on(sent, sent, owner)

    def _divide(self, record: RunRecord) -> RunRecord:
        """Fix in how many parts a run is expanded, if it is worth it."""
        plan = plan_of(self._task, record.run(self._services.settings.bucket), record, self._services)
        if not plan:
            return record
        divided = self._runs.divide(record, plan=plan)
        logger.info("run divided", parts=divided.parts)
        return divided

    def _expand_part(self, part: RunRecord | None, owner: str, left_s: Callable[[], float]) -> None:
        """Expand one part of a run; whoever seals the last one seals the run, before the last chunk can be counted."""
        run = self._runs.get(Run.parse(part.id)) if part is not None else None
        if part is None or run is None or run.state != RUNNING or run.round:
            return
        sent = part if part.sealed else self._send(replace(part, halt=run.halt), left_s)
        if sent is not None:
            self._go_on(sent, parts.seal(self._services.table, run) or run, owner)

    def _go_on(self, sealed: RunRecord, run: RunRecord, owner: str) -> None:
        """What comes after a run, or a part of it, is sealed: maybe the run's end."""
        table, expires_at = self._services.table, sealed.expires_at
        if count.seal(table, *sealed.top, expires_at=expires_at) is not None:
            invoke(self._services, run.dispatcher, Finish(Run.parse(run.id)).event())
        elif run.halt == ABANDON:
            self._sweep(run, owner)

    def _sweep(self, record: RunRecord | None, owner: str) -> None:
        """End a halted run without waiting for its messages; one that is still expanded is swept when it is sealed."""
        if record is None or record.state != RUNNING or not record.halt or not record.sealed:
            return
        if record.chunks == 0 or sweep(self._services, self._task, record, owner=owner):
            Finisher(self._task, Run.parse(record.id, bucket=self._services.settings.bucket), self._services).finish(
                owner
            )

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
            if sealed.chunks:
                metric("ChunksSent", sealed.chunks)
            logger.info("run sealed", chunks=sealed.chunks, items=sealed.items)
            return sealed
        return None

    def _hand_over(self, record: RunRecord, *, progressed: bool) -> None:
        if record.epoch >= HAND_OVERS:
            record = self._runs.stop_at(
                record,
                items=record.next_item,
                reason=f"task {self._task.name!r}: expand isn't through after {HAND_OVERS:,} invocations; yield items "
                "sooner, or divide the run by parameters",
            )
        elif not progressed:
            record = self._runs.stop_at(
                record,
                items=record.next_item,
                reason=f"task {self._task.name!r}: expand needs more than one invocation "
                f"({self._task.dispatcher_timeout_s} s) to get past item {record.next_item}; yield items sooner, or "
                "let it take `skip`, the number of items to leave out",
            )
        record = self._runs.hand_over(record)
        invoke(self._services, record.dispatcher, Resume(Run.parse(record.id), record.epoch, record.of_part).event())
        logger.info("handed over", chunks=record.chunks, items=record.items)
