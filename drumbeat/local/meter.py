"""Counts of calls and of what AWS would bill for them; prices are `drumbeat.plan`'s affair."""

from collections import Counter
from dataclasses import dataclass, field

SQS_UNIT = 64 * 1024  # "every 64 KB chunk of a payload is billed as 1 request": https://aws.amazon.com/sqs/pricing/
EVENT_UNIT = 64 * 1024  # https://aws.amazon.com/eventbridge/pricing/
WRITE_UNIT, READ_UNIT = (
    1024,
    4096,
)  # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html


def units(size: int, unit: int) -> int:
    """Whole units, at least one."""
    return max(1, -(-size // unit))


@dataclass
class Meter:
    """What handlers asked (`requests`), what services did on their behalf (`service_requests`), what is billed.

    `billed` has: sqs_requests, events, dynamodb_write_units, dynamodb_read_units, s3_puts, s3_gets, lambda_requests,
    lambda_gb_s, snap_start_restored_gb, log_bytes. `cold_starts` are new environments, restored ones too.
    """

    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    service_requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    billed: dict[str, float] = field(default_factory=dict)
    invocations: Counter[str] = field(default_factory=Counter)
    cold_starts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    throttles: Counter[str] = field(default_factory=Counter)
    gb_seconds: dict[str, float] = field(default_factory=dict)

    def bill(self, what: str, amount: float) -> None:
        self.billed[what] = self.billed.get(what, 0) + amount

    def poll(self, operation: str, size: int) -> None:
        """A call of an event source mapping: billed to the queue's owner like any other."""
        self.service_requests["sqs", operation] += 1
        self.bill("sqs_requests", units(size, SQS_UNIT))
