"""A small app, deployed once for many runs, with the fault driver at its seam."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from drumbeat.local.synth import synthesize
from drumbeat.testing.cloud import AppCloud
from tests.faults import witness
from tests.faults.driver import Driver
from tests.faults.scenes import START, Stage
from tests.faults.sweep import Theatre


@pytest.fixture(scope="session")
def faults_assembly() -> Path:
    """The synthesized app of this folder."""
    return synthesize(Path(__file__).parent / "app")


@pytest.fixture(scope="module")
def theatre(faults_assembly: Path) -> Iterator[Theatre]:
    """A cloud that the tests of a module play on, one after the other."""
    opened = Theatre(partial(deployed, faults_assembly, Driver()))
    yield opened
    opened.close()


@pytest.fixture
def stage(theatre: Theatre) -> Stage:
    """The theatre's stage."""
    return theatre.stage


@contextmanager
def deployed(assembly: Path, driver: Driver, *, seed: int = 0) -> Iterator[Stage]:
    """Open a cloud with the app deployed, and the driver that can break its calls."""
    witness.install()
    with AppCloud(assembly, start=START, seed=seed, faults=driver, log_keep=1000) as cloud:
        yield Stage(cloud, driver)
