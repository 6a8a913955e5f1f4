"""The single-fault sweep: play once without a fault, then once for each call and kind of fault."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, Literal

from drumbeat.local.faults import Seam

from .alike import distinct
from .cloud import OPEN, AppCloud, RunView
from .forking import CAN_FORK, Clean, Course, Perform, play_forked
from .invariants import check_invariants
from .single import KINDS, Fault, Point, Single, faults_at
from .trace import trace

Play = Callable[[AppCloud], Any]
Check = Callable[[AppCloud, Any], None]

ROUND = timedelta(minutes=15)
"""How often the keeper looks after runs: what a fault has stopped goes on then."""
MOST_BROKEN = 10
"""After so many failures a sweep stops."""
NOT_REACHED = "not reached: the play took another way than without a fault, so it isn't repeatable"


@dataclass(frozen=True)
class Sweep:
    """What a sweep has done: the calls of the clean play, how many faults fit them, and those that were played.

    alike: how many of the faults were left out, as they can't be told apart from others.
    """

    points: Sequence[Point]
    possible: int
    seed: int
    alike: int = 0
    played: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def note(self, fault: Fault, problem: str) -> None:
        """Count a fault that was played, and keep what it broke."""
        self.played[fault.kind] += 1
        if problem:
            again = f"  this one again: sweep(..., seed={self.seed}, only={str(fault)!r})"
            self.broken.append(f"{fault.kind} at {fault.point}\n{problem}\n{again}")

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.played.items())
        alike = f"{self.alike} of them like others, " if self.alike else ""
        return (
            f"{len(self.points)} calls, {self.possible} single faults, {alike}{self.played.total()} of them played "
            f"({kinds}), {len(self.broken)} broke what must hold; seed {self.seed}"
        )


def sweep(
    assembly: Path,
    play: Play,
    check: Check = check_invariants,
    *,
    kinds: Sequence[str] = KINDS,
    points: int | Literal["all"] = "all",
    only: str | None = None,
    where: Callable[[Point], bool] = lambda _: True,
    within: timedelta = timedelta(hours=12),
    seed: int = 0,
    faults: Seam | None = None,
    outside: Callable[[], Hashable] | None = None,
    **settings: Any,
) -> Sweep:
    """Break each call that the app makes while `play(cloud)` goes on, in each way, one at a time, and check what holds.

    Every fault has a cloud of its own: a copy of the process goes on from the invocation that makes the call; where
    processes can't be forked, all is played anew.  When play is over and all runs have ended, `within` that virtual
    time, `check(cloud, what_play_returned)` is called; a run that play returned is looked up again for it.

    kinds: what happens to a call.  points: all, or how many faults are drawn, by the seed, among all calls and kinds.
    where: which calls may be broken.  only: one fault, such as "17 crash after", as a failed sweep prints it.
    faults: what goes wrong in any case.
    outside: tells what the app has done so far outside AWS, such as a counter that its handlers count up; given this,
    faults that can't be told apart (see `alike`) are played once.
    settings: other arguments of AppCloud.

    Raises AssertionError with the calls that break it, the seed, and for each the log and how to play it again.
    """
    unknown = set(kinds) - set(KINDS)
    if unknown:
        raise ValueError(f"no such kind of fault: {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")

    def perform(single: Single, course: Course) -> None:
        with AppCloud(assembly, seed=seed, faults=single, **settings) as cloud:
            course.begin(cloud)
            cloud.when_calm(lambda: course.calm(cloud))
            course.end(cloud, _problem(cloud, single, lambda: _played(cloud, play, check, within)))

    clean = Clean(Single(deepcopy(faults) if faults is not None else Seam(), None, outside or (lambda: None)))
    perform(clean.single, clean)
    if clean.problem:
        raise AssertionError(f"without any fault, what must hold doesn't:\n{clean.problem}")
    calls = clean.single.points
    possible = faults_at([point for point in calls if where(point)], kinds)
    if not possible:
        raise ValueError(f"this breaks nothing: none of the play's {len(calls)} calls fits `where` and `kinds`")
    apart = possible if outside is None or only is not None else distinct(possible, clean.single.moments)
    found = Sweep(calls, len(possible), seed, len(possible) - len(apart))
    chosen = _chosen(apart, points, only, seed)
    for fault, problem in _each(perform, clean, chosen, fork=only is None and CAN_FORK):
        found.note(fault, problem)
        if len(found.broken) == MOST_BROKEN:
            break
    if found.broken:
        raise AssertionError("\n\n".join([str(found), *found.broken]))
    return found


def _each(perform: Perform, clean: Clean, chosen: list[Fault], *, fork: bool) -> Iterator[tuple[Fault, str]]:
    """Play the faults; yields each with what went wrong, or nothing."""
    if not fork:
        for fault in chosen:
            alone = Clean(clean.single.anew(fault))
            perform(alone.single, alone)
            yield fault, alone.problem
        return
    played = set()
    for fault, problem in play_forked(perform, clean, chosen, most_broken=MOST_BROKEN):
        played.add(fault)
        yield fault, problem
    yield from ((fault, f"  {NOT_REACHED}") for fault in chosen if fault not in played)


def _chosen(possible: list[Fault], points: int | str, only: str | None, seed: int) -> list[Fault]:
    if only is not None:
        named = [fault for fault in possible if str(fault) == only]
        if not named:
            raise ValueError(
                f"no fault {only!r} in this play; there are {len(possible)}: {', '.join(map(str, possible))}"
            )
        return named
    if not isinstance(points, int) or points >= len(possible):
        return possible
    drawn = Random(seed).sample(range(len(possible)), points)  # noqa: S311  (chance, not a secret)
    return [possible[number] for number in sorted(drawn)]


def _played(cloud: AppCloud, play: Play, check: Check, within: timedelta) -> None:
    played = play(cloud)
    come_to_rest(cloud, within)
    check(cloud, cloud.show(played, played.given) if isinstance(played, RunView) else played)


def _problem(cloud: AppCloud, single: Single, act: Callable[[], None]) -> str:
    """Why it went wrong and what happened, or nothing."""
    try:
        act()
        if single.fault is not None and not single.struck:
            raise AssertionError(NOT_REACHED)
    except Exception as error:  # noqa: BLE001  (whatever a play or a check raises is a finding)
        named = f"sweep-{single.fault or 'clean'}-seed-{cloud.seed}"
        text = f"{type(error).__name__}: {error}\n{trace(cloud, named)}"
        return "\n".join(f"  {line}" for line in text.splitlines())
    return ""


def come_to_rest(cloud: AppCloud, within: timedelta = timedelta(hours=12)) -> None:
    """Let time pass until nothing is under way and the runs that are open now have ended.

    Raises AssertionError with what is under way, if that takes longer in virtual time.
    """
    until = cloud.now + within
    idle = cloud.run_until_idle(ROUND)
    waited = {run.id for run in cloud.runs() if run.state in OPEN}
    while not idle or any(run.id in waited and run.state in OPEN for run in cloud.runs()):
        if cloud.now > until:
            raise AssertionError(
                f"expected all runs to have ended, and rest, within {within} of virtual time\n{cloud.under_way()}"
            )
        cloud.advance(ROUND)
        idle = cloud.run_until_idle(ROUND)
