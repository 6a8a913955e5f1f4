"""The single-fault sweep: at the calls of every scene, every kind of fault.

All points take half an hour: DRUMBEAT_SWEEP=full.  Otherwise a few are drawn; DRUMBEAT_SWEEP_SEED draws others.
"""

import os
from random import Random

import pytest

from tests.faults.driver import Fault
from tests.faults.plays import SCENES
from tests.faults.scenes import Scene
from tests.faults.sweep import Theatre, sweep

FULL = os.environ.get("DRUMBEAT_SWEEP") == "full"
DRAWN = 7
SEED = int(os.environ.get("DRUMBEAT_SWEEP_SEED", "1"))


def drawn(faults: list[Fault]) -> list[Fault]:
    """Some of the points, in their order."""
    chosen = sorted(Random(SEED).sample(range(len(faults)), min(DRAWN, len(faults))))
    return [faults[number] for number in chosen]


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_no_single_fault_breaks_an_invariant(theatre: Theatre, scene: Scene) -> None:
    report = sweep(theatre, scene, list if FULL else drawn)
    print(f"{scene}: {report}")  # noqa: T201  (shown with -s, and when it fails)

    assert [] == report.broken
