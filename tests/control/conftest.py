"""A `Control` of the app that is deployed in the local cloud: its clients, its clock."""

import pytest

from drumbeat.control import Control, Deployment
from drumbeat.testing.cloud import AppCloud


@pytest.fixture
def control(cloud: AppCloud) -> Control:
    return Control(
        Deployment.of_outputs(cloud.deployment.outputs),
        cloud,
        now=lambda: cloud.now,
        sleep=lambda seconds: cloud.advance(seconds=seconds),
    )
