"""One delivery of a chunk to a worker: do what is left of it, then settle it or say when it should come back.

A chunk that succeeds at once is settled with a single write.  Only when something failed is its progress recorded, so
that items which are done aren't done again.  When deliveries ended without a word (the worker was killed), the next
one goes carefully: it records which item it is at, so that the item which kills workers is found and given up alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

from drumbeat.chunk import Chunk
from drumbeat.errors import ResultNotJson, WorkerDied
from drumbeat.ledger import count, progress
from drumbeat.ledger.count import Settled
from drumbeat.ledger.progress import Progress
from drumbeat.ledger.record import RunRecord
from drumbeat.retry import BORNE, is_unreachable
from drumbeat.task import Task, Work

from . import results
from .gate import Allowed, Slowest
from .head import Heads
from .lines import Unreadable
from .load import Loaded, bare, load_items
from .services import Services
from .settle import bury, drop, expiry, left_of_swept, settle
from .work import DONE, End, Outcome, do_items

Reached = tuple[Progress, Mapping[int, Any] | None]
"""How far a chunk has come, and its results unless the passes have stored them."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One delivery: `receive` is SQS's count of them, `token` is new for each, `left_s` the seconds that are left.

    slowest: is kept for all the chunks of one invocation; lap_ms: the milliseconds since it was called last.
    """

    receive: int
    token: str
    left_s: Callable[[], float]
    slowest: Slowest = field(default_factory=Slowest)
    lap_ms: Callable[[], int] = lambda: 0


class Pass:
    """A worker's turn at a chunk of a run whose record is `head`."""

    def __init__(
        self,
        task: Task,
        chunk: Chunk,
        services: Services,
        *,
        work: Work,
        turn: Turn,
        head: RunRecord,
        heads: Heads,
        budget: Allowed | None = None,
    ) -> None:
        self._task = task
        self._chunk = chunk
        self._run = head.run(chunk.run.bucket)
        self._services = services
        self._work = work
        self._turn = turn
        self._head = head
        self._heads = heads
        self._budget = budget
        self._items: Mapping[int, Loaded] = {}
        self._retry_at = 0

    def go(self) -> Settled | float:
        """Take the turn: what settling said, or the seconds after which the chunk should come back.

        Raises Fenced if another worker has got on with the chunk meanwhile.
        """
        tree, number, expires_at = self._chunk.tree, self._chunk.number, expiry(self._services.now())
        if self._turn.receive == 1 and not self._chunk.again and not self._head.halt:
            return self._end(self._at_once(Progress()))
        before = count.settled(self._services.table, tree, number, expires_at=expires_at)
        if before is not None:
            return self._keep_if_swept(before)
        state = progress.read(self._services.table, tree, number)
        if state.final:
            return self._end((state, None))
        if self._head.halt:
            return self._end(self._drop(state, None))
        entered = self._write(replace(state, entered=self._turn.receive), self._turn.token)
        return self._end(self._carefully(entered) if state.entered else self._at_once(entered))

    def keep(self) -> None:
        """Keep, for a redrive, what is left of a chunk that was swept, and whose message comes after the run's end."""
        state = left_of_swept(self._services, self._chunk)
        if state is not None:
            self._drop(state, None, halt=self._head.halt)

    def _keep_if_swept(self, end: Settled) -> Settled:
        """Keep what is left of a chunk that was settled before, if it was swept, and all of it counted as dropped."""
        if end.before == "gone":
            self._heads.forget(self._chunk.run)  # the sweep may be younger than what is known of the run
            self.keep()
        return end

    def _end(self, reached: Reached) -> Settled | float:
        state, values = reached
        if not state.final and self._heads.is_halted(self._chunk.run):
            state, values = self._drop(state, values)
        if state.final:
            keeps_results = self._head.keeps_results
            end = settle(self._chunk, state, self._services, keeps_results=keeps_results, values=values)
            return self._keep_if_swept(end)
        now = self._services.now().timestamp()
        return max(0.0, min(state.due.get(index, 0) for index in state.left(self._chunk.count)) - now)

    def _at_once(self, state: Progress) -> Reached:
        self._items = load_items(self._chunk, self._services)
        outcomes = self._do(self._ready(state))
        after = self._after(state, outcomes, self._turn.token)
        if after.final and after.failed == 0 and state.version == 0:
            return after, self._values(outcomes)
        return self._record(state, after, outcomes, self._turn.token), None

    def _carefully(self, state: Progress) -> Reached:
        self._items = load_items(self._chunk, self._services)
        if state.doing is not None:
            died = {state.doing: Outcome(End.FAILED, error=WorkerDied())}
            token = f"{self._turn.token}.died"
            state = self._record(state, self._after(state, died, token), died, token)
        for index in self._ready(state):
            state = self._write(replace(state, doing=index, entered=self._turn.receive), self._turn.token)
            outcomes = self._do((index,))
            state = self._record_one(state, index, outcomes)
            if outcomes[index].end is End.LEFT:
                break
        return state, None

    def _record_one(self, state: Progress, index: int, outcomes: Mapping[int, Outcome]) -> Progress:
        """Record the outcome of a careful item; if that fails, at least that this worker is alive."""
        token = f"{self._turn.token}.{index}"
        try:
            return self._record(state, self._after(state, outcomes, token), outcomes, token)
        except Exception:
            self._write(replace(state, doing=None), token)  # or the next pass would think that the item killed it
            raise

    def _ready(self, state: Progress) -> tuple[int, ...]:
        """The items that may be tried now: all that are left, but for those whose time hasn't come."""
        left = state.left(self._chunk.count)
        if not state.due:
            return tuple(left)
        now = self._services.now().timestamp()
        return tuple(index for index in left if state.due.get(index, 0) <= now)

    def _do(self, indices: tuple[int, ...]) -> dict[int, Outcome]:
        items = bare(self._items, indices)
        unread = {}
        if self._chunk.items is None or self._chunk.round:
            found = ((index, item) for index, item in items.items() if isinstance(item, Unreadable))
            unread = {index: Outcome(End.DEAD, error=item.why) for index, item in found}
            items = {index: item for index, item in items.items() if index not in unread}
        if not items:
            return unread
        outcomes = unread | dict(
            do_items(
                self._task,
                self._run,
                items,
                work=self._work,
                left_s=self._turn.left_s,
                stopped=lambda: self._heads.is_halted(self._chunk.run),
                budget=self._budget,
                slowest=self._turn.slowest,
            )
        )
        if self._task.log_items is not None:
            from .told import log_items  # noqa: PLC0415  (only where a task asks for it: it costs init time)

            log_items(self._task.log_items, self._items, outcomes)
        return outcomes

    def _after(self, state: Progress, outcomes: Mapping[int, Outcome], token: str) -> Progress:
        """The progress that these outcomes make; items out of attempts are written as dead letters."""
        worked_ms = state.worked_ms + self._turn.lap_ms()
        if state.pending is None and len(outcomes) == self._chunk.count and _all_done(outcomes):
            return replace(
                state,
                pending={},
                ok=state.ok + len(outcomes),
                attempts=state.attempts + len(outcomes),
                worked_ms=worked_ms,
                entered=0,
                rounds=0,
                final=True,
            )
        pending = state.left(self._chunk.count)
        due = {index: time for index, time in state.due.items() if index not in outcomes}
        failed = attempts = done = 0
        tried: dict[int, int] = {}
        for index, given in outcomes.items():
            outcome = self._borne(given)
            attempts += outcome.end in (End.DONE, End.FAILED, End.DEAD)
            if outcome.end is End.DONE:
                del pending[index]
                done += 1
            elif outcome.end is End.THROTTLED and outcome.after_s is not None:
                due[index] = self._time(outcome.after_s)
            elif outcome.end is End.THROTTLED:
                tried[index] = self._turn.receive
            elif outcome.end in (End.FAILED, End.DEAD) and outcome.error is not None:
                pending[index] += 1
                if not self._gives_up(outcome, attempts=pending[index]):
                    tried[index] = pending[index]
                    continue
                self._bury(index, outcome.error, attempts=pending.pop(index), token=token)
                failed += 1
        return replace(
            state,
            pending=pending,
            due=due | self._backed_off(tried),
            ok=state.ok + done,
            failed=state.failed + failed,
            attempts=state.attempts + attempts,
            worked_ms=worked_ms,
            entered=0,
            doing=None,
            rounds=0,
            final=not pending,
        )

    def _borne(self, outcome: Outcome) -> Outcome:
        """No attempt, if what the item needs couldn't be reached: for so many deliveries, which back off ever longer.

        A task that tries nothing again doesn't bear it: the item may have had its effect.
        """
        if outcome.end is not End.FAILED or not self._task.retries or self._turn.receive > BORNE:
            return outcome
        is_borne = outcome.error is not None and is_unreachable(outcome.error)
        return outcome._replace(end=End.THROTTLED) if is_borne else outcome

    def _backed_off(self, tried: Mapping[int, int]) -> dict[int, int]:
        """When items may be tried again after so many tries: all at once, so that their chunk comes back once."""
        if tried:
            delay_s = self._task.backoff.delay_s(max(tried.values()), draw=self._services.draw())
            self._retry_at = max(self._retry_at, self._time(delay_s))
        return dict.fromkeys(tried, self._retry_at)

    def _time(self, after_s: float) -> int:
        return ceil(self._services.now().timestamp() + after_s)

    def _gives_up(self, outcome: Outcome, *, attempts: int) -> bool:
        return outcome.end is End.DEAD or attempts > self._task.retries or isinstance(outcome.error, ResultNotJson)

    def _bury(self, index: int, error: BaseException, *, attempts: int, token: str) -> None:
        bury(self._chunk, self._services, item=self._items[index], error=error, attempts=attempts, token=token)

    def _drop(self, state: Progress, values: Mapping[int, Any] | None, *, halt: str = "") -> Reached:
        """Settle a chunk of a halted run without doing more of it."""
        self._items = self._items or load_items(self._chunk, self._services)
        token = f"{self._turn.token}.halted"
        halt = halt or self._heads.halt_of(self._chunk.run) or self._head.halt
        after = drop(self._chunk, state, self._items, self._services, halt=halt, token=token)
        if state.version == 0 and after.failed == 0 and not after.gave_back:
            return after, values or {}
        return self._write(after, token), None

    def _record(self, before: Progress, after: Progress, outcomes: Mapping[int, Outcome], token: str) -> Progress:
        """Write how far the chunk has come; the pass is named if something counts only by its name."""
        values = self._values(outcomes)
        if values:
            results.write_part(self._services, self._chunk, values, token=token)
            after = replace(after, parts=(*after.parts, token))
        if after.failed > before.failed:
            after = replace(after, passes=(*after.passes, token))
        return self._write(after, token)

    def _write(self, state: Progress, token: str) -> Progress:
        tree, number, expires_at = self._chunk.tree, self._chunk.number, expiry(self._services.now())
        return progress.write(self._services.table, tree, number, state, token=token, expires_at=expires_at)

    def _values(self, outcomes: Mapping[int, Outcome]) -> dict[int, Any]:
        """The results by the numbers of their items, if somebody reads them."""
        if not self._head.keeps_results:
            return {}
        return {
            self._items[index].number: outcome.value for index, outcome in outcomes.items() if outcome.value is not None
        }


def _all_done(outcomes: Mapping[int, Outcome]) -> bool:
    return all(outcome is DONE or outcome.end is End.DONE for outcome in outcomes.values())
