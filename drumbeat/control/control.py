"""The operator's view of a deployed app."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import boto3

from drumbeat.errors import RunRefused
from drumbeat.ledger import pause
from drumbeat.ledger.backfills import Backfill
from drumbeat.ledger.record import RunRecord
from drumbeat.ledger.table import Table
from drumbeat.run import Run
from drumbeat.task import Task

from . import listing
from .backfill import Backfiller, BackfillPlan, wanted
from .cancel import cancel
from .clients import Clients
from .deployment import Deployment
from .errors import InvalidParams, RunUnknown
from .failures import ErrorCount, Failure, by_error, failures
from .numbers import Numbers
from .redrive import Redrive, Redriver
from .schedules import Schedules
from .start import by_hand, start
from .status import Counter, Status


class Control:
    """Starts, follows and corrects the runs of an app.

    A run is named by its id, `TASK/TIME` or `TASK/TIME/NAME`, or as `TASK/latest`.  Two operators at once do no harm:
    what changes a run is one conditional write to the ledger, and whoever comes second is told how things stand.
    """

    def __init__(
        self,
        deployment: Deployment,
        session: Any = None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
        token: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        """session: boto3's, by default a new one; or anything else with `client(name)`.

        now, sleep, token: the clock, and chance, for tests and for clouds whose time is virtual.
        """
        self.deployment = deployment
        self._clients = Clients(session or boto3.Session())
        self.now = now
        self._sleep = sleep
        self._token = token
        self._counters: dict[str, Counter] = {}
        self.schedules = Schedules(deployment, self._clients, now)

    def run(
        self,
        task: str,
        *,
        at: datetime | None = None,
        params: Mapping[str, Any] | None = None,
        items: Iterable[Any] | None = None,
        name: str = "",
    ) -> Run:
        """Start a run by hand and return at once; raises RunExists if there is one of this time and name.

        at: its scheduled time, a whole minute; now by default, and then the run has a name, `by-hand-SECOND`, if none
        is given: it isn't the run of a fire in this minute.  items: in place of what `expand` would yield.
        A run that was missed may be started so, with the time that it was missed at.
        """
        stack = self.deployment.stack_of(task)
        if at is not None and (at.tzinfo is None or at.second or at.microsecond):
            raise InvalidParams(
                f"at {at.isoformat()}: runs are named by the minute; give a whole one, with a time zone"
            )
        if at is None:
            at = self.now()
            name = name or by_hand(at)
        return start(self._clients, stack, task=task, at=at, params=params or {}, items=items, name=name)

    def runs(self, task: str | None = None, *, states: Sequence[str] = ()) -> Iterator[RunRecord]:
        """The runs of a task, or of all, the latest scheduled time first; read page by page as they are asked for."""
        listing.check_states(states)
        tasks = self.deployment.tasks if task is None else (task,)
        return listing.runs(self._clients, [(self.deployment.stack_of(name), name) for name in tasks], states)

    def show(self, run_id: str) -> Status:
        """A run, and what is counted of it by now; asked again and again, it reads only what can have changed."""
        _, record = listing.find(self._clients, self.deployment, run_id)
        return self.count(record)

    def count(self, record: RunRecord) -> Status:
        """The same for a record of `runs`."""
        table = self.deployment.stack_of(record.task).table
        counter = self._counters.setdefault(table, Counter(self._table(record.task)))
        return counter.status(record)

    def follow(self, run_id: str, *, every_s: float = 2, patience_s: float = 0) -> Iterator[Status]:
        """Show a run again and again, until it has ended.

        patience_s: how long to wait for a run that isn't in the ledger yet, because it was started just now.
        """
        status = self._await(run_id, every_s, patience_s)
        yield status
        while not status.has_ended:
            self._sleep(every_s)
            status = self.show(status.record.id)
            yield status

    def failures(self, run_id: str, *, error: str = "") -> Iterator[Failure]:
        """The items that a run has given up, in their order, streamed; `error`: a regular expression to find in theirs.

        Of an item that was done again, what its latest redrive says.
        """
        stack, record = listing.find(self._clients, self.deployment, run_id)
        return failures(self._clients, stack, record, error=error)

    def cancel(self, run_id: str, *, abandon: bool = False) -> Status:
        """Let nothing more of a run be begun: it ends CANCELLED, when what is in flight has ended.

        abandon: don't wait for that either; what isn't counted yet is counted as dropped at once.
        Raises RunRefused for a run that has ended, or is about to.
        """
        stack, record = listing.find(self._clients, self.deployment, run_id)
        return self.count(cancel(self._clients, stack, record, abandon=abandon, now=self.now()))

    def redrive(self, run_id: str, *, error: str = "", items: str | None = None, dry_run: bool = False) -> Redrive:
        """Do again what a run has given up or dropped, in the same run; with `dry_run`, only say what that would be.

        error: a regular expression to find in the errors; items: numbers and ranges such as "3,7,10-20".
        Raises RunRefused for a run that hasn't ended, that has nothing to do again, or that somebody else redrives.
        """
        stack, record = listing.find(self._clients, self.deployment, run_id)
        numbers = None if items is None else Numbers.parse(items)
        redriver = Redriver(self._clients, stack, record)
        return redriver.redrive(error=error, items=numbers, dry_run=dry_run, token=self._token, now=self.now())

    def pause(self, task: str) -> str:
        """Let the fires of a task open no runs any more; since when it is paused, by whoever did so first.

        They are recorded as MISSED, and made up for after `resume` if the task's `catch_up` says so.  Runs by hand and
        backfills still start, and active runs go on.
        """
        return pause.pause(self._table(task), task, now=self.now())

    def resume(self, task: str) -> None:
        """End a pause; raises RunRefused if the task isn't paused."""
        if not pause.resume(self._table(task), task):
            raise RunRefused(f"task {task!r} isn't paused")

    def backfill(
        self,
        task: Task,
        first: datetime,
        last: datetime,
        *,
        max_active: int = 1,
        order: str = "oldest",
        only: str = "missing",
        dry_run: bool = False,
    ) -> BackfillPlan:
        """Run the fires of a task from `first` to `last`, both included; with `dry_run`, only say which.

        task: as it is declared, for its schedule is needed. max_active: how many of the runs at the same time.
        order: "oldest" or "newest" first. only: the "missing" ones, the "failed" ones, or "all".
        Live runs of the task go before.  Raises RunRefused if a backfill of the task is under way.
        """
        asked = wanted(task.name, first, last, max_active=max_active, order=order, only=only)
        return self._backfiller(task.name).begin(task, asked, now=self.now(), dry_run=dry_run)

    def stop_backfill(self, task: str) -> Backfill:
        """Open no further run of a backfill; those that are active go on. Raises RunRefused if there is none."""
        return self._backfiller(task).stop()

    def show_backfill(self, task: str) -> Backfill | None:
        """The latest backfill of a task: its range, how many runs it has opened, which are active."""
        return self._backfiller(task).read()

    def failures_by_error(self, run_id: str, *, error: str = "") -> list[ErrorCount]:
        """The same, counted by error, the most frequent first; errors that differ in numbers only are one."""
        return by_error(self.failures(run_id, error=error))

    def _table(self, task: str) -> Table:
        return Table(self._clients.dynamodb, self.deployment.stack_of(task).table)

    def _backfiller(self, task: str) -> Backfiller:
        return Backfiller(self._clients, self.deployment.stack_of(task), task)

    def _await(self, run_id: str, every_s: float, patience_s: float) -> Status:
        """Wait for a run to be in the ledger."""
        waited = 0.0
        while True:
            try:
                return self.show(run_id)
            except RunUnknown:
                if waited >= patience_s:
                    raise
            self._sleep(every_s)
            waited += every_s
