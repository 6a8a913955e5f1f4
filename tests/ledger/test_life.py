"""The life of runs in the ledger, in any order, with crashes between any two writes, repeats and stale views.

What drumbeat's functions do is written down here in steps, each with what its function knew when it read the ledger:
so a step may come late, when others have got on.  Events may be lost for good; when the keeper has made its rounds,
every run has ended, with every item counted once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from drumbeat.errors import Fenced
from drumbeat.ledger import count
from drumbeat.ledger.active import Active
from drumbeat.ledger.count import Totals
from drumbeat.ledger.record import CANCELLED, ENDED, FAILED, RUNNING, SUCCEEDED, WAITING, Plan, RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.ledger.table import Table, Written
from drumbeat.run import Run
from drumbeat.runtime.sweep import with_rest
from drumbeat.signal import Fire

from .conftest import new_table

START = datetime(2026, 11, 22, tzinfo=UTC)
CHUNK = 2
POLICIES = [("skip", 1), ("buffer_one", 1), ("buffer_all", 1), ("cancel_other", 1), ("allow", 2), ("allow", None)]


class Crash(Exception):
    """The function died."""


class Dying(Table):
    """A table whose caller dies at its nth write, before or after it."""

    left = -1
    before = False

    def _write(self, call: Any, **arguments: Any) -> Written:
        self.left -= 1
        if self.left == 0 and self.before:
            raise Crash
        written = super()._write(call, **arguments)
        if self.left == 0:
            raise Crash
        return written


@dataclass(frozen=True)
class Step:
    """What a function is about to do, and what it knew when it was told to."""

    do: Callable[..., None]
    run: Run
    known: tuple[Any, ...] = field(default=(), compare=False)


class Life(RuleBasedStateMachine):
    """Runs of one task; `steps` are the events and messages under way."""

    @initialize(policy=st.sampled_from(POLICIES))
    def deploy(self, policy: tuple[str, int | None]) -> None:
        self.overlap, self.limit = policy
        plain = new_table()
        self.table = Dying(plain._client, plain._name)
        self.runs = Runs(self.table)
        self.active = Active(self.table, "sunrise", limit=self.limit)
        self.steps: list[Step] = []
        self.ended: dict[str, RunRecord] = {}
        self.started: dict[str, str] = {}
        self.tokens = 0

    # -- what happens ------------------------------------------------------------------------------------------

    @rule(minute=st.integers(0, 2), chunks=st.integers(0, 3))
    def fire(self, minute: int, chunks: int) -> None:
        run = Run("sunrise", START + timedelta(minutes=minute))
        self.steps.append(Step(self._open, run, (self._token(), chunks)))

    @precondition(lambda self: self.steps)
    @rule(data=st.data(), crash=st.integers(0, 8), before=st.booleans(), again=st.booleans())
    def take(self, data: st.DataObject, crash: int, before: bool, again: bool) -> None:
        """Do a step; one that dies is tried again, and some come twice."""
        step = data.draw(st.sampled_from(self.steps))
        if self._survives(lambda: step.do(step, data.draw), crash, before=before) and not again:
            self._drop(step)

    @precondition(lambda self: self.steps)
    @rule(data=st.data(), number=st.integers(3, 12), late=st.integers(0, 3))
    def hurry(self, data: st.DataObject, number: int, late: int) -> None:
        """Do several steps in their order; the first ones stay, to come again or late."""
        stay = self.steps[:late]
        for _ in range(number):
            if len(self.steps) > len(stay):
                step = self.steps.pop(len(stay))
                step.do(step, data.draw)
        self.a_run_starts_once_and_what_has_ended_stays()

    @precondition(lambda self: self.steps)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        """An event is tried three times and then kept aside; messages come again until they are settled."""
        step = data.draw(st.sampled_from(self.steps))
        if step.do != self._settle:
            self._drop(step)

    @rule(minute=st.integers(0, 2), kind=st.sampled_from(["cancel", "abandon", "tolerance", "deadline"]))
    def halt(self, minute: int, kind: str) -> None:
        run = Run("sunrise", START + timedelta(minutes=minute))
        if self.runs.halt(run, kind=kind, reason=kind, now=START) is not None and kind == "abandon":
            self.steps.append(Step(self._sweep, run))

    @rule(minute=st.integers(0, 2), crash=st.integers(0, 5), before=st.booleans())
    def redrive(self, minute: int, crash: int, before: bool) -> None:
        record = self.runs.get(Run("sunrise", START + timedelta(minutes=minute)))
        if record is not None and record.state in ENDED and record.failed + record.dropped:
            self._survives(lambda: self._reopen(record), crash, before=before)

    @rule(crash=st.integers(0, 12), before=st.booleans())
    def keep(self, crash: int, before: bool) -> None:
        self._survives(self._round, crash, before=before)

    # -- what drumbeat's functions do --------------------------------------------------------------------------

    def _open(self, step: Step, _draw: Any) -> None:
        owner, chunks = step.known
        record = self.runs.open(
            Fire(step.run),
            owner=owner,
            active=self.active,
            overlap=self.overlap,
            plan=Plan("queue", str(chunks)),
            now=START,
        )
        if record is not None and record.state == RUNNING:
            self._send(record)
        elif record is not None and record.state == WAITING:
            if self.overlap == "cancel_other":
                for other in sorted(self.active.listed() - {step.run.id}):
                    if other < step.run.id:
                        self.runs.halt(Run.parse(other), kind="cancel", reason="newer", now=START)
            self._promote()

    def _resume(self, step: Step, _draw: Any) -> None:
        record = self.runs.claim(step.run, epoch=step.known[0], owner=self._token())
        if record is not None:
            self._send(record)

    def _send(self, record: RunRecord) -> None:
        """Send the chunks, each with its message, and seal the run."""
        if record.round:
            self.active.join_again(record.id)
        items = record.again_failed + record.again_dropped if record.round else int(record.dispatcher) * CHUNK
        try:
            while record.chunks < ceil(items / CHUNK) and not (record.halt and not record.round) and not record.sealed:
                size = min(CHUNK, items - record.items)
                self.steps.append(Step(self._settle, Run.parse(record.id), (record, record.chunks, size)))
                record = self.runs.save_cursor(
                    record, chunks=record.chunks + 1, items=record.items + size, messages=record.chunks + 1
                )
            record = record if record.sealed else self.runs.seal(record)
        except Fenced:
            return
        if record.chunks == 0 or count.seal(self.table, record.tree, record.chunks, expires_at=0) is not None:
            self.steps.append(Step(self._finish, Run.parse(record.id)))

    def _settle(self, step: Step, draw: Any) -> None:
        """Do a chunk, perhaps with an old look at the run, and settle it."""
        sent, chunk, size = step.known
        head = draw(st.sampled_from([sent, self.runs.get(step.run)]))
        if head.state != RUNNING or head.round != sent.round:
            return
        failed = size if head.halt else draw(st.integers(0, size))
        totals = Totals(size - failed, failed, size)
        if head.halt and not head.round and head.halt != "deadline":
            totals = Totals(dropped=size)
        if count.settle(self.table, head.tree, chunk, totals, expires_at=0).run_totals is not None:
            self.steps.append(Step(self._finish, step.run))

    def _finish(self, step: Step, _draw: Any) -> None:
        record = self.runs.get(step.run)
        assert record is not None
        if record.state != RUNNING:
            self._depart(record)
        elif record.sealed and (totals := count.totals_of(self.table, record.tree, record.chunks)) is not None:
            begun = self.runs.begin_finish(record, owner=self._token())
            if begun is not None:
                self.steps.append(Step(self._end, step.run, (begun, totals)))

    def _end(self, step: Step, _draw: Any) -> None:
        record, counted = step.known
        totals = record.with_redrive(with_rest(record, counted))
        verdict = FAILED if totals.failed or totals.dropped else SUCCEEDED
        if record.halt in ("cancel", "abandon"):
            verdict = CANCELLED
        try:
            decided = self.runs.decide(record, verdict=verdict, reason="")
        except Fenced:
            return
        self.steps.append(Step(self._close, step.run, (decided, totals)))

    def _close(self, step: Step, _draw: Any) -> None:
        record, totals = step.known
        try:
            self._depart(self.runs.close(record, state=record.verdict, totals=totals, reason="", now=START))
        except Fenced:
            return

    def _depart(self, record: RunRecord) -> None:
        self.active.leave(record.id)
        self._promote()

    def _promote(self) -> None:
        if self.limit is None:
            return
        for id_ in sorted(self.active.promote()):
            record = self.runs.start(Run.parse(id_), now=START + timedelta(seconds=self.tokens), deadline=None)
            if record is not None:
                self.steps.append(Step(self._resume, Run.parse(id_), (record.epoch,)))

    def _sweep(self, step: Step, _draw: Any) -> None:
        record = self.runs.get(step.run)
        if record is None or record.state != RUNNING or not record.halt or not record.sealed or record.round:
            return
        settled = dict(count.settled_chunks(self.table, record.tree, record.chunks))
        for chunk in set(range(record.chunks)) - set(settled):
            count.settle(self.table, record.tree, chunk, Totals(), kind="gone", expires_at=0)
        self.steps.append(Step(self._finish, step.run))

    def _reopen(self, record: RunRecord) -> None:
        self.active.join_again(record.id)
        reopened = self.runs.reopen(
            record, manifest=self._token(), failed=record.failed, dropped=record.dropped, now=START
        )
        if reopened is not None:
            self.ended.pop(record.id, None)
            self.active.join_again(record.id)
            self.steps.append(Step(self._resume, Run.parse(record.id), (reopened.epoch,)))

    def _round(self) -> None:
        """The keeper's: it goes on with every run for which nothing is under way."""
        for id_ in sorted(self.active.listed()):
            run = Run.parse(id_)
            if any(step.run == run for step in self.steps):
                continue
            record = self.runs.get(run)
            if record is None:
                self.active.leave(id_)
            elif record.state == RUNNING and not record.sealed:
                taken = self.runs.take_over(record)
                if taken is not None:
                    self.steps.append(Step(self._resume, run, (taken.epoch,)))
            elif record.state == RUNNING:
                if record.chunks:
                    count.seal(self.table, record.tree, record.chunks, expires_at=0)
                self.steps += [Step(self._finish, run), Step(self._sweep, run)]
            elif record.state != WAITING:
                self._depart(record)
        self._promote()

    # -- what must hold ----------------------------------------------------------------------------------------

    @invariant()
    def no_more_runs_are_active_than_may_be(self) -> None:
        if hasattr(self, "limit") and self.limit is not None:
            assert len([run for run in self._records() if run.state == RUNNING and not run.round]) <= self.limit

    @invariant()
    def a_run_starts_once_and_what_has_ended_stays(self) -> None:
        for record in self._records():
            if record.started_at:
                assert record.started_at == self.started.setdefault(record.id, record.started_at)
            if record.state in ENDED:
                assert record == self.ended.setdefault(record.id, record)
                assert record.items == record.totals.items
            else:
                assert record.id not in self.ended

    def teardown(self) -> None:
        """Let everybody come to an end."""
        if not hasattr(self, "runs"):
            return
        for _ in range(60):
            while self.steps:
                step = self.steps.pop(0)
                step.do(step, _choose_last)
                self.a_run_starts_once_and_what_has_ended_stays()
            self._round()
            if not self.steps and not self.active.listed():
                break
        assert set() == self.active.listed()
        assert {RUNNING, WAITING}.isdisjoint(record.state for record in self._records())
        for record in self._records():
            if record.state in ENDED and not record.halt and not record.round:
                assert int(record.dispatcher) * CHUNK == record.items

    # -- help --------------------------------------------------------------------------------------------------

    def _records(self) -> Iterator[RunRecord]:
        return self.runs.of_task("sunrise") if hasattr(self, "runs") else iter(())

    def _drop(self, step: Step) -> None:
        """Take away this very step: another chunk's is equal to it."""
        self.steps = [other for other in self.steps if other is not step]

    def _survives(self, do: Callable[[], None], crash: int, *, before: bool) -> bool:
        self.table.left, self.table.before = crash, before
        try:
            do()
        except Crash:
            return False
        finally:
            self.table.left = -1
        return True

    def _token(self) -> str:
        self.tokens += 1
        return f"token{self.tokens}"


def _choose_last(strategy: Any) -> Any:
    """Draw when there is no more data: the fresh look at a run, no failure."""
    found: list[Any] = getattr(strategy, "elements", None) or [0]
    return found[-1]


@pytest.mark.usefixtures("table")
def test_runs_live_and_end_whatever_dies_repeats_or_comes_late() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Life,
        settings=settings(
            max_examples=100, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
