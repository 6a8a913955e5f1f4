"""Do items: one after the other, in threads or as coroutines, until they are done or may no longer begin."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from drumbeat.run import Run
from drumbeat.task import Task, Work

from .attempt import LEFT, End, Outcome, attempt
from .gate import Allowed, Gate, Slowest

__all__ = ["LEFT", "End", "Outcome", "do_items"]

_GUARD = 0.1  # of the function's timeout, kept to settle what is done
_GUARD_S = 10  # at most

Items = Mapping[int, Any]
"""What is to do, by the item's index in its chunk."""


def do_items(
    task: Task,
    run: Run,
    items: Items,
    *,
    work: Work,
    left_s: Callable[[], float],
    stopped: Callable[[], bool] = lambda: False,
    budget: Allowed | None = None,
    slowest: Slowest | None = None,
) -> Iterable[tuple[int, Outcome]]:
    """Do all items, or as many as may begin; every index comes back once.

    left_s: seconds until the invocation is killed; a tenth of `timeout_s`, at most ten seconds, is kept to settle.
    stopped: asked before each item, but not twice at one `left_s`; once it is True, no further item begins (LEFT).
    budget: hands out the slots of the task's budgets; an item that would wait long for one comes back as THROTTLED.
    slowest: what earlier chunks of the same invocation took; none is begun that might not end in time.

    With `item_timeout_s` plain work runs in threads.  A thread can't be stopped: an item that exceeds its time has
    failed, its thread goes on beside the others, and what it returns is not looked at.
    """
    guard = min(_GUARD_S, task.timeout_s * _GUARD)
    gate = Gate(len(items), left_s=lambda: left_s() - guard, stopped=stopped, budget=budget, slowest=slowest)
    steps = {index: partial(work, item, run) for index, item in items.items()}
    if inspect.iscoroutinefunction(task.worker):
        import asyncio  # noqa: PLC0415  (only where a task asks for it: it costs init time)

        from .coroutines import Coroutines  # noqa: PLC0415

        return asyncio.run(Coroutines(task, gate).do(steps))
    if task.concurrency > 1 or task.item_timeout_s is not None:
        from .threads import Threads  # noqa: PLC0415  (only where a task asks for it: it costs init time)

        return Threads(task, gate).do(steps)
    return _in_turn(task, steps, gate)


def _in_turn(task: Task, steps: Mapping[int, Callable[[], Any]], gate: Gate) -> Iterable[tuple[int, Outcome]]:
    for index, step in steps.items():
        if not gate.wait():
            yield index, gate.verdict
            continue
        before = gate.left_s()
        yield index, attempt(task, step)
        gate.took(before - gate.left_s())
