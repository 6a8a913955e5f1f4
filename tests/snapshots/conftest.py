"""The app of this folder, fresh for each test."""

from pathlib import Path

import pytest

from drumbeat.local.synth import synthesize


@pytest.fixture(scope="session")
def drumbeat_assembly() -> Path:
    """The synthesized app of this folder."""
    return synthesize(Path(__file__).parent / "app")
