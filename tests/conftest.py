"""For all tests: no request leaves that its service would refuse for its size; and an operator's view of the app."""

from collections.abc import Iterator

import pytest

from drumbeat.control import Control, Deployment
from drumbeat.testing.cloud import AppCloud
from tests import ceilings


@pytest.fixture(autouse=True)
def _within_the_limits_of_aws() -> Iterator[None]:
    """Fail a test that asked AWS for too much, even if nobody noticed; see `ceilings.over_the_limit`."""
    ceilings.found.clear()
    yield
    assert [] == ceilings.found


@pytest.fixture
def control(cloud: AppCloud) -> Control:
    """What an operator does, on the clients and the clock of the local cloud."""
    return Control(
        Deployment.of_outputs(cloud.deployment.outputs),
        cloud,
        now=lambda: cloud.now,
        sleep=lambda seconds: cloud.advance(seconds=seconds),
    )
