"""A small app, deployed afresh for every play."""

from pathlib import Path

import pytest

from drumbeat.local.synth import synthesize
from drumbeat.testing import AppCloud, RunView
from drumbeat.testing.sweeping import come_to_rest
from tests.faults import witness
from tests.faults.driver import Driver
from tests.faults.scenes import START, Scene


@pytest.fixture(scope="session")
def faults_assembly() -> Path:
    """The synthesized app of this folder."""
    witness.install()
    return synthesize(Path(__file__).parent / "app")


def played(assembly: Path, scene: Scene, driver: Driver | None = None) -> tuple[RunView, Driver]:
    """Play a scene in which one thing goes wrong, and check all that must hold."""
    driver = driver or scene.driver
    with AppCloud(assembly, start=START, faults=driver) as cloud:
        run = scene.play(cloud)
        come_to_rest(cloud)
        scene.check(cloud, run)
        return cloud.show(run), driver


def endured(assembly: Path, scene: Scene, driver: Driver, *, seed: int = 0) -> RunView:
    """Play a scene in which much may go wrong at once, and check what must hold all the same."""
    with AppCloud(assembly, start=START, faults=driver, seed=seed) as cloud:
        run = scene.play(cloud)
        come_to_rest(cloud)
        return scene.check_counts(cloud, run)
