"""For all tests: no request leaves that its service would refuse for its size."""

from collections.abc import Iterator

import pytest

from tests import ceilings


@pytest.fixture(autouse=True)
def _within_the_limits_of_aws() -> Iterator[None]:
    """Fail a test that asked AWS for too much, even if nobody noticed; see `ceilings.over_the_limit`."""
    ceilings.found.clear()
    yield
    assert [] == ceilings.found
