"""Read the ledger from outside Lambda: what the command line and tests show of runs."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from . import letters
from .runs import RunRecord
from .table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def list_runs(client: "DynamoDBClient", table: str, tasks: Iterable[str]) -> list[RunRecord]:
    """All runs of these tasks, by task, then by scheduled time."""
    ledger = Table(client, table)
    return [RunRecord.of(item) for task in tasks for item in ledger.query(f"task#{task}", prefix="run#")]


def list_dead_letters(client: "DynamoDBClient", table: str, run: RunRecord) -> list[letters.DeadLetter]:
    """The dead letters of a run, in the order of items."""
    found = letters.read(Table(client, table), run.id, run.chunks)
    return sorted(found, key=lambda letter: letter.number)
