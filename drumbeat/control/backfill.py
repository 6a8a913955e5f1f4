"""Run the past fires of a task that never ran, that failed, or all of them: a few at a time, behind the live runs."""

from dataclasses import dataclass
from datetime import UTC, datetime

from drumbeat.errors import RunRefused
from drumbeat.ledger import backfills
from drumbeat.ledger.backfills import ACTIVE, ONLY, ORDERS, RETENTION, STOPPED, Backfill
from drumbeat.ledger.past import due, fires
from drumbeat.ledger.record import RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.ledger.table import Table
from drumbeat.run import BACKFILL, Run, format_time
from drumbeat.signal import Fire
from drumbeat.task import Task

from .clients import Clients
from .deployment import DeployedStack
from .errors import InvalidRange
from .start import send

_SAMPLES = 10
_MOST_ACTIVE = 100


@dataclass(frozen=True)
class BackfillPlan:
    """What a backfill does, or would: how many runs, the first of them, out of how many fires of the range."""

    task: str
    runs: int
    first: tuple[str, ...]
    fires: int


class Backfiller:
    """The backfill of one task."""

    def __init__(self, clients: Clients, stack: DeployedStack, task: str) -> None:
        self._clients = clients
        self._stack = stack
        self._task = task
        self._table = Table(clients.dynamodb, stack.table)
        self._runs = Runs(self._table)

    def read(self) -> Backfill | None:
        """The latest backfill of the task; None if there never was one."""
        return backfills.read(self._table, self._task)

    def stop(self) -> Backfill:
        """Open no further run; those that are active go on."""
        if not backfills.end(self._table, self._task, STOPPED):
            raise RunRefused(f"task {self._task!r} has no backfill under way; there is nothing to stop")
        return self._known()

    def begin(self, task: Task, wanted: Backfill, *, now: datetime, dry_run: bool) -> BackfillPlan:
        """Record a backfill and open its first runs; whoever ends one of them opens the next."""
        _check(task, wanted, now)
        plan = self._plan(task, wanted)
        if not plan.fires:
            raise InvalidRange(f"task {task.name!r} has no fire from {wanted.first} to {wanted.last}; {task.schedule}")
        if not plan.runs:
            raise RunRefused(
                f"task {task.name!r}: none of the {plan.fires:,} fires from {wanted.first} to {wanted.last} is to be "
                f"run (only {wanted.only})"
            )
        if not dry_run:
            if not backfills.begin(self._table, wanted, now=now):
                raise RunRefused(f"{self._said(self._known())}; stop it first, and wait for its active runs")
            self._open_first(task)
        return plan

    def _plan(self, task: Task, wanted: Backfill) -> BackfillPlan:
        """Count, with the records of the range read at once."""
        known = {record.id: record for record in self._records(wanted)}
        runs = list(due(task, wanted, lambda run: known.get(run.id)))
        return BackfillPlan(
            task=task.name,
            runs=len(runs),
            first=tuple(run.id for run in runs[:_SAMPLES]),
            fires=sum(1 for _ in fires(task, wanted)),
        )

    def _records(self, wanted: Backfill) -> list[RunRecord]:
        return list(self._runs.of_task(wanted.task, since=wanted.first, until=f"{wanted.last}~"))

    def _open_first(self, task: Task) -> None:
        """Let the queue be polled, and fire as many runs as may be active; the keeper does what a crash has left."""
        self._clients.functions.update_event_source_mapping(UUID=self._stack.backfill_source(task.name), Enabled=True)
        backfills.mark_mapping(self._table, task.name, "on")
        while (found := self.read()) is not None and found.state == ACTIVE and len(found.runs) < found.max_active:
            run = next(due(task, found, self._runs.get), None)
            if run is None:
                return
            if backfills.take(self._table, found, fire=format_time(run.scheduled_at), run_id=run.id):
                self._fire(run)

    def _fire(self, run: Run) -> None:
        send(self._clients, self._stack, run.task, Fire(run, lane=BACKFILL).event())

    def _known(self) -> Backfill:
        found = self.read()
        assert found is not None  # it was there a moment ago, and is kept for months
        return found

    def _said(self, found: Backfill) -> str:
        active = f", {len(found.runs)} of its runs active" if found.runs else ""
        return f"task {found.task!r} has a backfill from {found.first} to {found.last} under way{active}"


def wanted(task: str, first: datetime, last: datetime, *, max_active: int, order: str, only: str) -> Backfill:
    """Make the value of a backfill; raises InvalidRange for what can't be."""
    for name, value, known in (("order", order, ORDERS), ("only", only, ONLY)):
        if value not in known:
            raise InvalidRange(f"{name} {value!r}: {' or '.join(known)} is allowed")
    if isinstance(max_active, bool) or not isinstance(max_active, int) or not 1 <= max_active <= _MOST_ACTIVE:
        raise InvalidRange(f"max_active {max_active!r}: 1 to {_MOST_ACTIVE} runs at the same time are allowed")
    for name, time in (("from", first), ("to", last)):
        if time.tzinfo is None:
            raise InvalidRange(f"{name} {time.isoformat()} has no time zone; give it one: .replace(tzinfo=UTC)")
    return Backfill(task, _written(first), _written(last), order, only, max_active)


def _written(time: datetime) -> str:
    return format_time(time.astimezone(UTC))


def _check(task: Task, wanted: Backfill, now: datetime) -> None:
    today = format_time(now)
    if task.schedule is None:
        raise InvalidRange(f"task {task.name!r} has no schedule, so it has no past fires; start its runs by hand")
    if wanted.first > wanted.last:
        raise InvalidRange(f"from {wanted.first} is after to {wanted.last}; exchange them")
    if wanted.last > today:
        raise InvalidRange(f"to {wanted.last} is in the future, now is {today}; the schedule will see to it")
    oldest = format_time(now - RETENTION)
    if wanted.only != "all" and wanted.first < oldest:
        raise InvalidRange(
            f"from {wanted.first}: the ledger forgets runs after {RETENTION.days} days, so it can't tell which of them "
            f"are {wanted.only}; begin at {oldest}, or run all of them"
        )
