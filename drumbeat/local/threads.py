"""Threads and event loops inside a handler, in virtual time and under the same baton.

While a cloud is open, what a handler makes of `threading`, `queue`, `concurrent.futures` and `asyncio` waits by parking
its strand, so its threads take turns in a reproducible order, and a thread that waits for another can't stop the loop.
Outside handlers the same objects wait for real.
"""

import asyncio.selector_events
import concurrent.futures.thread
import contextlib
import math
import queue
import selectors
import threading
from _thread import allocate_lock
from collections import deque
from collections.abc import Callable
from typing import Any

from .baton import Killed, Stage, Strand, current
from .clock import SECOND

_starters = ("_start_joinable_thread", "_start_new_thread")  # the first from Python 3.13 on
_SHORTEST_NS = 1_000  # a float of seconds is no finer after years of virtual time
_RealSelector: Any = selectors.DefaultSelector
_real_join = threading.Thread.join


class Lock:
    """A lock on which a strand parks."""

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._waiting: deque[Strand] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if self._lock.acquire(False):
            return True
        if not blocking:
            return False
        strand = current()
        if strand is None or strand.held:
            return self._lock.acquire(True, timeout)
        until = None if timeout < 0 else strand.loop.clock.ns + math.ceil(timeout * SECOND)
        while True:
            left = None if until is None else until - strand.loop.clock.ns
            if left is not None and left <= 0:
                return False
            self._waiting.append(strand)
            try:
                strand.park(left)
            finally:
                with contextlib.suppress(ValueError):
                    self._waiting.remove(strand)
            if self._lock.acquire(False):
                return True

    def release(self) -> None:
        self._lock.release()
        if self._waiting:
            strand = self._waiting.popleft()
            strand.adopt(current())
            strand.unpark()

    def locked(self) -> bool:
        return self._lock.locked()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _at_fork_reinit(self) -> None:
        self._lock = allocate_lock()


class Selector(_RealSelector):  # type: ignore[misc]
    """An event loop's wait for its next timer: virtual in a strand."""

    def __init__(self) -> None:
        super().__init__()
        self.strand: Strand | None = None

    def select(self, timeout: float | None = None) -> Any:
        strand = current()
        if strand is None:
            return super().select(timeout)
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        self.strand = strand
        try:
            strand.park(None if timeout is None else max(_SHORTEST_NS, math.ceil(timeout * SECOND)))
        finally:
            self.strand = None
        return super().select(0)


class Threads:
    """Replaces what handlers' threads and event loops are made of, between `open` and `close`."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._real: list[tuple[Any, str, Any]] = []

    def open(self) -> None:
        for module, name, value in (
            (threading, "Lock", Lock),
            (threading, "_allocate_lock", Lock),
            (threading, "RLock", threading._PyRLock),  # type: ignore[attr-defined]  # noqa: SLF001  built on _allocate_lock
            (queue, "SimpleQueue", queue._PySimpleQueue),  # type: ignore[attr-defined]  # noqa: SLF001
            (concurrent.futures.thread, "_global_shutdown_lock", Lock()),  # held while a thread starts
            (selectors, "DefaultSelector", Selector),
            (threading.Thread, "join", _join),
            (threading, "excepthook", _excepthook(threading.excepthook)),
        ):
            self._replace(module, name, value)
        loops: Any = asyncio.selector_events.BaseSelectorEventLoop
        self._replace(loops, "_write_to_self", _wakes(loops._write_to_self))  # noqa: SLF001
        for name in _starters:
            if hasattr(threading, name):
                self._replace(threading, name, self._starter(getattr(threading, name)))
                break

    def close(self) -> None:
        for module, name, real in reversed(self._real):
            setattr(module, name, real)
        self._real.clear()

    def _replace(self, module: Any, name: str, value: Any) -> None:
        self._real.append((module, name, getattr(module, name)))
        setattr(module, name, value)

    def _starter(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def start(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            parent = current()
            if parent is None or parent.invocation is None:
                return real(function, *args, **kwargs)
            strand = self._stage.attach(parent.invocation)
            thread = getattr(function, "__self__", None)
            if thread is not None:
                thread._drumbeat_strand = strand  # noqa: SLF001
            return real(strand.attached(function), *args, **kwargs)

        return start


def _join(self: threading.Thread, timeout: float | None = None) -> None:
    target: Strand | None = getattr(self, "_drumbeat_strand", None)
    strand = current()
    if strand is None or target is None:
        _real_join(self, timeout)
        return
    if target.done is not None and target.done.acquire(True, -1 if timeout is None else timeout):
        target.done.release()
        _real_join(self)


def _excepthook(real: Callable[..., Any]) -> Callable[..., Any]:
    def hook(arguments: Any) -> None:
        if not issubclass(arguments.exc_type, Killed):
            real(arguments)

    return hook


def _wakes(real: Callable[..., None]) -> Callable[..., None]:
    def write_to_self(loop: Any) -> None:
        real(loop)
        selector = loop._selector  # noqa: SLF001
        if isinstance(selector, Selector) and selector.strand is not None:
            selector.strand.adopt(current())
            selector.strand.unpark()

    return write_to_self
