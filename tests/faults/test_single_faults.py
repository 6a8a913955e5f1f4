"""The single-fault sweep: at the calls of every scene, every kind of fault.

All points take half an hour: DRUMBEAT_SWEEP=full.  Otherwise a few are drawn; DRUMBEAT_SWEEP_SEED draws others.
"""

import os
from functools import partial
from random import Random

import pytest

from tests.faults.driver import Fault
from tests.faults.plays import SCENES
from tests.faults.scenes import Scene
from tests.faults.sweep import FULL, Theatre, sweep

DRAWN, DRAWN_OF_SLOW = 4, 2  # points a scene; the keeper's rounds take hours of virtual time
SEED = int(os.environ.get("DRUMBEAT_SWEEP_SEED", "1"))


def drawn(faults: list[Fault], count: int) -> list[Fault]:
    """Some of the points, in their order."""
    return [faults[number] for number in sorted(Random(SEED).sample(range(len(faults)), count))]


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_no_single_fault_breaks_an_invariant(theatre: Theatre, scene: Scene) -> None:
    count = DRAWN_OF_SLOW if "keeper" in str(scene) else DRAWN
    report = sweep(theatre, scene, list if FULL else partial(drawn, count=count))
    print(f"{scene}: {report}")  # noqa: T201  (shown with -s, and when it fails)

    assert [] == report.broken
