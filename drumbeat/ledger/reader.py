"""Read the ledger from outside Lambda: what the command line and tests show of runs."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from . import letters, parts
from .manifest import taken_up
from .record import RunRecord
from .table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


def list_runs(client: "DynamoDBClient", table: str, tasks: Iterable[str]) -> list[RunRecord]:
    """All runs of these tasks, by task, then by scheduled time."""
    ledger = Table(client, table)
    return [RunRecord.of(item) for task in tasks for item in ledger.query(f"task#{task}", prefix="run#")]


def dead_letters(
    client: "DynamoDBClient", s3: "S3Client", *, table: str, bucket: str, record: RunRecord
) -> Iterator[letters.DeadLetter]:
    """The dead letters of a run as they stand, in the order of items; streamed, however many they are."""
    ledger = Table(client, table)
    return letters.read(ledger, parts.so_far(ledger, record), numbers=lambda found: taken_up(ledger, s3, bucket, found))
