"""A service is away for ten minutes, in the middle of a run: longer than any retry of the SDK or of Lambda."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from drumbeat.local.faults import Apply, unreachable
from drumbeat.local.services import Call
from tests.faults.conftest import endured
from tests.faults.driver import Driver
from tests.faults.plays import PLAIN
from tests.faults.test_single_faults import FULL

TEN_MINUTES_NS = 600 * 1_000_000_000


@dataclass
class Away(Driver):
    """From its first call after so many calls of the run, a service can't be reached for ten minutes."""

    service: str = ""
    after_calls: int = 0
    since_ns: int = 0

    def touches(self, call: Call) -> bool:
        """All calls to the service, while it is away."""
        touched = super().touches(call)
        if call.service != self.service or call.invocation is None or len(self.calls) <= self.after_calls:
            return touched
        self.since_ns = self.since_ns or call.invocation.loop.clock.ns
        call.notes["away"] = True
        return True

    def attempt(self, call: Call, apply: Apply) -> Any:
        """Fail while the service is away."""
        assert call.invocation is not None
        if "away" in call.notes and call.invocation.loop.clock.ns < self.since_ns + TEN_MINUTES_NS:
            unreachable()
        return super().attempt(call, apply)


@pytest.mark.parametrize("after_calls", [3, 7, 13, 20] if FULL else [7])
@pytest.mark.parametrize("service", ["dynamodb", "sqs", "s3", "lambda", "events"])
def test_ten_minutes_without_a_service_lose_no_item(faults_assembly: Path, service: str, after_calls: int) -> None:
    run = endured(faults_assembly, PLAIN, Away(PLAIN.task, service=service, after_calls=after_calls))

    assert (8, 0) == (run.record.succeeded, run.failed)
