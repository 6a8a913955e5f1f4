"""The pytest plugin: fixture `cloud`, a fresh local cloud with your app deployed, for each test that asks for it.

Loading it imports nothing but pytest; the app is synthesized once a session, and only if its sources have changed.
"""

import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .cloud import AppCloud
    from .sweeping import Sweep


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

    with AppCloud(drumbeat_assembly, **_settings(request)) as opened:
        yield opened


@pytest.fixture
def sweep(drumbeat_assembly: Path, request: pytest.FixtureRequest) -> "Callable[..., Sweep]":
    """`drumbeat.testing.sweep` over the app, with the settings of the test's marker."""
    from .sweeping import sweep as over  # noqa: PLC0415  (only who asks for a sweep pays for it)

    return functools.partial(over, drumbeat_assembly, **_settings(request))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> "Iterator[None]":
    """Show what happened in the cloud of a test that fails: the seed, the latest events, and the file with all."""
    made = yield
    report = made.get_result()  # type: ignore[attr-defined]
    opened: Any = getattr(item, "funcargs", {}).get("cloud")
    if not report.failed or call.when != "call" or not _is_ours(opened):
        return
    from .trace import trace  # noqa: PLC0415  (only who has a cloud pays for it)

    report.sections.append(("drumbeat", trace(opened, item.nodeid)))


def _is_ours(opened: object) -> bool:
    module = sys.modules.get("drumbeat.testing.cloud")
    return module is not None and isinstance(opened, module.AppCloud)


def _settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    marker = request.node.get_closest_marker("cloud")
    return dict(marker.kwargs) if marker else {}
