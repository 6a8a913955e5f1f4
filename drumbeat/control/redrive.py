"""Do again what a run has given up or dropped: the items go into a manifest, and the run begins its next round."""

import heapq
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from operator import attrgetter
from typing import IO, Any

from drumbeat.errors import RunRefused
from drumbeat.ledger import manifest, progress
from drumbeat.ledger.active import Active
from drumbeat.ledger.count import settled_chunks
from drumbeat.ledger.record import ENDED, RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.ledger.table import Table
from drumbeat.run import Run
from drumbeat.signal import Resume

from .clients import Clients
from .deployment import DeployedStack
from .errors import InvalidFilter
from .failures import failures
from .numbers import Numbers
from .start import send

_IN_MEMORY = 8 * 1024 * 1024
_SAMPLES = 10


@dataclass(frozen=True)
class Redrive:
    """What a redrive does again, or would: how many items had failed and were dropped, the numbers of the first.

    awaited_chunks: those that were abandoned and whose items nobody has kept: a worker keeps them when their message
    comes; those that were in flight had theirs, and may well have been done.
    """

    run: str
    failed: int
    dropped: int
    numbers: tuple[int, ...]
    round: int
    awaited_chunks: int = 0

    @property
    def items(self) -> int:
        """All items that are done again."""
        return self.failed + self.dropped


@dataclass(frozen=True)
class _Again:
    number: int
    item: Any
    had_failed: bool


class Redriver:
    """Redrives one run."""

    def __init__(self, clients: Clients, stack: DeployedStack, record: RunRecord) -> None:
        if record.state not in ENDED:
            told = (
                "redrive it when it has ended" if record.state in ("RUNNING", "WAITING") else "nothing of it was done"
            )
            raise RunRefused(f"run {record.id} is {record.state}; {told}")
        self._clients = clients
        self._stack = stack
        self._record = record
        self._table = Table(clients.dynamodb, stack.table)
        self._awaited_chunks = 0

    def redrive(
        self, *, error: str, items: Numbers | None, dry_run: bool, token: Callable[[], str], now: datetime
    ) -> Redrive:
        """Begin the next round, unless it is a `dry_run`; raises RunRefused if somebody else just did."""
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
            found = self._write(file, error, items)
            if not found.items:
                chooses = " that this chooses" if error else ""
                raise RunRefused(f"run {self._record.id} has no item to do again{chooses}{self._awaited()}")
            if not dry_run:
                file.seek(0)
                self._begin(file, found, token(), now)
        return found

    def _write(self, file: IO[bytes], error: str, wanted: Numbers | None) -> Redrive:
        failed = dropped = 0
        first: list[int] = []
        missing = set(wanted.named) if wanted else set()
        for again in self._candidates(error):
            missing.discard(again.number)
            if wanted is not None and again.number not in wanted:
                continue
            line = manifest.line(again.number, again.item, was_dropped=not again.had_failed)
            file.write(line.encode() + b"\n")
            failed, dropped = failed + again.had_failed, dropped + (not again.had_failed)
            if len(first) < _SAMPLES:
                first.append(again.number)
        if missing:
            raise InvalidFilter(
                f"run {self._record.id}: item {min(missing)} is none that can be done again; it hasn't failed"
                f"{', or not with this error' if error else ''}"
            )
        return Redrive(self._record.id, failed, dropped, tuple(first), self._record.round + 1, self._awaited_chunks)

    def _begin(self, file: IO[bytes], found: Redrive, token: str, now: datetime) -> None:
        record, run = self._record, Run.parse(self._record.id)
        key = f"runs/{record.id}/redrive/{token}.jsonl"
        self._clients.s3.put_object(Bucket=self._stack.bucket, Key=key, Body=file)
        active = Active(self._table, record.task, limit=None)
        active.join_again(record.id)  # before: so that the keeper goes on with it if we die here
        reopened = Runs(self._table).reopen(record, manifest=key, failed=found.failed, dropped=found.dropped, now=now)
        if reopened is None:
            raise RunRefused(f"run {record.id} was redriven by somebody else just now; look at it again")
        active.join_again(record.id)  # once more: the keeper may have seen that it had ended, and taken it off
        send(self._clients, self._stack, record.task, Resume(run, reopened.epoch).event())

    def _candidates(self, error: str) -> Iterator[_Again]:
        """What can be done again, in the order of items. What was dropped has no error to be chosen by."""
        failed = (
            _Again(failure.number, failure.item, had_failed=True)
            for failure in failures(self._clients, self._stack, self._record, error=error)
        )
        return failed if error else heapq.merge(failed, self._dropped(), key=attrgetter("number"))

    def _dropped(self) -> Iterator[_Again]:
        """Items of the first round that weren't done, and by no redrive since: what these don't do, they give back."""
        first, *later = self._record.rounds
        s3, bucket = self._clients.s3, self._stack.bucket
        taken = heapq.merge(*(manifest.taken_up(self._table, s3, bucket, found) for found in later if found.manifest))
        upcoming = next(taken, None)
        for line in chain.from_iterable(self._of_tree(*tree) for tree in first.trees):
            while upcoming is not None and upcoming < line["n"]:
                upcoming = next(taken, None)
            if upcoming != line["n"]:
                yield _Again(line["n"], line["item"], had_failed=False)

    def _of_tree(self, tree: str, chunks: int) -> Iterator[Any]:
        for chunk, _ in settled_chunks(self._table, tree, chunks, kinds=("gone",)):
            yield from self._kept(tree, chunk)

    def _kept(self, tree: str, chunk: int) -> Iterator[Any]:
        """What a worker has left of a chunk; nothing yet if the run was abandoned and its message is still to come."""
        try:
            yield from manifest.lines(self._clients.s3, self._stack.bucket, f"runs/{tree}/dropped/{chunk:09d}.jsonl")
        except self._clients.s3.exceptions.NoSuchKey:
            if not progress.read(self._table, tree, chunk).final:
                self._awaited_chunks += 1

    def _awaited(self) -> str:
        if not self._awaited_chunks:
            return ""
        return f"; the messages of {self._awaited_chunks:,} abandoned chunks are still to come, or were in flight"
