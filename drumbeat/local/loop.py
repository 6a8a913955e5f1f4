"""The discrete-event loop: timed events in one heap; equal times run in the order in which they were set."""

import heapq
from collections.abc import Callable
from typing import Any

from .clock import Clock


class Timer:
    """An event that is due; cancelling it drops what it would have called."""

    __slots__ = ("args", "at", "call")

    def __init__(self, at: int, call: Callable[..., None], args: tuple[Any, ...]) -> None:
        self.at = at
        self.call: Callable[..., None] | None = call
        self.args = args


class Loop:
    """Runs events in virtual time; `hook` is called after every event."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.horizon = clock.ns  # nothing runs past it
        self.hook: Callable[[], None] | None = None
        self.stop: Callable[[], bool] | None = None
        self.events = 0
        self._heap: list[tuple[int, int, Timer]] = []
        self._sequence = 0
        self._cancelled = 0

    def at(self, ns: int, call: Callable[..., None], *args: Any) -> Timer:
        ns = max(ns, self.clock.ns)
        timer = Timer(ns, call, args)
        self._sequence += 1
        heapq.heappush(self._heap, (ns, self._sequence, timer))
        return timer

    def after(self, ns: int, call: Callable[..., None], *args: Any) -> Timer:
        return self.at(self.clock.ns + ns, call, *args)

    def cancel(self, timer: Timer) -> None:
        """Forget an event that hasn't run; the heap is rebuilt once most of it is forgotten, so it can't grow."""
        if timer.call is None:
            return
        timer.call, timer.args = None, ()
        self._cancelled += 1
        if self._cancelled > 256 and self._cancelled * 2 > len(self._heap):  # noqa: PLR2004
            self._heap = [entry for entry in self._heap if entry[2].call is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def next_at(self) -> int | None:
        heap = self._heap
        while heap and heap[0][2].call is None:
            heapq.heappop(heap)
            self._cancelled -= 1
        return heap[0][0] if heap else None

    def leap(self, ns: int) -> bool:
        """Move the clock there at once if nothing else is due before: saves a hand-over of the baton."""
        if ns > self.horizon or self.hook is not None or (self.stop is not None and self.stop()):
            return False
        due = self.next_at()
        if due is not None and due <= ns:
            return False
        self.clock.set(ns)
        return True

    def watched(
        self,
        watch: Callable[[Callable[[], None]], None],
        unwatch: Callable[[Callable[[], None]], None],
        stop: Callable[[], bool],
        until: int,
    ) -> None:
        """Run on the operator's behalf until something watched has happened."""

        def nothing() -> None:
            pass

        watch(nothing)  # a queue sets its timers only when somebody watches it
        try:
            self.run(until, stop)
        finally:
            unwatch(nothing)

    def run_only(self, wanted: Callable[[Callable[..., None]], bool], stop: Callable[[], bool]) -> bool:
        """Run only what is wanted until `stop()`; the rest stays due, however late. False if nothing is left to run."""
        held: list[tuple[int, int, Timer]] = []
        outer, self.horizon = self.horizon, 1 << 63
        try:
            while not stop():
                if self.next_at() is None:
                    return False
                entry = heapq.heappop(self._heap)
                due, _, timer = entry
                assert timer.call is not None
                if wanted(timer.call):
                    if due > self.clock.ns:
                        self.clock.set(due)
                    call, args = timer.call, timer.args
                    timer.call, timer.args = None, ()
                    self.events += 1
                    call(*args)
                else:
                    held.append(entry)
            return True
        finally:
            self.horizon = outer
            for entry in held:
                heapq.heappush(self._heap, entry)

    def run(self, until: int, stop: Callable[[], bool] | None = None) -> bool:
        """Run what is due up to `until`, or until `stop()` is true (asked after each event); returns whether it is."""
        outer_horizon, outer_stop = self.horizon, self.stop
        self.horizon, self.stop = until, stop
        try:
            while stop is None or not stop():
                due = self.next_at()
                if due is None or due > until:
                    if self.clock.ns < until:
                        self.clock.set(until)
                    return False
                _, _, timer = heapq.heappop(self._heap)
                if due > self.clock.ns:
                    self.clock.set(due)
                call, args = timer.call, timer.args
                timer.call, timer.args = None, ()
                self.events += 1
                assert call is not None
                call(*args)
                if self.hook is not None:
                    self.hook()
            return True
        finally:
            self.horizon, self.stop = outer_horizon, outer_stop
