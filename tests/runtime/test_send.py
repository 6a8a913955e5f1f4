"""Sending: in order as far as anybody can see, several calls at the same time."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from drumbeat.chunk import Packed
from drumbeat.run import Run, parse_time
from drumbeat.runtime import send
from drumbeat.runtime.send import Message, SendRefused

RUN = Run("sunrise", parse_time("2026-11-22T00:00:00Z"), bucket="b")


class Queue:
    """What a dispatcher calls its services: a queue that is slow, and refuses what it is told to.

    Each call computes for a millisecond and then waits so long for its answer, on a clock of its own.
    """

    def __init__(self, *, busy: int = 0, refuses: str = "", wait_ms: Callable[[int], float] = lambda _: 10) -> None:
        self.received: list[str] = []
        self.busy, self.refuses = busy, refuses
        self.slept: list[float] = []
        self.under_way = self.most = self.computed_ms = 0
        self.waited_ms, self._wait_ms = 0.0, wait_ms
        self._lock = threading.Lock()
        self.sqs = self

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        assert "queue" == QueueUrl
        with self._lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            self.computed_ms += 1
            self.waited_ms += self._wait_ms(int(Entries[0]["MessageBody"]))
        time.sleep(0.005)
        with self._lock:
            self.under_way -= 1
            if self.busy:
                self.busy -= 1
                return {"Failed": [{"Id": Entries[0]["Id"], "SenderFault": False, "Code": "Busy"}]}
            if any(entry["MessageBody"] == self.refuses for entry in Entries):
                return {"Failed": [{"Id": Entries[0]["Id"], "SenderFault": True, "Code": "Bad"}]}
            self.received += [entry["MessageBody"] for entry in Entries]
        return {"Successful": []}

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    @staticmethod
    def draw() -> float:
        return 0.5

    def monotonic(self) -> float:
        return (self.computed_ms + self.waited_ms) / 1000

    def thread_time(self) -> float:
        return self.computed_ms / 1000


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[[Queue], Queue]:
    """Let time be what a queue says."""

    def of(queue: Queue) -> Queue:
        monkeypatch.setattr(send, "time", queue)
        return queue

    return of


def batches(count: int) -> Iterator[list[Message]]:
    """So many calls of one message each."""
    yield from ([Message(Packed(number, number, ("1",)), str(number), 1)] for number in range(count))


def numbers(sent: Iterator[list[Message]]) -> Iterator[int]:
    return (batch[-1].chunk.number for batch in sent)


def test_a_large_run_is_sent_four_calls_at_a_time_and_told_of_in_order(on: Callable[[Queue], Queue]) -> None:
    queue = on(Queue())

    told = list(numbers(send.sent(batches(40), queue_url="queue", services=queue)))  # type: ignore[arg-type]

    assert list(range(40)) == told == sorted(map(int, queue.received))
    assert 4 == queue.most


def test_calls_that_are_answered_at_once_go_one_after_the_other(on: Callable[[Queue], Queue]) -> None:
    queue, before = on(Queue(wait_ms=lambda call: 0.2 if call % 3 else 10)), threading.active_count()

    for _ in send.sent(batches(100), queue_url="queue", services=queue):  # type: ignore[arg-type]
        assert before == threading.active_count()

    assert 1 == queue.most


def test_a_queue_that_becomes_slow_is_sent_several_calls_at_a_time(on: Callable[[Queue], Queue]) -> None:
    queue = on(Queue(wait_ms=lambda call: 0.2 if call < 50 else 10))

    told = list(numbers(send.sent(batches(100), queue_url="queue", services=queue)))  # type: ignore[arg-type]

    assert list(range(100)) == told == sorted(map(int, queue.received))
    assert 4 == queue.most


def test_a_small_run_needs_no_threads(on: Callable[[Queue], Queue]) -> None:
    queue, before = on(Queue()), threading.active_count()

    for _ in send.sent(batches(8), queue_url="queue", services=queue):  # type: ignore[arg-type]
        assert before == threading.active_count()

    assert 1 == queue.most


def test_what_is_told_before_a_call_fails_is_all_that_came_before_it() -> None:
    queue = Queue(refuses="20")
    told: list[int] = []

    with pytest.raises(SendRefused, match="SQS refuses a chunk: Bad"):
        told.extend(numbers(send.sent(batches(40), queue_url="queue", services=queue)))  # type: ignore[arg-type]

    assert list(range(20)) == told
    assert {*map(str, range(20))} <= {*queue.received} - {"20"}


def test_chunks_before_an_author_s_error_are_sent_and_told_of_before_it_is_raised() -> None:
    def failing() -> Iterator[list[Message]]:
        yield from batches(15)
        raise LookupError("the customers' database is gone")

    told: list[int] = []
    with pytest.raises(LookupError):
        told.extend(numbers(send.sent(failing(), queue_url="queue", services=Queue())))  # type: ignore[arg-type]

    assert list(range(15)) == told


def test_refused_entries_are_sent_again_with_back_off() -> None:
    queue = Queue(busy=3)

    told = list(numbers(send.sent(batches(12), queue_url="queue", services=queue)))  # type: ignore[arg-type]

    assert list(range(12)) == told == sorted(map(int, queue.received))
    assert 3 == len(queue.slept)
