"""The pytest plugin: fixture `cloud`, a fresh local cloud with your app deployed, for each test that asks for it.

Loading it imports nothing but pytest; the app is synthesized once a session, and only if its sources have changed.
"""

import functools
import gc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .cloud import AppCloud


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting that says where the app is."""
    parser.addini("drumbeat_app", "folder with app.py and handlers/, below the root folder", default=".")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers", "cloud(**settings): settings of the `cloud` fixture: start, seed, durations, ..."
    )


@pytest.fixture(scope="session")
def drumbeat_assembly(pytestconfig: pytest.Config) -> Path:
    """The folder with the app's synthesized templates."""
    from drumbeat.local.synth import synthesize  # noqa: PLC0415  (only who asks for a cloud pays for it)

    return synthesize(Path(pytestconfig.rootpath, str(pytestconfig.getini("drumbeat_app"))))


@pytest.fixture
def cloud(drumbeat_assembly: Path, request: pytest.FixtureRequest) -> "Iterator[AppCloud]":
    """A fresh local cloud with the app deployed; `@pytest.mark.cloud(seed=7, start=...)` sets it up."""
    from .cloud import AppCloud  # noqa: PLC0415  (only who asks for a cloud pays for it)

    marker = request.node.get_closest_marker("cloud")
    with AppCloud(drumbeat_assembly, **(marker.kwargs if marker else {})) as opened:
        _spare_the_collector()
        yield opened


@functools.cache
def _spare_the_collector() -> None:
    """Once a session: what importing moto, boto3 and botocore has made stays, so don't look through it again."""
    gc.collect()
    gc.freeze()
