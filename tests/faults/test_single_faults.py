"""The single-fault sweep: at the calls of every scene, every kind of fault.

All points take an hour: DRUMBEAT_SWEEP=full.  Otherwise a few are drawn; DRUMBEAT_SWEEP_SEED draws others.
"""

import os
from pathlib import Path

import pytest

from drumbeat.testing import sweep
from tests.faults.lives import LIVES
from tests.faults.plays import SCENES
from tests.faults.scenes import Scene

FULL = os.environ.get("DRUMBEAT_SWEEP") == "full"
DRAWN, DRAWN_OF_SLOW = 3, 1  # faults a scene; the keeper's rounds take hours of virtual time
SEED = int(os.environ.get("DRUMBEAT_SWEEP_SEED", "1"))


@pytest.mark.parametrize("scene", [*SCENES, *LIVES], ids=str)
def test_no_single_fault_breaks_an_invariant(faults_assembly: Path, scene: Scene) -> None:
    points = DRAWN_OF_SLOW if "keeper" in str(scene) else DRAWN
    settings = {"start": scene.start, "faults": scene.driver, "seed": SEED}
    found = sweep(
        faults_assembly, scene.play, scene.check, points="all" if FULL else points, where=scene.is_about, **settings
    )
    print(f"{scene}: {found}")  # noqa: T201  (shown with -s, and when it fails)
