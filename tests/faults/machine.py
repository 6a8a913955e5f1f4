"""Two tasks, one after the other, whose runs go through all that can happen to them, in any order.

Hypothesis draws what happens; the far end is looked at after every step, and everything must hold when it is quiet.
Handlers run for real, on the local cloud.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from drumbeat import Run
from drumbeat.errors import DrumbeatError
from drumbeat.ledger.record import ENDED, RunRecord
from drumbeat.local.clock import to_ns
from drumbeat.signal import Finish, Fire, Follow, Resume, Sweep
from drumbeat.testing import KINDS, AppCloud, check_invariants
from drumbeat.testing.sweeping import come_to_rest
from tests.faults import witness
from tests.faults.scenes import START, Stage
from tests.faults.weather import CALLS, SERVICES, Planned, Weather

MINUTES = st.integers(1, 3)
WHICH = st.integers(0, 5)
TASKS = st.sampled_from(("first", "first", "then"))
ITEMS = (
    ("a", "b", "c", "d", "e"),
    ("a", "flaky1", "b"),
    ("a", "broken1", "b", "c", "broken2"),
    ("slow1", "a", "broken1", "slow2"),
    ("a", "killer1", "b", "c"),
    (),
)
DEAD_EVENTS = ("DeadFires", "DeadChecks")
"""Where events end that a function couldn't be invoked with: an alarm rings, and the next round goes on."""
AGAIN_AND_AGAIN = ("complete ", "the dispatcher died ", "items failed; ", "messages with ")
"""Why a run that nobody halted may fail: what goes wrong often enough is given up, and says so."""


class Pair(RuleBasedStateMachine):
    """`first` and `then` on a cloud of their own."""

    assembly: ClassVar[Path]

    @initialize(
        seed=st.integers(0, 2**16),
        odds=st.sampled_from((0.0, 0.05, 0.1, 0.15)),
        again=st.sampled_from((0.0, 0.15, 0.5)),
        skew=st.sampled_from((0, 300)),
        items=st.lists(st.sampled_from(ITEMS), min_size=3, max_size=3),
    )
    def deploy(self, seed: int, odds: float, again: float, skew: int, items: list[tuple[str, ...]]) -> None:
        """Each minute's run has its items, however often it is fired."""
        witness.install()
        witness.forget()
        self.odds = odds
        self.weather = Weather(Random(seed), odds, again, skew)
        self.items = items
        self.ended: dict[str, RunRecord] = {}
        self.closing = contextlib.ExitStack()
        self.cloud = self.closing.enter_context(AppCloud(self.assembly, start=START, faults=self.weather, seed=seed))
        self.stage = Stage(self.cloud)
        self.fire(1)

    # -- what happens --------------------------------------------------------------------------------------

    @rule(minute=MINUTES)
    def fire(self, minute: int) -> None:
        """For the first time, or once more."""
        self.send("first", Fire(self.run("first", minute)).event())

    @rule(
        task=TASKS, minute=MINUTES, kind=st.sampled_from((Finish, Sweep, Follow, Fire, Resume)), epoch=st.integers(0, 3)
    )
    def repeat(self, task: str, minute: int, kind: type, epoch: int) -> None:
        """A signal comes that nobody needs: too early, late, or twice."""
        run = self.run(task, minute)
        known = run.id in [record.id for record in self.cloud.runs(task)]
        if kind is Follow:
            self.send("then", Follow(replace(run, task="then")).event()) if known and task == "first" else None
        elif known:
            self.send(task, (Resume(run, epoch) if kind is Resume else kind(run)).event())

    @rule(seconds=st.sampled_from((0.1, 0.5, 1, 3, 10, 60, 400)))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.cloud.advance(seconds=seconds)

    @rule(
        kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=3) | st.just(["crash before"] * 3),
        skip=st.integers(0, 6),
        call=st.sampled_from(CALLS),
        minute=MINUTES,
    )
    def breaks(self, kinds: list[str], skip: int, call: tuple[str, str], minute: int) -> None:
        """Calls will break, one after the other, such as those of a run that is fired now."""
        self.weather.planned += [Planned(kind, skip if not call[1] else skip // 3, *call) for kind in kinds]
        self.fire(minute)
        self.cloud.advance(seconds=2)

    @rule(service=st.sampled_from(SERVICES), minutes=st.sampled_from((0.5, 10)))
    def leaves(self, service: str, minutes: float) -> None:
        """A service is away for longer than any SDK waits."""
        self.weather.leave(service, to_ns(self.cloud.now + timedelta(minutes=minutes)))
        self.cloud.advance(seconds=30)

    @rule(minute=MINUTES, which=WHICH, abandon=st.booleans())
    def cancel(self, minute: int, which: int, abandon: bool) -> None:
        """One of the open runs is halted, early or late in its life."""
        self.fire(minute)
        self.cloud.advance(seconds=1)
        for record in self.some([record for record in self.cloud.runs() if record.state not in ENDED], which):
            with contextlib.suppress(DrumbeatError):
                self.stage.control.cancel(record.id, abandon=abandon)

    @rule(which=WHICH, mend=st.booleans(), seconds=st.sampled_from((0, 1, 60)))
    def redrive(self, which: int, mend: bool, seconds: float) -> None:
        """What one of the ended runs has given up or dropped is done again; whose items were mended, well."""
        self.cloud.run_until_idle(timedelta(minutes=5))
        for record in self.some([record for record in self.cloud.runs() if record.failed + record.dropped], which):
            if mend:
                witness.mend(record.id)
            with contextlib.suppress(DrumbeatError):
                if self.stage.control.redrive(record.id).items:
                    self.ended.pop(record.id, None)
        self.cloud.advance(seconds=seconds)

    @rule(task=TASKS, paused=st.booleans())
    def pause(self, task: str, paused: bool) -> None:
        with contextlib.suppress(DrumbeatError):
            (self.stage.control.pause if paused else self.stage.control.resume)(task)

    @rule(task=TASKS, minute=MINUTES, chunk=st.integers(0, 2))
    def give_up(self, task: str, minute: int, chunk: int) -> None:
        """A message has been received too often, without anybody having begun with it."""
        self.stage.pause_worker(task)
        self.cloud.advance(seconds=1)
        self.stage.give_up_message(self.run(task, minute), chunk=chunk)
        self.cloud.advance(seconds=2)
        self.stage.resume_worker(task)

    @rule(task=TASKS, minute=MINUTES)
    def double(self, task: str, minute: int) -> None:
        """Messages are delivered twice at the same time, to two workers."""
        self.fire(minute)
        self.stage.pause_worker(task)
        self.cloud.advance(seconds=4)
        self.stage.double_messages(self.run(task, minute))
        self.stage.resume_worker(task)
        self.cloud.advance(seconds=4)

    @rule()
    def let_the_keeper_look(self) -> None:
        """Its next round comes."""
        self.cloud.advance(minutes=15)

    @precondition(lambda self: hasattr(self, "cloud"))
    @rule()
    def come_to_rest(self) -> None:
        """After a while nothing more breaks; all runs come to their end, with every item counted once."""
        self.cloud.run_until_idle(timedelta(minutes=5))
        self.weather.clear()
        for task in ("first", "then"):
            self.pause(task, paused=False)
        come_to_rest(self.cloud)
        check_invariants(self.cloud, may_hold=DEAD_EVENTS)
        for record in self.cloud.runs():
            if record.state in ENDED:
                self.check(record)
        self.weather.odds = self.odds

    # -- what must hold ------------------------------------------------------------------------------------

    @invariant()
    def no_end_was_told_early_and_what_has_ended_stays(self) -> None:
        if not hasattr(self, "cloud"):
            return
        assert [] == self.weather.early
        for record in self.cloud.runs():
            if record.state in ENDED:
                assert self.ended.setdefault(record.id, record) == record, self.cloud.log.text()[-4000:]
            else:
                assert record.id not in self.ended

    def check(self, record: RunRecord) -> None:
        """Each item was tried, given up, or dropped and counted so; what the run published is what it has done."""
        view, items = self.cloud.show(record.id), self.items_of(record)
        failed = {letter.item for letter in view.dead_letters}
        untried = {item for item in items[: view.all_items] if not witness.attempts_of(record.id, item)} - failed
        assert len(untried) <= view.dropped, f"{record.id}: neither tried nor given up: {sorted(untried)}"
        assert view.record.succeeded <= len(witness.done_of(record.id)), record
        if record.state == "SUCCEEDED":
            assert len(items) == view.all_items, record
            published = json.loads(self.cloud.published(record)["all.json"])
            assert [item.upper() for item in items if item not in failed] == published, record
            if record.task == "first" and not any(self.dead_fires()):
                assert f"then/{record.scheduled_at}" in [other.id for other in self.cloud.runs("then")]
        elif record.state == "FAILED" and not record.halt:
            assert any(words in record.reason for words in AGAIN_AND_AGAIN), record

    def teardown(self) -> None:
        """Let everybody come to an end; late repeats change nothing."""
        if not hasattr(self, "cloud"):
            return
        with self.closing:
            self.come_to_rest()
            for record in self.cloud.runs():
                run = Run.parse(record.id)
                for signal in (Finish(run), Resume(run, record.epoch), Sweep(run)):
                    self.send(run.task, signal.event())
            self.come_to_rest()
            self.no_end_was_told_early_and_what_has_ended_stays()

    # -- help ----------------------------------------------------------------------------------------------

    def some(self, records: list[RunRecord], which: int) -> list[RunRecord]:
        """One of them, if there are any."""
        return [records[which % len(records)]] if records else []

    def run(self, task: str, minute: int) -> Run:
        """The run of a task in one of the minutes."""
        params = {"items": list(self.items[minute - 1])} if task == "first" else {}
        return Run(task, START + timedelta(minutes=minute), self.cloud.bucket, params)

    def send(self, task: str, event: object) -> None:
        """Send an event to a task's dispatcher."""
        self.cloud.invoke_async(self.cloud.dispatcher(task), event)

    def items_of(self, record: RunRecord) -> list[str]:
        """What a run was to do: `then` does what `first` had done by then, which a redrive may have added to since."""
        run = Run.parse(record.id)
        given = list(self.items[(run.scheduled_at - START) // timedelta(minutes=1) - 1])
        if run.task == "first":
            return given
        before = self.cloud.show(replace(run, task="first"))
        undone = {letter.item for letter in before.dead_letters}
        done = [item.upper() for item in given if item not in undone]
        if not before.round:
            return done
        met = {letter.item for letter in self.cloud.show(run).dead_letters}
        return [item for item in done if item in met or witness.attempts_of(run.id, item)]

    def dead_fires(self) -> Iterator[int]:
        """How many events nobody could be invoked with."""
        return (sum(depth) for name, depth in self.cloud.queues().items() if "DeadFires" in name)
