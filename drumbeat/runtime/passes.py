"""One delivery of a chunk to a worker: do what is left of it, then settle it or say when it should come back.

A chunk that succeeds at once is settled with a single write.  Only when something failed is its progress recorded, so
that items which are done aren't done again.  When deliveries ended without a word (the worker was killed), the next
one goes carefully: it records which item it is at, so that the item which kills workers is found and given up alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from drumbeat.chunk import Chunk
from drumbeat.errors import ResultNotJson, WorkerDied
from drumbeat.ledger import count, progress
from drumbeat.ledger.count import Settled
from drumbeat.ledger.progress import Progress
from drumbeat.task import Task, Work

from . import results
from .services import Services
from .settle import bury, expiry, load_items, settle
from .work import End, Outcome, do_items


class Pass:
    """A worker's turn at a chunk; `receive` is SQS's count of deliveries, `token` is new for each turn."""

    def __init__(
        self,
        task: Task,
        chunk: Chunk,
        services: Services,
        *,
        work: Work,
        receive: int,
        token: str,
        left_s: Callable[[], float],
    ) -> None:
        self._task = task
        self._chunk = chunk
        self._services = services
        self._work = work
        self._receive = receive
        self._token = token
        self._left_s = left_s
        self._keeps_results = task.fan_in is not None
        self._items: Sequence[Any] = ()
        self._backoff_after = 0

    def go(self) -> Settled | float:
        """Take the turn: what settling said, or the seconds after which the chunk should come back.

        Raises Fenced if another worker has got on with the chunk meanwhile.
        """
        if self._receive == 1:
            return self._end(self._at_once(Progress()))
        run_id, number, expires_at = self._chunk.run.id, self._chunk.number, expiry(self._services.now())
        before = count.settled(self._services.table, run_id, number, expires_at=expires_at)
        if before is not None:
            return before
        state = progress.read(self._services.table, run_id, number)
        if state.final:
            return self._end((state, None))
        entered = self._write(replace(state, entered=self._receive), self._token)
        return self._end(self._carefully(entered) if state.entered else self._at_once(entered))

    def _end(self, reached: tuple[Progress, Mapping[int, Any] | None]) -> Settled | float:
        state, values = reached
        if state.final:
            return settle(self._chunk, state, self._services, keeps_results=self._keeps_results, values=values)
        attempt = self._backoff_after
        return self._task.backoff.delay_s(attempt, draw=self._services.draw()) if attempt else 0

    def _at_once(self, state: Progress) -> tuple[Progress, Mapping[int, Any] | None]:
        self._items = load_items(self._chunk, self._services)
        outcomes = self._do(state.left(self._chunk.count))
        after = self._after(state, outcomes, self._token)
        if after.final and after.failed == 0 and state.version == 0:
            return after, _values(outcomes)
        return self._record(after, outcomes, self._token), None

    def _carefully(self, state: Progress) -> tuple[Progress, None]:
        self._items = load_items(self._chunk, self._services)
        if state.doing is not None:
            died = {state.doing: Outcome(End.FAILED, error=WorkerDied())}
            state = self._record(self._after(state, died, f"{self._token}.died"), died, f"{self._token}.died")
        for index in state.left(self._chunk.count):
            state = self._write(replace(state, doing=index, entered=self._receive), self._token)
            outcomes = self._do((index,))
            state = self._record_one(state, index, outcomes)
            if outcomes[index].end is End.LEFT:
                break
        return state, None

    def _record_one(self, state: Progress, index: int, outcomes: Mapping[int, Outcome]) -> Progress:
        """Record the outcome of a careful item; if that fails, at least that this worker is alive."""
        token = f"{self._token}.{index}"
        try:
            return self._record(self._after(state, outcomes, token), outcomes, token)
        except Exception:
            self._write(replace(state, doing=None), token)  # or the next pass would think that the item killed it
            raise

    def _do(self, indices: Mapping[int, int] | tuple[int, ...]) -> dict[int, Outcome]:
        items = {index: self._items[index] for index in indices}
        if not items:
            return {}
        return dict(do_items(self._task, self._chunk.run, items, work=self._work, left_s=self._left_s))

    def _after(self, state: Progress, outcomes: Mapping[int, Outcome], token: str) -> Progress:
        """The progress that these outcomes make; items out of attempts are written as dead letters."""
        pending = state.left(self._chunk.count)
        failed = attempts = done = 0
        for index, outcome in outcomes.items():
            attempts += outcome.end in (End.DONE, End.FAILED)
            if outcome.end is End.DONE:
                del pending[index]
                done += 1
            elif outcome.end is End.THROTTLED:
                self._backoff_after = max(self._backoff_after, self._receive)
            elif outcome.end is End.FAILED and outcome.error is not None:
                pending[index] += 1
                if pending[index] <= self._task.retries and not isinstance(outcome.error, ResultNotJson):
                    self._backoff_after = max(self._backoff_after, pending[index])
                    continue
                bury(
                    self._chunk,
                    self._services,
                    index=index,
                    item=self._items[index],
                    error=outcome.error,
                    attempts=pending.pop(index),
                    token=token,
                )
                failed += 1
        return replace(
            state,
            pending=pending,
            ok=state.ok + done,
            failed=state.failed + failed,
            attempts=state.attempts + attempts,
            entered=0,
            doing=None,
            rounds=0,
            final=not pending,
        )

    def _record(self, after: Progress, outcomes: Mapping[int, Outcome], token: str) -> Progress:
        values = _values(outcomes)
        if self._keeps_results and values:
            results.write_part(self._services, self._chunk.run, self._chunk.number, values, token=token)
            after = replace(after, parts=(*after.parts, token))
        return self._write(replace(after, passes=(*after.passes, token)), token)

    def _write(self, state: Progress, token: str) -> Progress:
        run_id, number, expires_at = self._chunk.run.id, self._chunk.number, expiry(self._services.now())
        return progress.write(self._services.table, run_id, number, state, token=token, expires_at=expires_at)


def _values(outcomes: Mapping[int, Outcome]) -> dict[int, Any]:
    return {index: outcome.value for index, outcome in outcomes.items() if outcome.value is not None}
