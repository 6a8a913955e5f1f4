"""Do items as coroutines, side by side in one event loop."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from drumbeat.task import Task

from .attempt import Outcome, attempt_async, invocation_timed_out, item_timed_out, verdict
from .gate import Gate


class Coroutines:
    """At most `concurrency` items at a time; one whose time, or whose worker's time, is up is cancelled and has failed.

    The gate's rare calls to AWS (a look at the run, a lease) hold the loop up for the milliseconds that they take.
    """

    def __init__(self, task: Task, gate: Gate) -> None:
        self._task = task
        self._gate = gate
        self._room = asyncio.Semaphore(task.concurrency)
        self._outcomes: dict[int, Outcome] = {}
        self._doing: list[asyncio.Task[None]] = []

    async def do(self, steps: Mapping[int, Callable[[], Any]]) -> Iterable[tuple[int, Outcome]]:
        """Do the steps, in the order of their beginning; each comes back once."""
        everything = asyncio.ensure_future(self._do_all(steps))
        await asyncio.wait([everything], timeout=max(0, self._gate.left_s()))
        for late in (everything, *self._doing):
            late.cancel()
        await asyncio.gather(*self._doing, return_exceptions=True)
        with contextlib.suppress(asyncio.CancelledError):
            await everything
        return [(index, self._outcomes.get(index, self._gate.verdict)) for index in steps]

    async def _do_all(self, steps: Mapping[int, Callable[[], Any]]) -> None:
        for index, step in steps.items():
            await self._room.acquire()
            if not await self._may_begin():
                break
            self._doing.append(asyncio.ensure_future(self._do(index, step)))
        await asyncio.gather(*self._doing, return_exceptions=True)

    async def _may_begin(self) -> bool:
        pause = self._gate.ask()
        while pause:
            await asyncio.sleep(pause)
            pause = self._gate.ask()
        return pause is not None

    async def _do(self, index: int, step: Callable[[], Any]) -> None:
        began = self._gate.left_s()
        self._outcomes[index] = invocation_timed_out(self._task)  # unless it ends before
        try:
            async with asyncio.timeout(self._task.item_timeout_s):
                self._outcomes[index] = await attempt_async(self._task, step)
        except TimeoutError:
            self._outcomes[index] = item_timed_out(self._task)
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            self._outcomes[index] = verdict(self._task, error)
        finally:
            self._room.release()
            self._gate.took(began - self._gate.left_s())


def _is_cancelled() -> bool:
    """Whether this coroutine was asked to end; if not, a CancelledError is the author's own."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
