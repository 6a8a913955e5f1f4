"""Items are done one by one, in threads or as coroutines; each comes back once, with how it ended."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError

from drumbeat import Again, Dead, Run, Task
from drumbeat.errors import InProgress, ResultNotJson
from drumbeat.runtime.gate import ComeBack
from drumbeat.runtime.work import End, Outcome, do_items

RUN = Run.parse("sunrise/2026-11-22T00:00:00Z")
WAYS: dict[str, dict[str, Any]] = {
    "in turn": {},
    "in threads": {"concurrency": 3},
    "in a thread with a limit": {"item_timeout_s": 20},
    "as coroutines": {"concurrency": 3, "asynchronous": True},
}
every_way = pytest.mark.parametrize("way", WAYS)


def declare(function: Callable[[Any], Any], *, asynchronous: bool = False, **settings: Any) -> Task:
    """A task whose work does one thing with an item, in either kind of function."""
    task = Task("sunrise", **settings)

    def plain(item: Any, run: Run) -> Any:
        assert run == RUN
        return function(item)

    async def waiting(item: Any, run: Run) -> Any:
        await asyncio.sleep(0)
        return plain(item, run)

    task.work(waiting if asynchronous else plain)
    return task


def do(task: Task, items: Any, *, left_s: Callable[[], float] | None = None, **more: Any) -> dict[int, Outcome]:
    """The outcomes by index; every item has exactly one. At each look at the clock, a second has passed."""
    named, seconds = dict(enumerate(items)), count()
    more = {"clock": lambda: next(seconds), "left_s": left_s or countdown(50), **more}
    found = list(do_items(task, RUN, named, work=task.worker, **more))
    assert sorted(named) == sorted(index for index, _ in found)
    return dict(found)


def countdown(seconds: float) -> Callable[[], float]:
    """Seconds that are left, by the real clock."""
    end = time.monotonic() + seconds
    return lambda: end - time.monotonic()


def raises(error: BaseException) -> Callable[[Any], Any]:
    def function(_: Any) -> Any:
        raise error

    return function


class Clock:
    """Seconds that are left: fewer with each tick."""

    def __init__(self, left_s: float) -> None:
        self.left_s = left_s

    def __call__(self) -> float:
        return self.left_s

    def tick(self, seconds: float) -> None:
        self.left_s -= seconds

    def seconds(self) -> float:
        return -self.left_s


class Slots:
    """A budget that answers what it is told to, and notes what it was asked."""

    def __init__(self, *answers: float | ComeBack) -> None:
        self.answers = list(answers)
        self.asked: list[int] = []
        self.slept: list[float] = []

    def ask(self, items: int) -> float:
        self.asked.append(items)
        answer = self.answers.pop(0) if self.answers else 0
        if isinstance(answer, ComeBack):
            raise answer
        return answer

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@every_way
def test_every_item_comes_back_with_what_work_returned(way):
    outcomes = do(declare(lambda item: item * 2, **WAYS[way]), range(10))

    assert {index: Outcome(End.DONE, index * 2) for index in range(10)} == outcomes


@every_way
def test_one_item_that_raises_doesn_t_disturb_the_others(way):
    def divide(item: int) -> float:
        return 6 / item

    outcomes = do(declare(divide, **WAYS[way]), [0, 1, 2])

    assert [End.FAILED, End.DONE, End.DONE] == [outcomes[index].end for index in range(3)]
    assert isinstance(outcomes[0].error, ZeroDivisionError)


@every_way
@pytest.mark.parametrize(
    ("error", "settings", "end"),
    [
        (OSError(), {}, End.FAILED),
        (Dead("no such customer"), {}, End.DEAD),
        (OSError(), {"retry_on": (OSError,)}, End.FAILED),
        (ConnectionError(), {"retry_on": (OSError,)}, End.FAILED),
        (KeyError(), {"retry_on": (OSError,)}, End.DEAD),
        (KeyError(), {"retry_on": ()}, End.DEAD),
        (KeyError(), {"give_up_on": (LookupError,)}, End.DEAD),
        (OSError(), {"give_up_on": (LookupError,)}, End.FAILED),
        (ConnectionError(), {"retry_on": (OSError,), "give_up_on": (ConnectionError,)}, End.DEAD),
        (InProgress(), {"give_up_on": (Exception,)}, End.THROTTLED),
        (
            ClientError({"Error": {"Code": "ThrottlingException"}}, "GetThing"),
            {"give_up_on": (ClientError,), "retry_on": ()},
            End.THROTTLED,
        ),
    ],
    ids=str,
)
def test_what_is_raised_decides_whether_the_item_is_tried_again(way, error, settings, end):
    outcome = do(declare(raises(error), **WAYS[way], **settings), ["ann"])[0]

    assert (end, error, None) == (outcome.end, outcome.error, outcome.after_s)


@every_way
def test_again_is_no_failure_and_says_when(way):
    outcome = do(declare(raises(Again(after=timedelta(minutes=5))), **WAYS[way], retry_on=()), ["ann"])[0]

    assert (End.THROTTLED, 300) == (outcome.end, outcome.after_s)


@every_way
@pytest.mark.parametrize("value", [{1, 2}, float("nan"), object()], ids=["set", "nan", "object"])
def test_a_result_that_isn_t_json_is_given_up(way, value):
    outcome = do(declare(lambda _: value, **WAYS[way]), ["ann"])[0]

    assert End.DEAD is outcome.end
    assert isinstance(outcome.error, ResultNotJson)


@every_way
def test_no_item_begins_once_the_run_is_halted(way):
    begun: list[int] = []
    settings = {**WAYS[way], "concurrency": 1}

    outcomes = do(declare(begun.append, **settings), range(5), stopped=lambda: len(begun) == 2)

    assert [0, 1] == begun
    assert [End.DONE] * 2 + [End.LEFT] * 3 == [outcome.end for outcome in outcomes.values()]


def test_items_that_are_done_at_once_do_not_each_ask_whether_the_run_goes_on():
    looks = count()
    asked: list[bool] = []

    do(declare(str), range(100), stopped=lambda: bool(asked.append(True)), clock=lambda: next(looks) / 1000)

    assert 5 == len(asked)  # at once, and each 20 of 100 ms


@every_way
def test_no_item_begins_that_would_not_end_in_time(way):
    clock = Clock(20)
    settings = {**WAYS[way], "concurrency": 1}

    outcomes = do(declare(lambda _: clock.tick(4), **settings), range(5), left_s=clock, clock=clock.seconds)

    assert [End.DONE] * 3 + [End.LEFT] * 2 == [outcome.end for outcome in outcomes.values()]
    assert 20 - 3 * 4 == clock.left_s  # 6 of 60 seconds are kept to settle, and 2 aren't enough for another


@every_way
def test_items_wait_for_their_slots_and_begin_in_order(way):
    begun: list[int] = []
    slots = Slots(0, 0.001, 0.001, 0, ComeBack(12.5))

    outcomes = do(declare(begun.append, **{**WAYS[way], "concurrency": 1}), range(4), budget=slots)

    assert [0, 1] == begun
    assert [4, 3, 3, 3, 2] == slots.asked
    assert [End.DONE] * 2 + [End.THROTTLED] * 2 == [outcome.end for outcome in outcomes.values()]
    assert [12.5, 12.5] == [outcomes[index].after_s for index in (2, 3)]


@every_way
def test_no_item_waits_for_a_slot_beyond_the_end_of_the_invocation(way):
    outcomes = do(declare(str, **WAYS[way]), range(2), left_s=lambda: 8, budget=Slots(0, 2.5))

    assert [End.DONE, End.LEFT] == [outcome.end for outcome in outcomes.values()]


def test_as_many_items_are_under_way_as_the_task_says():
    together: list[int] = []
    doing = 0

    async def work(_item: int, _run: Run) -> None:
        nonlocal doing
        doing += 1
        together.append(doing)
        await asyncio.sleep(0)
        doing -= 1

    task = Task("sunrise", concurrency=3)
    task.work(work)
    do(task, range(10))

    assert 3 == max(together)


def test_a_thread_that_takes_too_long_has_failed_and_the_others_go_on(never: threading.Event):
    task = declare(lambda item: never.wait() if item == 1 else item, item_timeout_s=0.05)

    outcomes = do(task, range(4))

    assert [End.DONE, End.FAILED, End.DONE, End.DONE] == [outcomes[index].end for index in range(4)]
    assert "item_timeout_s=0.05" in str(outcomes[1].error)


def test_threads_that_hang_don_t_take_the_places_of_others(never: threading.Event):
    task = declare(lambda item: item if item == 4 else never.wait(), concurrency=2, item_timeout_s=0.05)

    outcomes = do(task, range(5))

    assert [End.FAILED] * 4 + [End.DONE] == [outcomes[index].end for index in range(5)]


def test_a_coroutine_that_takes_too_long_is_cancelled_and_has_failed():
    cancelled: list[int] = []

    async def work(item: int, _run: Run) -> int:
        try:
            await asyncio.sleep(60 if item == 1 else 0)
        except asyncio.CancelledError:
            cancelled.append(item)
            raise
        return item

    task = Task("sunrise", concurrency=2, item_timeout_s=0.05)
    task.work(work)
    outcomes = do(task, range(4))

    assert [1] == cancelled
    assert [End.DONE, End.FAILED, End.DONE, End.DONE] == [outcomes[index].end for index in range(4)]
    assert "item_timeout_s=0.05" in str(outcomes[1].error)


@pytest.mark.parametrize("kind", [{}, {"asynchronous": True}], ids=["in a thread", "as a coroutine"])
def test_an_item_timeout_is_an_error_like_others(kind, never: threading.Event):
    async def forever(_item: Any, _run: Run) -> None:
        await asyncio.Event().wait()

    task = Task("sunrise", item_timeout_s=0.05, retry_on=(ConnectionError,))
    task.work(forever if kind else lambda _item, _run: never.wait())

    assert End.DEAD is do(task, ["ann"])[0].end


def test_a_timeout_of_work_s_own_isn_t_taken_for_the_item_s():
    outcome = do(declare(raises(TimeoutError("the bank")), asynchronous=True, item_timeout_s=9), ["ann"])[0]

    assert "the bank" == str(outcome.error)


def test_a_coroutine_that_cancels_itself_has_failed_alone():
    outcomes = do(declare(raises(asyncio.CancelledError()), asynchronous=True), range(2))

    assert [End.FAILED] * 2 == [outcome.end for outcome in outcomes.values()]
    assert isinstance(outcomes[0].error, asyncio.CancelledError)


def test_a_thread_still_running_at_the_end_of_the_invocation_is_tried_again(never: threading.Event):
    task = declare(lambda _: never.wait(), concurrency=2, retry_on=())

    outcomes = do(task, range(3), left_s=countdown(6.1))

    assert [End.FAILED, End.FAILED, End.LEFT] == [outcomes[index].end for index in range(3)]
    assert "timeout_s=60" in str(outcomes[0].error)


def test_a_coroutine_still_running_at_the_end_of_the_invocation_is_tried_again():
    task = Task("sunrise", concurrency=2, retry_on=())

    @task.work
    async def work(_item: int, _run: Run) -> None:
        await asyncio.Event().wait()

    outcomes = do(task, range(3), left_s=countdown(6.1))

    assert [End.FAILED, End.FAILED, End.LEFT] == [outcomes[index].end for index in range(3)]
    assert "timeout_s=60" in str(outcomes[0].error)


@every_way
def test_trouble_with_the_question_itself_is_raised(way):
    def stopped() -> bool:
        raise ConnectionError("ledger")

    with pytest.raises(ConnectionError, match="ledger"):
        do(declare(str, **WAYS[way]), range(3), stopped=stopped)


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """What a thread waits for in vain; set when the test is over, so that no thread outlives it."""
    event = threading.Event()
    yield event
    event.set()
