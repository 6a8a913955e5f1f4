"""What a worker must know of a run before it does its items: read rarely, so that a chunk costs one write and no read.

A record is read again when it is older than a few seconds: so workers stop within seconds when a run is halted.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from drumbeat.chunk import Chunk
from drumbeat.ledger.active import Active
from drumbeat.ledger.record import ABANDON, DEADLINE, RUNNING, RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.run import BACKFILL, Run, parse_time
from drumbeat.task import Task

from .observability import count as metric
from .observability import logger
from .services import Services

FRESH = timedelta(seconds=5)
_HELD = 64  # records of runs in one environment


class _Read(NamedTuple):
    record: RunRecord | None
    at: datetime


@dataclass
class Heads:
    """The records of the runs that one environment works for."""

    task: Task
    services: Services
    _read: dict[str, _Read] = field(default_factory=dict)
    _live: tuple[bool, datetime] | None = None

    def of(self, chunk: Chunk) -> RunRecord | None:
        """The record of a chunk's run if the chunk is to be worked; None if the run has ended, or never was.

        A record that says so was read just now.
        """
        record = self._get(chunk.run)
        if not _is_open(record, chunk):
            record = self._get(chunk.run, fresh=True)
        return record if _is_open(record, chunk) else None

    def of_halted(self, chunk: Chunk) -> RunRecord | None:
        """The record of a run whose round of this chunk was halted and is over, as it was then; None for any other."""
        record = self._get(chunk.run)
        halt = record.halted(chunk.round) if record is not None else ""
        return replace(record, halt=halt) if record is not None and halt else None

    def is_halted(self, run: Run) -> bool:
        """Whether no further item of this run is to be begun."""
        return bool(self.halt_of(run))

    def halt_of(self, run: Run) -> str:
        """Why nothing more of this run is to be done, or nothing; as it was last known, if the ledger can't be read.

        A worker asks while it holds items that are done, and mustn't lose them.
        """
        try:
            record = self._get(run)
        except (ClientError, BotoCoreError) as error:
            logger.warning("run not read", run=run.id, error=type(error).__name__)
            known = self._read.get(run.id)
            if known is None:
                return ""
            self._read[run.id] = known._replace(at=self.services.now())
            record = known.record
        return record.halt if record is not None and record.state == RUNNING else _halt(record) or ABANDON

    def must_yield(self, record: RunRecord) -> bool:
        """Whether a backfill must wait, because a live run of the task is active."""
        if record.lane != BACKFILL:
            return False
        now = self.services.now()
        if self._live is None or now - self._live[1] > FRESH:
            active = Active(self.services.table, self.task.name, limit=self.task.active_limit)
            self._live = (bool(active.running()), now)
        return self._live[0]

    def forget(self, run: Run) -> None:
        """Read a run's record again at the next look."""
        self._read.pop(run.id, None)

    def _get(self, run: Run, *, fresh: bool = False) -> RunRecord | None:
        now = self.services.now()
        known = self._read.get(run.id)
        if known is None or fresh or not timedelta() <= now - known.at <= FRESH:
            record = Runs(self.services.table).get(run)
            known = _Read(self._hold_to_deadline(record, run, now), now)
            if len(self._read) >= _HELD:
                self._read.clear()
            self._read[run.id] = known
        return known.record

    def _hold_to_deadline(self, record: RunRecord | None, run: Run, now: datetime) -> RunRecord | None:
        if record is None or record.state != RUNNING or not is_overdue(record, now):
            return record
        halted = halt_overdue(self.services, record, run)
        return halted or replace(record, halt=DEADLINE)


def is_overdue(record: RunRecord, now: datetime) -> bool:
    """Whether a run's deadline has come, and nothing has halted it yet."""
    return bool(record.deadline_at) and not record.halt and now >= parse_time(record.deadline_at)


def halt_overdue(services: Services, record: RunRecord, run: Run) -> RunRecord | None:
    """Halt a run whose deadline has come."""
    reason = f"not done at the deadline, {record.deadline_at}"
    halted = Runs(services.table).halt(run, kind=DEADLINE, reason=reason, now=services.now())
    if halted is not None and halted.halt == DEADLINE:
        metric("RunsOverdue", task=run.task)
        logger.warning("deadline exceeded", run=run.id)
    return halted


def _halt(record: RunRecord | None) -> str:
    return record.halt if record is not None else ""


def _is_open(record: RunRecord | None, chunk: Chunk) -> bool:
    return record is not None and record.state == RUNNING and record.round == chunk.round
