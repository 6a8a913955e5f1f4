"""Play many faults from one beginning: a process plays without a fault, and forks itself before each call to break.

So what comes before a fault, such as a deployed cloud, is played once for all of them, and a fault costs only what
comes after it.  A process can be forked only while no handler is under way, as threads don't come along: so a fault's
own play begins with the invocation that makes the call.
"""

import gc
import json
import os
import random
import signal
import traceback
import warnings
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from .cloud import AppCloud
from .single import Fault, Single

CAN_FORK = hasattr(os, "fork")
_BROKEN, _GONE = 1, 2


class Course:
    """What is done along a play: first, before each invocation that begins while no other is under way, and last."""

    def begin(self, cloud: AppCloud) -> None:
        """The cloud is open, nothing has happened."""

    def calm(self, cloud: AppCloud) -> None:
        """No code of the app is under way."""

    def end(self, cloud: AppCloud, problem: str) -> None:
        """All was played and checked; the cloud is still open."""


Perform = Callable[[Single, Course], None]


@dataclass
class Clean(Course):
    """A play without a fault: `before` has, for each calm moment, how many calls there had been."""

    single: Single
    before: list[int] = field(default_factory=list)
    cold_starts: Counter[str] = field(default_factory=Counter)
    problem: str = ""

    def calm(self, cloud: AppCloud) -> None:
        """Count."""
        del cloud
        self.before.append(len(self.single.points))

    def end(self, cloud: AppCloud, problem: str) -> None:
        """Keep what is known now."""
        self.cold_starts, self.problem = Counter(cloud.meter.cold_starts), problem


def play_forked(
    perform: Perform, clean: Clean, faults: Sequence[Fault], *, most_broken: int
) -> Iterator[tuple[Fault, str]]:
    """Play each fault in a process of its own; yields it with what went wrong, or nothing.

    Stops when so many are broken.  A fault whose call doesn't come again isn't yielded.
    """
    named = {str(fault): fault for fault in faults}
    reading, writing = os.pipe()
    server = _fork()
    if server == 0:
        os.close(reading)
        _serve(perform, _Forks(clean, faults, writing, most_broken))
    os.close(writing)
    try:
        with os.fdopen(reading, encoding="utf-8") as reports:
            for report in reports:
                name, problem = json.loads(report)
                yield named[name], problem
    except BaseException:
        os.kill(server, signal.SIGTERM)
        raise
    finally:
        os.waitpid(server, 0)


class _Forks(Course):
    """The course of a server: in each calm moment it has those faults played whose calls come before the next one.

    It goes on as the course of the processes that play them.
    """

    def __init__(self, clean: Clean, faults: Sequence[Fault], pipe: int, most_broken: int) -> None:
        self.single = clean.single.anew()
        self._clean, self._pipe, self._left = clean, pipe, most_broken
        self._moment = 0
        self._faults = defaultdict(list)
        for fault in faults:
            self._faults[bisect_left(clean.before, fault.point.number) - 1].append(fault)

    def begin(self, cloud: AppCloud) -> None:
        """Load the code of all environments that a play needs, and of one more, for the one that dies."""
        if not self._clean.single.by_imports:
            for function, count in self._clean.cold_starts.items():
                for _ in range(count + 1):
                    cloud.load_ahead(function)

    def calm(self, cloud: AppCloud) -> None:
        """Return in a process that plays a fault, and in the server if there are more to come."""
        if self.single.fault is not None:
            return
        for fault in self._faults.pop(self._moment, ()):
            child = _fork()
            if child == 0:
                cloud.forked()
                _spare_what_is_shared()
                self.single.fault = fault
                return
            self._await(child, fault)
        self._moment += 1
        if not self._faults:
            os._exit(0)

    def end(self, cloud: AppCloud, problem: str) -> NoReturn:
        """Report the fault that this process has played; a server has none."""
        del cloud
        fault = self.single.fault
        if fault is not None:
            self._report(fault, problem)
        os._exit(_BROKEN if fault is not None and problem else 0)

    def _await(self, child: int, fault: Fault) -> None:
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code not in (0, _BROKEN):
            self._report(fault, f"  the process that played it has ended with {code}")
        self._left -= code != 0
        if not self._left:
            os._exit(0)

    def _report(self, fault: Fault, problem: str) -> None:
        line = f"{json.dumps([str(fault), problem])}\n".encode()
        while line:
            line = line[os.write(self._pipe, line) :]


def _serve(perform: Perform, forks: _Forks) -> NoReturn:
    """Play in this process and those that it forks; none of them comes back from here."""
    try:
        perform(forks.single, forks)
    except BaseException:  # noqa: BLE001  (what pytest or Ctrl-C raises must not go on in a copy of this process)
        traceback.print_exc()
    finally:
        os._exit(_GONE)


def _fork() -> int:
    """Fork; both processes draw the same chance from now on."""
    chance = random.getstate()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of threads, which don't come along
        child = os.fork()
    random.setstate(chance)  # Python has seeded it anew in the child
    return child


def _spare_what_is_shared() -> None:
    """Look for cycles only among what is younger than this process: to look at an object is to copy its page."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
