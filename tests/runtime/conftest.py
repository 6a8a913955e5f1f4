"""What an operator does in these tests, on the clients and the clock of the local cloud."""

import pytest

from drumbeat.control import Control, Deployment
from drumbeat.testing.cloud import AppCloud


@pytest.fixture
def control(cloud: AppCloud) -> Control:
    """The operator's view of the deployed app."""
    return Control(
        Deployment.of_outputs(cloud.deployment.outputs),
        cloud,
        now=lambda: cloud.now,
        sleep=lambda seconds: cloud.advance(seconds=seconds),
    )
