"""Do items in threads, side by side."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple

from drumbeat.task import Task

from .attempt import Outcome, attempt, invocation_timed_out, item_timed_out
from .gate import Gate


class _Running(NamedTuple):
    item: int
    left_s: float  # what was left of the invocation when it began


class Threads:
    """At most `concurrency` items at a time; a thread can't be stopped, so a late item is left alone, and has failed.

    The thread of an item that was left alone isn't waited for: others take its place in the pool, and its outcome is
    dropped.  In Lambda it freezes with the invocation and goes on in the next one of the same environment.
    """

    def __init__(self, task: Task, gate: Gate) -> None:
        self._task = task
        self._gate = gate
        self._running: dict[Future[Outcome], _Running] = {}

    def do(self, steps: Mapping[int, Callable[[], Any]]) -> Iterable[tuple[int, Outcome]]:
        """Do the steps, in the order of their beginning; each comes back once."""
        outcomes: dict[int, Outcome] = {}
        waiting = dict(reversed([*steps.items()]))
        spare = (
            len(steps) if self._task.item_timeout_s is not None else 0
        )  # in place of the threads that are left alone
        pool = ThreadPoolExecutor(self._task.concurrency + spare, thread_name_prefix="drumbeat")
        try:
            while self._gate.left_s() > 0:
                pause = self._begin(waiting, pool)
                if self._running:
                    outcomes.update(self._await(pause))
                elif pause:
                    self._gate.sleep(pause)
                else:
                    break
            outcomes.update((running.item, invocation_timed_out(self._task)) for running in self._running.values())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return [(index, outcomes.get(index, self._gate.verdict)) for index in steps]

    def _begin(self, waiting: dict[int, Callable[[], Any]], pool: ThreadPoolExecutor) -> float | None:
        """Begin what may begin now; the seconds after which to ask again, if the next item only waits for its slot."""
        while waiting and len(self._running) < self._task.concurrency:
            pause = self._gate.ask()
            if pause is None or pause > 0:
                return pause
            index, step = waiting.popitem()
            self._running[pool.submit(attempt, self._task, step)] = _Running(index, self._gate.left_s())
        return None

    def _await(self, pause: float | None) -> Iterator[tuple[int, Outcome]]:
        """Wait until an item ends or the next may begin; what ended, by itself or by its time."""
        limit = self._task.item_timeout_s
        patience = left = self._gate.left_s()
        if limit is not None:
            patience = min(left, *(limit - (began - left) for _, began in self._running.values()))
        if pause is not None:
            patience = min(patience, pause)
        done = wait(self._running, timeout=max(0, patience), return_when=FIRST_COMPLETED).done
        left = self._gate.left_s()
        for future, (index, began) in list(self._running.items()):
            if future in done:
                yield index, future.result()
            elif limit is not None and began - left >= limit:
                yield index, item_timed_out(self._task)
            else:
                continue
            self._gate.took(began - left)
            del self._running[future]
