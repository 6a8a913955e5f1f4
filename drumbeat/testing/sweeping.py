"""The single-fault sweep: play once without a fault, then once for each call and kind of fault, always from scratch."""

from collections import Counter
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, Literal

from drumbeat.local.faults import Seam

from .cloud import OPEN, AppCloud, RunView
from .invariants import check_invariants
from .single import KINDS, Fault, Point, Single, faults_at
from .trace import trace

Play = Callable[[AppCloud], Any]
Check = Callable[[AppCloud, Any], None]

ROUND = timedelta(minutes=15)
"""How often the keeper looks after runs: what a fault has stopped goes on then."""
MOST_BROKEN = 10
"""After so many failures a sweep stops."""


@dataclass(frozen=True)
class Sweep:
    """What a sweep has done: the calls of the clean play, how many faults fit them, and those that were played."""

    points: Sequence[Point]
    possible: int
    seed: int
    played: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.played.items())
        return (
            f"{len(self.points)} calls, {self.possible} single faults, {self.played.total()} of them played "
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
    **settings: Any,
) -> Sweep:
    """Break each call that the app makes while `play(cloud)` goes on, in each way, one at a time, and check what holds.

    Every fault is played on a fresh cloud.  When play is over and all runs have ended, `within` that virtual time,
    `check(cloud, what_play_returned)` is called; a run that play returned is looked up again for it.

    kinds: what happens to a call.  points: all, or how many faults are drawn, by the seed, among all calls and kinds.
    where: which calls may be broken.  only: one fault, such as "17 crash after", as a failed sweep prints it.
    faults: what goes wrong in any case.  settings: other arguments of AppCloud.

    Raises AssertionError with the calls that break it, the seed, and for each the log and how to play it again.
    """
    unknown = set(kinds) - set(KINDS)
    if unknown:
        raise ValueError(f"no such kind of fault: {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")

    def perform(fault: Fault | None) -> tuple[Single, str]:
        single = Single(deepcopy(faults) if faults is not None else Seam(), fault)
        with AppCloud(assembly, seed=seed, faults=single, **settings) as cloud:
            return single, _problem(cloud, single, fault, lambda: _played(cloud, play, check, within))

    clean, problem = perform(None)
    if problem:
        raise AssertionError(f"without any fault, what must hold doesn't:\n{problem}")
    possible = faults_at([point for point in clean.points if where(point)], kinds)
    if not possible:
        raise ValueError(f"this breaks nothing: none of the play's {len(clean.points)} calls fits `where` and `kinds`")
    found = Sweep(clean.points, len(possible), seed)
    for fault in _chosen(possible, points, only, seed):
        found.played[fault.kind] += 1
        _, problem = perform(fault)
        if problem:
            again = f"  this one again: sweep(..., seed={seed}, only={str(fault)!r})"
            found.broken.append(f"{fault.kind} at {fault.point}\n{problem}\n{again}")
        if len(found.broken) == MOST_BROKEN:
            break
    if found.broken:
        raise AssertionError("\n\n".join([str(found), *found.broken]))
    return found


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


def _problem(cloud: AppCloud, single: Single, fault: Fault | None, act: Callable[[], None]) -> str:
    """Why it went wrong and what happened, or nothing."""
    try:
        act()
        if fault is not None and not single.struck:
            raise AssertionError("not reached: the play took another way than without a fault, so it isn't repeatable")
    except Exception as error:  # noqa: BLE001  (whatever a play or a check raises is a finding)
        named = f"sweep-{fault or 'clean'}-seed-{cloud.seed}"
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
