"""Do items: one after the other, in threads or as coroutines, until they are done or the time is up."""

import asyncio
import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from enum import Enum
from typing import Any

from drumbeat.errors import InProgress, ResultNotJson
from drumbeat.retry import is_throttle
from drumbeat.run import Run
from drumbeat.task import Task, Work

_GUARD = 0.1  # of the function's timeout, kept to settle what is done
_GUARD_S = 10  # at most


class End(Enum):
    """How the attempt of an item ended."""

    DONE = "done"
    FAILED = "failed"
    THROTTLED = "throttled"  # no attempt: AWS refused for its rate
    LEFT = "left"  # not begun: the time was up


@dataclass(frozen=True)
class Outcome:
    """The end of one attempt; `value` is what work returned."""

    end: End
    value: Any = None
    error: BaseException | None = None


LEFT = Outcome(End.LEFT)
Items = Mapping[int, Any]
"""What is to do, by the item's index in its chunk."""


def do_items(
    task: Task, run: Run, items: Items, *, work: Work, left_s: Callable[[], float]
) -> Iterable[tuple[int, Outcome]]:
    """Do all items, or as many as the time allows; every index comes back once, the unbegun ones as LEFT."""
    guard = min(_GUARD_S, task.timeout_s * _GUARD)
    if inspect.iscoroutinefunction(task.worker):
        return asyncio.run(_in_coroutines(task, run, items, work, lambda: left_s() - guard))
    if task.concurrency > 1:
        return _in_threads(task, run, items, work, lambda: left_s() - guard)
    return _in_turn(run, items, work, lambda: left_s() - guard)


def _in_turn(run: Run, items: Items, work: Work, left_s: Callable[[], float]) -> Iterable[tuple[int, Outcome]]:
    """One after the other; none is begun that would not end in time if it took as long as the longest so far."""
    longest = 0.0
    for index, item in items.items():
        before = left_s()
        if before <= longest:
            yield index, LEFT
            continue
        yield index, _attempt(lambda item=item: work(item, run))  # type: ignore[misc]
        longest = max(longest, before - left_s())


def _in_threads(
    task: Task, run: Run, items: Items, work: Work, left_s: Callable[[], float]
) -> Iterable[tuple[int, Outcome]]:
    """Side by side; a thread can't be stopped, so an item that is still running at the end counts as failed."""
    waiting = iter(items.items())
    running: dict[Future[Outcome], int] = {}
    pool = ThreadPoolExecutor(task.concurrency, thread_name_prefix="drumbeat")
    outcomes = dict.fromkeys(items, LEFT)
    try:
        while left_s() > 0:
            for index, item in waiting:
                running[pool.submit(_attempt, lambda item=item: work(item, run))] = index  # type: ignore[misc]
                if len(running) == task.concurrency:
                    break
            if not running:
                break
            for future in wait(running, timeout=max(0, left_s()), return_when=FIRST_COMPLETED).done:
                outcomes[running.pop(future)] = future.result()
        for index in running.values():
            outcomes[index] = _timed_out(task)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return outcomes.items()


async def _in_coroutines(
    task: Task, run: Run, items: Items, work: Work, left_s: Callable[[], float]
) -> Iterable[tuple[int, Outcome]]:
    """Side by side in one event loop; an item that is still running at the end is cancelled and counts as failed."""
    gate = asyncio.Semaphore(task.concurrency)
    outcomes = dict.fromkeys(items, LEFT)

    async def do(index: int, item: Any) -> None:
        async with gate:
            if left_s() > 0:
                outcomes[index] = _timed_out(task)
                outcomes[index] = await _attempt_async(work(item, run))

    doing = [asyncio.ensure_future(do(index, item)) for index, item in items.items()]
    _, late = await asyncio.wait(doing, timeout=max(0, left_s()))
    for future in late:
        future.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return outcomes.items()


def _attempt(step: Callable[[], Any]) -> Outcome:
    try:
        return _done(step())
    except Exception as error:  # noqa: BLE001  (whatever the author's code raises is the item's outcome)
        return _failed(error)


async def _attempt_async(step: Any) -> Outcome:
    try:
        return _done(await step)
    except Exception as error:  # noqa: BLE001  (whatever the author's code raises is the item's outcome)
        return _failed(error)


def _done(value: Any) -> Outcome:
    if value is not None:
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise ResultNotJson(f"work returned a {type(value).__name__} that isn't JSON: {error}") from None
    return Outcome(End.DONE, value)


def _failed(error: Exception) -> Outcome:
    throttled = isinstance(error, InProgress) or is_throttle(error)
    return Outcome(End.THROTTLED if throttled else End.FAILED, error=error)


def _timed_out(task: Task) -> Outcome:
    return Outcome(End.FAILED, error=TimeoutError(f"not done when timeout_s={task.timeout_s} of its invocation was up"))
