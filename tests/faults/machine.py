"""Two tasks, one after the other, whose runs go through all that can happen to them, in any order.

Hypothesis draws what happens; the far end is looked at after every step, and everything must hold when it is quiet.
Handlers run for real, on the local cloud.
"""

import contextlib
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from drumbeat.errors import DrumbeatError
from drumbeat.ledger.record import ENDED
from drumbeat.local.clock import to_ns
from drumbeat.signal import Finish, Fire, Follow, Resume, Sweep
from drumbeat.testing import KINDS
from tests.faults import witness
from tests.faults.ground import FAILING, ITEMS, QUIET, SLOW, Ground
from tests.faults.weather import CALLS, LATE_KINDS, SERVICES, STANDS_STILL

MINUTES = st.integers(1, 3)
WHICH = st.integers(0, 5)
SKIPS = st.integers(0, 6)
SOME_ITEMS = st.sampled_from(ITEMS)
SOME_SLOW, SOME_FAILING = st.sampled_from(SLOW), st.sampled_from(FAILING)
SOON = st.sampled_from((0.3, 1, 3, 6))
SOME_TASK = st.sampled_from(("first", "first", "then"))
EXPANDING = (("PutEvents", 0), ("UpdateItem", 1), ("UpdateItem", 2), ("UpdateItem", 3), ("SendMessageBatch", 0))
"""Calls that a dispatcher makes while it expands a run, each with how many such it has made before."""
SIGNALS = st.sampled_from((Finish, Sweep, Follow, Fire, Resume))


class Pair(Ground):
    """What may happen."""

    # -- at any time ---------------------------------------------------------------------------------------

    @rule(items=SOME_ITEMS)
    def fire(self, items: tuple[str, ...]) -> None:
        """The next minute has come."""
        self.begin(items)

    @rule(task=SOME_TASK, minute=MINUTES, kind=SIGNALS, epoch=st.integers(0, 3))
    def repeat(self, task: str, minute: int, kind: Any, epoch: int) -> None:
        """A signal comes that nobody needs: too early, late, or twice."""
        run = self.run(task, minute)
        if run.id in [record.id for record in self.cloud.runs(task)]:
            self.signal(run, kind, epoch)

    @rule(items=SOME_SLOW, seconds=SOON, kind=st.sampled_from((Finish, Finish, Sweep, Fire, Resume)))
    def hurry(self, items: tuple[str, ...], seconds: float, kind: Any) -> None:
        """A signal comes while the run is being worked."""
        run = self.begin_alone(items)
        self.cloud.advance(seconds=seconds)
        self.signal(run, kind, 0)

    @rule(seconds=st.sampled_from((0.1, 0.5, 1, 3, 10, 60, 400)))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.cloud.advance(seconds=seconds)

    @rule(times=st.integers(1, 3))
    def let_the_keeper_look(self, times: int) -> None:
        """Its next round comes, and maybe comes again."""
        self.cloud.advance(minutes=15)
        self.look(times - 1)

    @rule(task=SOME_TASK, paused=st.booleans())
    def pause_or_resume(self, task: str, paused: bool) -> None:
        """An operator's doing."""
        self.pause(task, paused=paused)

    @precondition(lambda self: hasattr(self, "cloud"))
    @rule()
    def come_to_rest(self) -> None:
        """All runs come to their end."""
        self.rest()

    # -- calls ---------------------------------------------------------------------------------------------

    @rule(
        kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=3) | st.just(["crash before"] * 3),
        skip=SKIPS,
        call=st.sampled_from(CALLS),
        items=SOME_ITEMS,
    )
    def breaks(self, kinds: list[str], skip: int, call: tuple[str, str], items: tuple[str, ...]) -> None:
        """Calls will break, one after the other, such as those of a run that is fired now."""
        for kind in kinds:
            self.plan(kind, skip if not call[1] else skip // 3, call)
        self.begin(items)
        self.cloud.advance(seconds=2)

    @rule(
        kind=st.sampled_from(LATE_KINDS),
        skip=SKIPS,
        call=st.sampled_from([call for call in CALLS if call[1] and call[1] != "PutObject"]),
        late_s=st.sampled_from((0.2, 3, 20, 200)),
        items=SOME_ITEMS,
    )
    def is_late(self, kind: str, skip: int, call: tuple[str, str], late_s: float, items: tuple[str, ...]) -> None:
        """A call is made late, or arrives late."""
        self.plan(kind, skip, call, late_s)
        self.begin(items)
        self.cloud.advance(seconds=2)

    @rule(service=st.sampled_from(SERVICES), minutes=st.sampled_from((0.5, 10)))
    def leaves(self, service: str, minutes: float) -> None:
        """A service is away for longer than any SDK waits."""
        self.weather.leave(service, to_ns(self.cloud.now + timedelta(minutes=minutes)))
        self.cloud.advance(seconds=30)

    # -- halts and redrives --------------------------------------------------------------------------------

    @rule(items=SOME_SLOW, seconds=SOON, which=WHICH, abandon=st.booleans())
    def cancel(self, items: tuple[str, ...], seconds: float, which: int, abandon: bool) -> None:
        """One of the open runs is halted, early or late in its life."""
        self.begin_alone(items)
        self.cloud.advance(seconds=seconds)
        for record in self.some([record for record in self.cloud.runs() if record.state not in ENDED], which):
            with contextlib.suppress(DrumbeatError):
                self.stage.control.cancel(record.id, abandon=abandon)

    @rule(which=WHICH, mend=st.booleans(), seconds=st.sampled_from((0, 1, 60)))
    def redrive(self, which: int, mend: bool, seconds: float) -> None:
        """What one of the ended runs has given up or dropped is done again; whose items were mended, well."""
        self.cloud.run_until_idle(QUIET)
        for record in self.some([record for record in self.cloud.runs() if record.failed + record.dropped], which):
            if mend:
                witness.mend(record.id)
            self.try_to_redrive(record.id)
        self.cloud.advance(seconds=seconds)

    # -- two at a time -------------------------------------------------------------------------------------

    @rule(
        items=SOME_FAILING,
        skip=st.integers(0, 2),
        operation=st.sampled_from(("PutItem", "PutItem", "PutItem", "UpdateItem", "PutObject")),
        stands_s=st.sampled_from((0, 3, 12, 25)),
        after_s=st.sampled_from((0, 0.5, 2)),
    )
    def twins(self, items: tuple[str, ...], skip: int, operation: str, stands_s: float, after_s: float) -> None:
        """Messages are delivered a second time while the first worker is still at them, and stands still."""
        run = self.begin_alone(items)
        self.stage.pause_worker("first")
        self.cloud.advance(seconds=3)
        bodies = self.stage.waiting_messages(run)
        self.cloud.advance(seconds=2)
        if stands_s:
            self.plan(STANDS_STILL, skip, ("worker", operation), stands_s)
        self.stage.resume_worker("first")
        self.cloud.advance(seconds=after_s)
        self.stage.send_messages("first", bodies)
        self.cloud.advance(seconds=4)

    @rule(items=SOME_FAILING, call=st.sampled_from(EXPANDING), redriven=st.sampled_from((True, True, False)))
    def comes_back(self, items: tuple[str, ...], call: tuple[str, int], redriven: bool) -> None:
        """A dispatcher stands still while the keeper lets another go on; and maybe until the run is redriven."""
        operation, skip = call
        run = self.begin_alone(items)
        self.plan(STANDS_STILL, skip, ("dispatcher", operation), 600)
        self.cloud.advance(seconds=3)
        self.look(2)
        self.cloud.advance(seconds=120)
        if redriven:
            self.stage.pause_worker("first")
            self.try_to_redrive(run.id)
            self.cloud.advance(seconds=600)
            self.stage.resume_worker("first")

    @rule(
        items=SOME_FAILING,
        worked_s=st.sampled_from((0, 0.3, 1)),
        chunk=st.integers(0, 2),
        times=st.sampled_from((1, 3)),
    )
    def give_up(self, items: tuple[str, ...], worked_s: float, chunk: int, times: int) -> None:
        """A message was received too often, again and again, whether or not somebody had begun with it."""
        run = self.begin_alone(items)
        self.cloud.advance(seconds=worked_s)
        self.stage.pause_worker("first")
        for again in range(times):
            self.cloud.advance(seconds=5 + 60 * 2**again)
            self.given_up += self.stage.give_up_message(run, chunk=chunk)
        self.cloud.advance(seconds=5)
        self.stage.resume_worker("first")
