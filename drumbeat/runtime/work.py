"""Do items: one after the other, in threads or as coroutines, until they are done or may no longer begin."""

import inspect
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from drumbeat.run import Run
from drumbeat.task import Task, Work

from .attempt import DONE, LEFT, End, Outcome, done, verdict
from .gate import Allowed, Gate, Slowest

__all__ = ["DONE", "LEFT", "End", "Outcome", "do_items"]

_GUARD = 0.1  # of the function's timeout, kept to settle what is done
_GUARD_S = 10  # at most
_LOOK_EVERY_S = 0.02

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
    clock: Callable[[], float] | None = None,
) -> Iterable[tuple[int, Outcome]]:
    """Do all items, or as many as may begin; every index comes back once.

    left_s: seconds until the invocation is killed; a tenth of `timeout_s`, at most ten seconds, is kept to settle.
    stopped: once it is True, no further item begins (LEFT).
    budget: hands out the slots of the task's budgets; an item that would wait long for one comes back as THROTTLED.
    slowest: what earlier chunks of the same invocation took; none is begun that might not end in time.
    clock: seconds; where items are done one after the other, it alone is looked at before each, and `left_s` and
    `stopped` are asked again when 20 ms have passed.

    With `item_timeout_s` plain work runs in threads.  A thread can't be stopped: an item that exceeds its time has
    failed, its thread goes on beside the others, and what it returns is not looked at.
    """
    guard = min(_GUARD_S, task.timeout_s * _GUARD)
    gate = Gate(len(items), left_s=lambda: left_s() - guard, stopped=stopped, budget=budget, slowest=slowest)
    if inspect.iscoroutinefunction(task.worker):
        import asyncio  # noqa: PLC0415  (only where a task asks for it: it costs init time)

        from .coroutines import Coroutines  # noqa: PLC0415

        return asyncio.run(Coroutines(task, gate).do(_steps(work, items, run)))
    if task.concurrency > 1 or task.item_timeout_s is not None:
        from .threads import Threads  # noqa: PLC0415  (only where a task asks for it: it costs init time)

        return Threads(task, gate).do(_steps(work, items, run))
    clock = clock or time.monotonic
    return _in_turn(task, run, items, work=work, gate=gate, clock=clock, always=budget is not None)


def _steps(work: Work, items: Items, run: Run) -> dict[int, Callable[[], Any]]:
    return {index: partial(work, item, run) for index, item in items.items()}


def _in_turn(
    task: Task, run: Run, items: Items, *, work: Work, gate: Gate, clock: Callable[[], float], always: bool
) -> Iterator[tuple[int, Outcome]]:
    """One after the other.  The gate is asked before each item if `always`, or else when some time has passed.

    The loop is what an item costs beyond the author's function: what can be done outside it is.
    """
    look_at = now = clock()
    longest = 0.0
    for index, item in items.items():
        if always or now >= look_at:
            if not gate.wait():
                yield index, gate.verdict
                continue
            now = clock()
            look_at = now + _LOOK_EVERY_S
        began = now
        try:
            value = work(item, run)
            outcome = DONE if value is None else done(value)
        except (Exception, SystemExit) as error:  # noqa: BLE001  (whatever the author's code raises is the item's outcome)
            outcome = verdict(task, error)
        yield index, outcome
        now = clock()
        if now - began > longest:
            longest = now - began
            gate.took(longest)
