"""One thread at a time: handler code runs on strands, and a strand runs only while it holds the baton.

The loop hands the baton to a strand and waits; the strand gives it back when it sleeps, calls AWS, waits for
another strand, or ends. So concurrent invocations interleave at those points only, in the order of virtual time,
and a run is a function of its seed.
"""

import _thread
import contextlib
import ctypes
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .clock import seconds
from .loop import Loop, Timer

if TYPE_CHECKING:
    from .sandbox import Invocation

_start_thread = _thread.start_new_thread  # the real one: `threads` replaces what handlers see
_local = threading.local()


class Killed(BaseException):
    """The invocation that this code belongs to is over: it timed out, crashed, or the cloud was closed."""


def current() -> "Strand | None":
    """The strand of this thread; None for the operator's."""
    return getattr(_local, "strand", None)


class Strand:
    """A thread for handler code; reused for one job after the other."""

    def __init__(self, stage: "Stage") -> None:
        self.stage = stage
        self.loop = stage.loop
        self.invocation: Invocation | None = None
        self.job: Callable[[], None] | None = None
        self.held = 0  # > 0: no hand-over (an import lock is held); the time is owed to the invocation
        self.abandoned = False
        self.parked = False
        self.fresh = False  # its job has had no turn yet
        self.call: Any = None  # the boto3 call that goes the long way (see gateway)
        self.thread_id = 0
        self.timer: Timer | None = None
        self.done: Any = None  # of a handler's own thread: a lock that is held until it ends
        self._wake = _thread.allocate_lock()
        self._wake.acquire()

    def start(self) -> "Strand":
        """Give the strand a thread of its own."""
        _start_thread(self._work, ())
        return self

    def attached(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap what a handler's own thread runs, so that the thread runs as this strand."""

        def body(*args: Any) -> Any:
            _local.strand = self
            self.thread_id = _thread.get_ident()
            self._wake.acquire()
            try:
                if self.invocation is None or self.invocation.over:
                    return None
                return function(*args)
            except Killed:
                return None
            finally:
                if not self.abandoned:
                    self.done.release()
                    self.stage.ended(self, reuse=False)

        return body

    def adopt(self, waker: "Strand | None") -> None:
        """A thread that outlived its invocation goes on with the one that wakes it, as in a warm environment."""
        if self.invocation is not None and self.invocation.over and waker is not None and waker.invocation is not None:
            self.invocation.strands.pop(self, None)
            self.invocation = waker.invocation
            self.invocation.strands[self] = None

    def _work(self) -> None:
        _local.strand = self
        self.thread_id = _thread.get_ident()
        while True:
            self._wake.acquire()
            if self.job is None:
                break
            with contextlib.suppress(Killed):
                self.job()
            self.job = None
            if self.abandoned:
                return
            self.stage.ended(self)
        self.stage.baton.release()

    def begin(self, job: Callable[[], None], invocation: "Invocation", at: int) -> None:
        """Run `job` for `invocation` from virtual time `at`."""
        self.job, self.invocation, self.parked, self.fresh = job, invocation, True, True
        self.timer = self.loop.at(at, self._resume)

    def sleep(self, ns: int) -> None:
        """Let virtual time pass; raises Killed when the invocation is over before."""
        invocation = self.invocation
        assert invocation is not None
        if invocation.over:
            raise Killed
        if self.held:
            invocation.owed_ns += ns
            return
        until = self.loop.clock.ns + ns
        if until < invocation.deadline_ns and self.loop.leap(until):
            return
        invocation.watch_deadline()
        self.timer = self.loop.at(until, self._resume)
        self._give_back()

    def park(self, ns: int | None = None) -> None:
        """Wait until `unpark`, or for `ns`; returns early only through one of them."""
        invocation = self.invocation
        assert invocation is not None
        if invocation.over:
            raise Killed
        invocation.watch_deadline()
        if ns is not None:
            self.timer = self.loop.after(ns, self._resume)
        self._give_back()

    def unpark(self) -> None:
        """Let a parked strand go on, at this instant, after what is already due."""
        if self.parked:
            if self.timer is not None:
                self.loop.cancel(self.timer)
            self.timer = self.loop.at(self.loop.clock.ns, self._resume)

    def freeze(self) -> None:
        """The invocation has ended: what its threads still wait for doesn't come, unless they are adopted."""
        if self.timer is not None:
            self.loop.cancel(self.timer)
            self.timer = None

    def kill(self) -> None:
        """On the loop's thread: raise Killed where the strand waits and let it clean up."""
        if self.timer is not None:
            self.loop.cancel(self.timer)
        if self.parked:
            self._resume()

    def finish(self) -> None:
        """On the loop's thread, when idle: end the thread."""
        self.job = None
        self._wake.release()
        self.stage.baton.acquire()

    def _give_back(self) -> None:
        if self.abandoned:
            raise Killed
        self.parked = True
        self.stage.baton.release()
        self._wake.acquire()
        invocation = self.invocation
        if invocation is None or invocation.over:
            raise Killed

    def _resume(self) -> None:
        self.timer, self.parked = None, False
        self.stage.run(self, self._wake)


class Stage:
    """Where strands run. `enter` and `leave` are called around every turn of a strand, on the loop's thread."""

    def __init__(
        self, loop: Loop, *, watchdog_s: float, enter: Callable[[Strand], None], leave: Callable[[], None]
    ) -> None:
        self.loop = loop
        self.baton = _thread.allocate_lock()
        self.baton.acquire()
        self.calm: Callable[[], None] | None = None
        self._watchdog_s = watchdog_s
        self._enter, self._leave = enter, leave
        self._idle: list[Strand] = []
        self._busy: dict[Strand, None] = {}

    def strand(self, job: Callable[[], None], invocation: "Invocation", at: int) -> Strand:
        strand = self._idle.pop() if self._idle else Strand(self).start()
        self._busy[strand] = None
        invocation.strands[strand] = None
        strand.begin(job, invocation, at)
        return strand

    def attach(self, invocation: "Invocation") -> Strand:
        """A strand for a thread that the handler starts; its first turn is due now."""
        strand = Strand(self)
        strand.done = threading.Lock()
        strand.done.acquire()
        self._busy[strand] = None
        invocation.strands[strand] = None
        strand.begin(lambda: None, invocation, self.loop.clock.ns)
        return strand

    def ended(self, strand: Strand, *, reuse: bool = True) -> None:
        """On the strand's thread: its job is done."""
        if strand.invocation is not None:
            strand.invocation.strands.pop(strand, None)
        strand.invocation, strand.held = None, 0
        self._busy.pop(strand, None)
        if reuse:
            self._idle.append(strand)
        self.baton.release()

    def run(self, strand: Strand, wake: _thread.LockType) -> None:
        """On the loop's thread: give the baton, and wait until it is back.

        `calm` is called before a job's first turn if nothing else is under way: no other thread is anywhere in the
        app's code then, so that the process may fork (see `forked`).
        """
        if strand.fresh:
            strand.fresh = False
            if self.calm is not None and strand.done is None and len(self._busy) == 1:
                self.calm()
        invocation = strand.invocation
        self._enter(strand)
        try:
            wake.release()
            if not self.baton.acquire(True, self._watchdog_s) and invocation is not None:
                self._rescue(strand, invocation)
        finally:
            self._leave()

    def forked(self) -> None:
        """In a process that was forked in a calm moment: give the strands new threads: only the loop's came along."""
        for strand in (*self._idle, *self._busy):
            strand.start()

    def _rescue(self, strand: Strand, invocation: "Invocation") -> None:
        """Stop code that has kept the baton too long in real time: an endless loop, or a real wait."""
        invocation.hang()
        for _ in range(3):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(strand.thread_id), ctypes.py_object(Killed))
            if self.baton.acquire(True, 1.0):
                return
        strand.abandoned = True  # it is stuck outside Python; it will never hold the baton again
        invocation.strands.pop(strand, None)
        self._busy.pop(strand, None)

    def close(self) -> None:
        for strand in list(self._busy):
            if strand.invocation is not None:
                strand.invocation.over = True
            strand.kill()
        for strand in self._idle:
            strand.finish()
        self._idle.clear()


@contextlib.contextmanager
def no_handover(strand: Strand) -> Iterator[None]:
    """Time passes only afterwards: an import must not be interrupted, others may import the same module."""
    strand.held += 1
    try:
        yield
    finally:
        strand.held -= 1
    invocation = strand.invocation
    if not strand.held and invocation is not None and invocation.owed_ns:
        owed, invocation.owed_ns = invocation.owed_ns, 0
        strand.sleep(owed)


def virtual_sleep(secs: float) -> bool:
    """What `time.sleep` does in a strand; False elsewhere."""
    strand = current()
    if strand is None or strand.invocation is None:
        return False
    strand.sleep(seconds(secs))
    return True


def in_strand() -> bool:
    return getattr(_local, "strand", None) is not None
