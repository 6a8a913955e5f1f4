"""What AWS bills as one: see the page beside each."""

SQS_UNIT = 64 * 1024  # https://aws.amazon.com/sqs/pricing/
WRITE_UNIT = 1024  # https://aws.amazon.com/dynamodb/pricing/on-demand/
READ_UNIT = 4096


def units(size: float, unit: int) -> int:
    """Whole units, at least one."""
    return max(1, int(-(-size // unit)))
