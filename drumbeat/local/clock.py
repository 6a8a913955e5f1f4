"""The virtual clock: what `time`, `datetime` and `asyncio` show while a local cloud is open.

time-machine moves `time.time` and `datetime.now` for everybody (moto stamps its state with them); it leaves
`time.sleep`, `time.monotonic`, `time.perf_counter` and `time.thread_time` alone, so those are replaced here, and only
for code that runs in an invocation: the operator's own thread keeps the real ones.  Code takes no virtual time, so a
thread's own time stands still.
"""

import queue
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine

SECOND = 1_000_000_000
real_monotonic = time.monotonic
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_ns(moment: datetime) -> int:
    """Nanoseconds since 1970 of an aware datetime, exactly."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; give an aware datetime, e.g. tzinfo=UTC")
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000


def to_datetime(ns: int) -> datetime:
    return _EPOCH + timedelta(microseconds=ns // 1_000)


def seconds(value: float) -> int:
    """Seconds as nanoseconds."""
    return int(value * SECOND)


class Clock:
    """Virtual time in nanoseconds; `ns` only moves forward."""

    def __init__(self, start: datetime) -> None:
        self.start_ns = self.ns = to_ns(start)
        self._travel = time_machine.travel(to_datetime(self.ns), tick=False)
        self._traveller: Any = None
        self._real: list[tuple[Any, str, Any]] = []

    @property
    def now(self) -> datetime:
        return to_datetime(self.ns)

    def set(self, ns: int) -> None:
        self.ns = ns
        # `shift` takes whole seconds or floats, which lose nanoseconds: set what it would set.
        self._traveller._destination_timestamp_ns = ns  # noqa: SLF001

    def show(self, skew_s: float) -> None:
        """Let `time` and `datetime` be wrong by so many seconds, until told otherwise; virtual time itself goes on."""
        self._traveller._destination_timestamp_ns = self.ns + seconds(skew_s)  # noqa: SLF001

    def open(self, sleep: Callable[[float], bool], virtual: Callable[[], bool]) -> None:
        """Start; `sleep` returns False for a thread that isn't in an invocation (it then sleeps for real)."""
        self._traveller = self._travel.start()

        origin = self.start_ns - 1_000 * SECOND

        def elapsed() -> float:
            return (self.ns - origin) / SECOND

        def replace(module: Any, name: str, answer: Callable[[], Any]) -> None:
            real = getattr(module, name)
            self._real.append((module, name, real))
            setattr(module, name, lambda: answer() if virtual() else real())

        real_sleep = time.sleep

        def virtual_sleep(secs: float, /) -> None:
            if secs < 0:
                raise ValueError("sleep length must be non-negative")
            if not sleep(secs):
                real_sleep(secs)

        for name in ("monotonic", "perf_counter"):
            replace(time, name, elapsed)
            replace(time, f"{name}_ns", lambda: self.ns - origin)
        replace(time, "thread_time", lambda: 0.0)
        replace(time, "thread_time_ns", lambda: 0)
        for module, name in ((threading, "_time"), (queue, "time")):  # their own names for time.monotonic
            replace(module, name, elapsed)
        self._real.append((time, "sleep", real_sleep))
        setattr(time, "sleep", virtual_sleep)  # noqa: B010  mypy refuses to assign to a module's function

    def close(self) -> None:
        for module, name, real in reversed(self._real):
            setattr(module, name, real)
        self._real.clear()
        self._travel.stop()
