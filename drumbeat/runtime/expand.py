"""Expand a run, or a part of it: its items, chunk by chunk, into the queue, and sealed when they are all sent.

What was sent is a prefix of the run's chunks, and the cursor in the ledger moves only after the send: a successor
repeats at most what its predecessor hadn't recorded, and a chunk sent twice is settled once.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice, takewhile
from typing import Any

from drumbeat.chunk import Packed
from drumbeat.errors import (
    DrumbeatError,
    ExpandFailed,
    InvalidTask,
    ItemNotJson,
    ItemTooLarge,
    RecordMalformed,
    SourceChanged,
    SourceMissing,
)
from drumbeat.ledger.record import ABANDON, RUNNING, RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.packer import Packer
from drumbeat.packing import calls_to_save, chunk_size_of
from drumbeat.reference import Lines
from drumbeat.run import Run
from drumbeat.task import Task
from drumbeat.untrusted import said

from . import send
from .chain import Before
from .depart import active_runs
from .observability import frames, logger
from .referenced import Referenced, source_of, spooled
from .services import Services
from .sources import items_of

TRIES = 3
"""How often an expansion may fail: Lambda tries an asynchronous event three times."""
_SAVE_EVERY_S = 10  # so that a halted run is noticed, and those who watch see it grow
_LOOK_EVERY_S = 0.02  # at what is left of the invocation
_MARGIN = 0.1  # of the dispatcher's timeout, kept for the hand-over
_FINAL = (ItemNotJson, ItemTooLarge, RecordMalformed, SourceChanged, SourceMissing, InvalidTask)
"""What trying again won't help."""


class OutOfTime(Exception):
    """The invocation must hand over while it still can."""


class Expansion:
    """One dispatcher's hold on a run, or on one of its parts, from the cursor on."""

    def __init__(self, task: Task, record: RunRecord, services: Services, left_s: Callable[[], float]) -> None:
        self._task = task
        self._run = record.run(services.settings.bucket)
        self._services = services
        self._left_s = left_s
        self._runs = Runs(services.table)
        self._last: Packed | None = None
        self._sent = 0
        self._late = False
        self._longest_s = self._look_at_s = 0.0
        self._saved_at_s = left_s()
        self.record = record

    def send(self) -> RunRecord:
        """Send all chunks and seal the run, or the part.

        Raises OutOfTime with all whole chunks sent and the cursor saved, ExpandFailed if the author's code failed and
        may be tried again, and Fenced if the run was taken over.
        """
        if self.record.round:
            self._begin_round()
        chunks = iter(()) if self._is_halted() else self._chunks()
        saved = 0
        try:
            messages = send.messages(self._whole(chunks), self._run, self._services)
            sent = send.sent(send.batches(messages), queue_url=self.record.queue_url, services=self._services)
            for calls, batch in enumerate(sent, start=1):
                self._sent += len(batch)
                self._last = batch[-1].chunk
                if calls - saved >= calls_to_save(saved) or self._saved_at_s - self._left_s() > _SAVE_EVERY_S:
                    self._save()
                    saved = calls
                if self._is_halted():
                    break
        finally:
            self._save()
        if self._late and not self._is_halted():
            raise OutOfTime
        self.record = self._runs.seal(self.record)
        return self.record

    def _begin_round(self) -> None:
        """List a redriven run, in case its last finisher has taken it off since, and say where its chunks go."""
        active_runs(self._services, self._task).join_again(self.record.id)
        if not self.record.queue_url:
            self.record = self._runs.send_to(
                self.record,
                queue_url=self._services.settings.queue_url,
                chunk_size=chunk_size_of(self._task, self.record.learned),
                chunk_bytes=self._task.chunk_bytes,
            )

    def _chunks(self) -> Iterator[Packed]:
        """The chunks from the cursor on: by reference where the source can be read again."""
        source = source_of(self._task, self._run, self.record) if self._task.by_reference is not False else None
        if source is not None:
            return self._guarded(Referenced(self._task, self._run, self.record, self._services).chunks(source))
        chunks = self._packed()
        return spooled(self._whole(chunks), self._run, self._services) if self._task.by_reference else chunks

    def _guarded(self, chunks: Iterator[Packed]) -> Iterator[Packed]:
        """Chunks by reference, until the time is up or the source fails for good."""
        number, end = self.record.next_item, self.record.stop
        while number != end and not (time.monotonic() >= self._look_at_s and self._is_late()):
            try:
                chunk = next(chunks, None)
            except (ExpandFailed, InvalidTask) as error:
                self._stop(error, number)
                return
            if chunk is None:
                return
            yield chunk
            number = chunk.first + chunk.count

    def _stop(self, error: DrumbeatError, number: int) -> None:
        """Let the run have only so many items; raises the error if trying again may help."""
        if not isinstance(error, _FINAL) and self.record.tries + 1 < TRIES:
            raise error
        cause = error.__cause__ or error
        logger.error("expand failed for good", error=type(cause).__name__, item=number, frames=frames(cause))
        self.record = self._runs.stop_at(self.record, items=number, reason=str(error))

    def _is_halted(self) -> bool:
        """Whether no more of the run is to be sent; a redrive is, so that each of its items is accounted for."""
        return bool(self.record.halt) and not self.record.round

    def _whole(self, chunks: Iterator[Packed]) -> Iterator[Packed]:
        """The chunks as full as they will ever be: without the last one, if the items end for lack of time."""
        return takewhile(lambda _: not self._late, chunks)

    def _save(self) -> None:
        if self._last is None:
            return
        self.record = self._runs.save_cursor(
            self.record,
            chunks=self._last.number + 1,
            items=self._last.first + self._last.count - self.record.first,
            messages=self.record.messages + self._sent,
            position=self._last.position,
            pin=self._pin(self._last),
        )
        if self.record.part >= 0:
            self.record = replace(self.record, halt=halt_of_run(self._runs, self._run))
        self._last, self._sent, self._saved_at_s = None, 0, self._left_s()

    def _pin(self, last: Packed) -> str:
        """The ETag that the source must have from now on, if it is one that messages refer to."""
        if last.position and isinstance(last.reference, Lines):
            return last.reference.etag
        return self.record.pin if self.record.part >= 0 else ""

    def _packed(self) -> Iterator[Packed]:
        """The items from the cursor on, in chunks; they end early, for good, when the author's code fails for good."""
        size, max_bytes = self.record.sizes(self._task)
        packer = Packer(
            task=self._task.name,
            size=size,
            max_bytes=max_bytes,
            number=self.record.chunks,
            first=self.record.next_item,
            round=self.record.round,
            part=self.record.of_part,
            plain=bool(self._task.by_reference),
        )
        try:
            yield from packer.add_all(() if self._is_late() else self._items())
        except (ItemNotJson, ItemTooLarge) as error:
            self._stop(error, packer.reached)
        yield from packer.rest()

    def _items(self) -> Iterator[Any]:
        """The author's items from the cursor on, until the time is up.

        Before each, only a clock is looked at; what is left of the invocation is asked for when that has moved.  The
        slowest item is the one until which the most time has passed, what was sent meanwhile included.
        """
        clock, first, skip = time.monotonic, self.record.first, self.record.items
        number, end, longest_s = skip, self.record.stop - first, self._longest_s
        try:
            began = clock()
            found, number = self._begin(skip)
            for item in islice(found, end - number) if self.record.stop >= 0 else found:
                now = clock()
                if now - began > longest_s:
                    longest_s = self._longest_s = now - began
                began = now
                if now >= self._look_at_s and self._is_late():
                    return
                if number >= skip:
                    yield item
                number += 1
        except (Exception, SystemExit) as error:  # noqa: BLE001  (whatever the author's code raises)
            self._stop(self._failed(error), first + max(number, skip))

    def _begin(self, skip: int) -> tuple[Iterator[Any], int]:
        """The author's items, and how many of the first `skip` are left out already."""
        before = Before(self._services, self._task, self._run)
        return items_of(
            self._task,
            replace(self._run, upstream=before),
            self._services,
            items_key=self.record.items_key,
            skip=skip,
            cut=self.record.cut,
        )

    def _failed(self, error: BaseException) -> DrumbeatError:
        if isinstance(error, ExpandFailed | InvalidTask):
            return error
        failed = ExpandFailed(
            f"task {self._task.name!r}: expand raised {type(error).__name__}: {said(error)}; correct it and run it "
            "again"
        )
        failed.__cause__ = error
        return failed

    def _is_late(self) -> bool:
        """Whether the invocation must stop while it can still hand over, be the next item as slow as the slowest.

        Slow items don't cost more than the margin once again: one slow query needn't mean that others follow.
        """
        self._look_at_s = time.monotonic() + _LOOK_EVERY_S
        margin = self._task.dispatcher_timeout_s * _MARGIN
        self._late = self._late or self._left_s() < margin + min(self._longest_s, margin)
        return self._late


def halt_of_run(runs: Runs, run: Run) -> str:
    """Why nothing more of a run is to be sent, or nothing: parts don't have it in their own records."""
    found = runs.get(run)
    if found is None or found.state != RUNNING or found.round:
        return ABANDON  # it is over
    return found.halt
