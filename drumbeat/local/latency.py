"""How long things take in virtual time: declared, seeded, and not measured on AWS.

The numbers are orders of magnitude of calls within a Region; change them by giving LocalCloud a Latency of your own.
"""

from dataclasses import dataclass, field
from random import Random

from .clock import SECOND

CALLS: dict[str, tuple[float, float]] = {
    "sqs": (0.005, 0.015),
    "dynamodb": (0.005, 0.015),
    "s3": (0.010, 0.030),
    "lambda": (0.020, 0.040),
    "events": (0.010, 0.030),
    "scheduler": (0.010, 0.030),
}


@dataclass(frozen=True)
class Latency:
    """Bounds in seconds, drawn evenly between them."""

    calls: dict[str, tuple[float, float]] = field(default_factory=lambda: dict(CALLS))
    other_call: tuple[float, float] = (0.010, 0.030)
    cold_start: float = 0.35
    restore: float = 0.2  # of a snapshot (SnapStart), which isn't billed by the second; AWS says "as low as sub-second"
    compute: float = 0.001  # of a handler without a duration model
    start: tuple[float, float] = (0.002, 0.008)  # from the decision to invoke to the handler
    poll: tuple[float, float] = (0.005, 0.020)  # from a visible message to the poller's receive
    async_queue: tuple[float, float] = (0.020, 0.060)
    rule: tuple[float, float] = (0.1, 0.5)  # from an event to its target
    environment_idle: float = 480.0  # AWS doesn't say; measurements found 5 to 10 minutes

    def draw(self, bounds: tuple[float, float], rng: Random) -> int:
        """Nanoseconds."""
        low, high = bounds
        return int((low + (high - low) * rng.random()) * SECOND)

    def call(self, service: str, rng: Random) -> int:
        return self.draw(self.calls.get(service, self.other_call), rng)
