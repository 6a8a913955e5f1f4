"""The single-fault sweep: at the calls of every scene, every kind of fault.

In the suite, scenes in which the dispatcher, the worker, the dead-letter consumer and the keeper do all they can do are
swept whole; of the others a few faults are drawn, by DRUMBEAT_SWEEP_SEED.  DRUMBEAT_SWEEP=full plays all of all.
"""

import os
from pathlib import Path
from typing import Any, Literal

import pytest

from drumbeat.testing import Point, Sweep, sweep
from tests.faults import witness
from tests.faults.lives import CHAINED, LIVES, REDRIVEN
from tests.faults.plays import GIVEN_UP, MIXED, PLAIN, RESUMED, SCENES, SENT_AGAIN
from tests.faults.scenes import Scene

FULL = os.environ.get("DRUMBEAT_SWEEP") == "full"
DRAWN, DRAWN_OF_SLOW = 3, 1  # faults a scene; the keeper's rounds take hours of virtual time
SEED = int(os.environ.get("DRUMBEAT_SWEEP_SEED", "1"))
_APART = {} if FULL else {"outside": witness.attempts.total}  # what was done is known to the witness
WHOLE = (PLAIN, MIXED, REDRIVEN, CHAINED)
OF_THE_KEEPER = (GIVEN_UP, SENT_AGAIN, RESUMED)
"""Here the keeper's own calls are the new ones; it takes what is in the dead-letter queue, too."""
DRAWN_FROM = tuple(scene for scene in (*SCENES, *LIVES) if scene not in (*WHOLE, *OF_THE_KEEPER))


def swept(assembly: Path, scene: Scene, *, points: int | Literal["all"], **settings: Any) -> Sweep:
    """Break the calls of a scene."""
    settings = {"where": scene.is_about, "start": scene.start, "faults": scene.driver, "seed": SEED, **settings}
    found = sweep(assembly, scene.play, scene.check, points=points, **settings)
    print(f"{scene}: {found}")  # noqa: T201  (shown with -s, and when it fails)
    return found


@pytest.mark.parametrize("scene", WHOLE, ids=str)
def test_no_single_fault_at_any_call_breaks_an_invariant(faults_assembly: Path, scene: Scene) -> None:
    """Crash before, crash after, lost reply, throttle, outage, partial acceptance: what can be told apart, at each."""
    found = swept(faults_assembly, scene, points="all", **_APART)

    assert {"dispatcher", "worker"} <= {point.function.split()[-1] for point in found.points}
    assert found.possible == found.played.total() + found.alike >= 150


@pytest.mark.parametrize("scene", OF_THE_KEEPER, ids=str)
def test_no_single_fault_at_any_call_of_the_keeper_breaks_an_invariant(faults_assembly: Path, scene: Scene) -> None:
    """What it does as the consumer of dead letters, and in its rounds."""

    def where(point: Point) -> bool:
        return point.function == "keeper" and (scene.is_about(point) or FULL)

    found = swept(faults_assembly, scene, points="all", where=where, **_APART)

    assert found.possible == found.played.total() + found.alike >= 20


@pytest.mark.parametrize("scene", [*DRAWN_FROM, *(OF_THE_KEEPER if FULL else ())], ids=str)
def test_no_single_fault_breaks_an_invariant(faults_assembly: Path, scene: Scene) -> None:
    slow = "keeper" in str(scene)
    swept(faults_assembly, scene, points="all" if FULL else DRAWN_OF_SLOW if slow else DRAWN)
