"""Where the machine plays: two tasks on a cloud, what they were given, and what must hold of their runs."""

import contextlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from drumbeat import Run
from drumbeat.errors import DrumbeatError
from drumbeat.ledger.record import ENDED, RunRecord
from drumbeat.local.clock import to_ns
from drumbeat.signal import Finish, Fire, Follow, Resume, Sweep
from drumbeat.testing import AppCloud, check_invariants
from drumbeat.testing.sweeping import come_to_rest
from tests.faults import witness
from tests.faults.reckoning import reckon
from tests.faults.scenes import START, Stage
from tests.faults.weather import Planned, Weather

ITEMS = (
    ("a", "b", "c", "d", "e"),
    ("a", "flaky1", "b"),
    ("a", "broken1", "b", "c", "broken2"),
    ("slow1", "a", "broken1", "slow2", "b", "c"),
    ("a", "killer1", "b", "c"),
    ("hopeless1", "a", "b", "slowbroken1"),
    (),
)
SLOW = tuple(items for items in ITEMS if any("slow" in item for item in items))
FAILING = tuple(items for items in ITEMS if any(item.startswith(("broken", "hopeless")) for item in items))
TASKS = ("first", "then")
QUIET = timedelta(minutes=5)
DEAD_EVENTS = ("DeadFires", "DeadChecks")
"""Where events end that a function couldn't be invoked with: an alarm rings, and the next round goes on."""
MOST_TAKEOVERS = 2
"""How often a run may still be taken over when the weather is good again: a service may be away ten minutes longer."""


class Ground(RuleBasedStateMachine):
    """`first` and `then`; each minute has a run of `first` with its items, however often it is fired."""

    assembly: ClassVar[Path]

    @initialize(
        seed=st.integers(0, 2**16),
        odds=st.sampled_from((0.0, 0.0, 0.05, 0.1, 0.15)),
        again=st.sampled_from((0.0, 0.15, 0.5)),
        skew=st.sampled_from((0, 300)),
        items=st.sampled_from(ITEMS),
    )
    def deploy(self, seed: int, odds: float, again: float, skew: int, items: tuple[str, ...]) -> None:
        """Deploy, and fire once."""
        witness.install()
        witness.forget()
        self.odds = odds
        self.weather = Weather(Random(seed), odds, again, skew)
        self.items: list[tuple[str, ...]] = []
        self.ended: dict[str, RunRecord] = {}
        self.reckoned: dict[str, RunRecord] = {}
        self.given_up = 0
        self.closing = contextlib.ExitStack()
        self.cloud = self.closing.enter_context(AppCloud(self.assembly, start=START, faults=self.weather, seed=seed))
        self.stage = Stage(self.cloud)
        self.begin(items)

    # -- help ----------------------------------------------------------------------------------------------

    def begin(self, items: tuple[str, ...]) -> Run:
        """Fire the run of the next minute."""
        self.items.append(items)
        run = self.run("first", len(self.items))
        self.send("first", Fire(run).event())
        return run

    def begin_alone(self, items: tuple[str, ...]) -> Run:
        """Fire when those before have had time to end, so that the run needn't wait for its turn."""
        self.pause("first", paused=False)
        self.cloud.run_until_idle(4 * QUIET)
        return self.begin(items)

    def run(self, task: str, minute: int) -> Run:
        """The run of a task in one of the minutes that there were."""
        number = (minute - 1) % len(self.items)
        params = {"items": list(self.items[number])} if task == "first" else {}
        return Run(task, START + timedelta(minutes=number + 1), self.cloud.bucket, params)

    def send(self, task: str, event: object) -> None:
        """Send an event to a task's dispatcher."""
        self.cloud.invoke_async(self.cloud.dispatcher(task), event)

    def signal(self, run: Run, kind: type, epoch: int) -> None:
        """Send a signal about a run; that it is to be followed, to whoever follows."""
        if kind is Follow:
            self.send("then", Follow(replace(run, task="then")).event()) if run.task == "first" else None
        else:
            self.send(run.task, (Resume(run, epoch) if kind is Resume else kind(run)).event())

    def look(self, times: int) -> None:
        """Let the keeper look, as often at once: its rule delivers twice, too."""
        [keeper] = [function.name for function in self.cloud.deployment.functions if ".keeper." in function.handler]
        for _ in range(times):
            self.cloud.invoke_async(keeper, {"keeper": "check"})
            self.cloud.advance(seconds=3)

    def plan(self, kind: str, skip: int, call: tuple[str, str], late_s: float = 0.0) -> None:
        """Let such a call break, but for the next few of them."""
        self.weather.planned.append(Planned(kind, skip, *call, late_s))

    def try_to_redrive(self, run_id: str) -> None:
        """Do again what a run has given up or dropped, if it has."""
        with contextlib.suppress(DrumbeatError):
            if self.stage.control.redrive(run_id).items:
                self.ended.pop(run_id, None)

    def pause(self, task: str, *, paused: bool) -> None:
        """Let a task's fires open no runs, or let them again."""
        with contextlib.suppress(DrumbeatError):
            (self.stage.control.pause if paused else self.stage.control.resume)(task)

    def some(self, records: list[RunRecord], which: int) -> list[RunRecord]:
        """One of them, if there are any."""
        return [records[which % len(records)]] if records else []

    # -- what must hold ------------------------------------------------------------------------------------

    @invariant()
    def no_end_was_told_early_and_what_has_ended_stays(self) -> None:
        """After each step."""
        if not hasattr(self, "cloud"):
            return
        assert [] == self.weather.early
        for record in self.cloud.runs():
            if record.state in ENDED:
                assert self.ended.setdefault(record.id, record) == record, self.cloud.log.text()[-4000:]
            else:
                assert record.id not in self.ended

    def rest(self) -> None:
        """After a while nothing more breaks; all runs come to their end, with every item counted once."""
        self.cloud.run_until_idle(QUIET)
        self.weather.clear()
        self.cloud.advance(seconds=max(0, self.weather.late_until_ns - to_ns(self.cloud.now)) // 10**9 + 1)
        before = {record.id: record.takeovers for record in self.cloud.runs()}
        for task in TASKS:
            self.stage.resume_worker(task)
            self.pause(task, paused=False)
        for _ in TASKS:  # and then those that have begun meanwhile, such as after the others
            come_to_rest(self.cloud)
        check_invariants(self.cloud, may_hold=DEAD_EVENTS)
        blameless: list[str] = []
        for record in self.cloud.runs():
            most = before.get(record.id, 0) + MOST_TAKEOVERS
            assert record.takeovers <= most, f"{record.id} was taken over again and again: {self.cloud.log.text()}"
            if record.state in ENDED and self.reckoned.get(record.id) != record:
                self.reckoned[record.id] = record
                blameless += reckon(self.stage, record, self.items_of(record))
                self.check_that_it_is_followed(record)
        reasons = self.weather.hits["worker"] + self.given_up
        assert reasons or not blameless, f"items failed, and nothing was wrong with them: {blameless}"
        self.weather.odds = self.odds

    def check_that_it_is_followed(self, record: RunRecord) -> None:
        """Each run of `first` that has succeeded has one of `then`, unless its event couldn't be delivered."""
        if record.state != "SUCCEEDED" or record.task != "first":
            return
        dead_fires = sum(sum(depth) for name, depth in self.cloud.queues().items() if "DeadFires" in name)
        assert dead_fires or f"then/{record.scheduled_at}" in [other.id for other in self.cloud.runs("then")]

    def items_of(self, record: RunRecord) -> list[str]:
        """What a run was to do: `then` does what `first` had done by then, which a redrive may have added to since."""
        run = Run.parse(record.id)
        given = list(self.items[(run.scheduled_at - START) // timedelta(minutes=1) - 1])
        if run.task == "first":
            return given
        before = self.cloud.show(replace(run, task="first"))
        undone = {letter.number for letter in before.dead_letters} | before.dropped_numbers
        done = [item.upper() for number, item in enumerate(given) if number not in undone]
        if not before.round:
            return done
        met = {letter.item for letter in self.cloud.show(run).dead_letters}
        return [item for item in done if item in met or witness.attempts_of(run.id, item)]

    def teardown(self) -> None:
        """Let everybody come to an end; late repeats change nothing."""
        if not hasattr(self, "cloud"):
            return
        with self.closing:
            self.rest()
            for record in self.cloud.runs():
                run = Run.parse(record.id)
                for signal in (Finish(run), Resume(run, record.epoch), Sweep(run)):
                    self.send(run.task, signal.event())
            self.reckoned.clear()
            self.rest()
            self.no_end_was_told_early_and_what_has_ended_stays()
