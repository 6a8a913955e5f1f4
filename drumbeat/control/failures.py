"""What a run has given up: its dead letters, one by one or by error."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from drumbeat.ledger.letters import DeadLetter
from drumbeat.ledger.reader import dead_letters
from drumbeat.ledger.record import RunRecord

from .clients import Clients
from .deployment import DeployedStack
from .errors import InvalidFilter

_MOST_ERRORS = 1000
_SAMPLES = 5


@dataclass(frozen=True)
class Failure:
    """One item that was given up: its number in the run, the item itself, why, after how many attempts, and when.

    request_id: the worker's invocation that gave it up, whose log says more.
    """

    number: int
    item: Any
    error_type: str
    error: str
    attempts: int
    died_at: str
    chunk: int
    request_id: str

    @property
    def text(self) -> str:
        """The error as Python would write it."""
        return f"{self.error_type}: {self.error}" if self.error else self.error_type


@dataclass
class ErrorCount:
    """An error, numbers in it left out, how many items it has cost, and the numbers of the first of them."""

    error: str
    count: int = 0
    numbers: list[int] = field(default_factory=list)


def failures(clients: Clients, stack: DeployedStack, record: RunRecord, *, error: str = "") -> Iterator[Failure]:
    """The failures of a run as they stand, in the order of items; `error`: a regular expression found in their text."""
    wanted = pattern(error)
    letters = dead_letters(clients.dynamodb, clients.s3, table=stack.table, bucket=stack.bucket, record=record)
    return (
        _failure(clients, stack, letter) for letter in letters if wanted.search(f"{letter.error_type}: {letter.error}")
    )


def pattern(error: str) -> re.Pattern[str]:
    """Read a regular expression; an empty one finds everything."""
    try:
        return re.compile(error)
    except re.error as problem:
        raise InvalidFilter(f"{error!r} is no regular expression ({problem}); put a backslash before ( [ * ?") from None


def by_error(found: Iterable[Failure]) -> list[ErrorCount]:
    """Count failures by error, the most frequent first. Errors that differ in numbers only are one."""
    counts: dict[str, ErrorCount] = {}
    for failure in found:
        error = re.sub(r"\d+", "#", failure.text)
        if error not in counts and len(counts) >= _MOST_ERRORS:
            error = failure.error_type
        entry = counts.setdefault(error, ErrorCount(error))
        entry.count += 1
        if len(entry.numbers) < _SAMPLES:
            entry.numbers.append(failure.number)
    return sorted(counts.values(), key=lambda entry: -entry.count)


def _failure(clients: Clients, stack: DeployedStack, letter: DeadLetter) -> Failure:
    text: str | bytes = letter.item
    if letter.key:
        text = clients.s3.get_object(Bucket=stack.bucket, Key=letter.key)["Body"].read()
    return Failure(
        number=letter.number,
        item=json.loads(text),
        error_type=letter.error_type,
        error=letter.error,
        attempts=letter.attempts,
        died_at=letter.died_at,
        chunk=letter.chunk,
        request_id=letter.token.partition(".")[0],
    )
