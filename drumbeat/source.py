"""Where a run's items come from, when they aren't yielded by a function of the author's.

A source only says what to read: it is given to a task where the function would be, `task.expand(S3Lines("in.jsonl"))`,
or returned by that function.  `drumbeat.runtime.sources` reads it.
"""

from dataclasses import dataclass
from typing import TypeGuard

from .errors import InvalidTask
from .run import Run, parse_time

_SAMPLE = Run("sample", parse_time("2026-01-01T00:00:00Z"))


def _check_key(kind: str, text: str) -> None:
    if not text or text.startswith("/"):
        raise InvalidTask(f"{kind}({text!r}): a key without a leading slash is expected, like inputs/customers.jsonl")
    try:
        text.format(run=_SAMPLE)
    except (AttributeError, IndexError, KeyError, ValueError) as error:
        raise InvalidTask(
            f"{kind}({text!r}): only fields of the run may stand in braces, "
            f"like inputs/{{run.scheduled_at:%Y-%m-%d}}.jsonl ({error})"
        ) from None


@dataclass(frozen=True)
class S3Lines:
    """Each non-empty line of one S3 object, as JSON (JSON Lines).

    `key` may name fields of the run: `inputs/{run.scheduled_at:%Y-%m-%d}.jsonl`.  Without `bucket`, the app's own.
    """

    key: str
    bucket: str | None = None

    def __post_init__(self) -> None:
        _check_key("S3Lines", self.key)


@dataclass(frozen=True)
class S3Csv:
    """Each record of one S3 object of comma-separated values, as a dict by the names in its first line; all text.

    One record a line: so the object can be cut, and a worker reads just its own records.  With `multiline` a quoted
    field may hold line breaks; then one dispatcher reads the whole object, and the records travel in the messages.
    """

    key: str
    bucket: str | None = None
    delimiter: str = ","
    multiline: bool = False

    def __post_init__(self) -> None:
        _check_key("S3Csv", self.key)
        if not isinstance(self.delimiter, str) or len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            raise InvalidTask(f"S3Csv({self.key!r}): delimiter={self.delimiter!r}; one character is expected, like ;")


@dataclass(frozen=True)
class S3Objects:
    """Each object under a prefix, in the order of keys, as `{"bucket", "key", "size", "etag"}`."""

    prefix: str
    bucket: str | None = None

    def __post_init__(self) -> None:
        _check_key("S3Objects", self.prefix)


@dataclass(frozen=True)
class Range:
    """The whole numbers from `start` up to but without `stop`."""

    start: int
    stop: int
    step: int = 1

    def __post_init__(self) -> None:
        if self.step < 1 or self.stop < self.start:
            raise InvalidTask(f"{self!r}: start <= stop and step >= 1 are expected")


@dataclass(frozen=True)
class DynamoItems:
    """Each item of a DynamoDB table (a scan), as plain JSON: numbers as int or float, sets as lists.

    `attributes` limits what is read to these top-level attributes.
    """

    table: str
    attributes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.table:
            raise InvalidTask("DynamoItems(''): name a table")


Source = S3Lines | S3Csv | S3Objects | Range | DynamoItems


def is_lined(source: object) -> TypeGuard[S3Lines | S3Csv]:
    """Whether a source is lines, one item each, of which a worker can read just its own."""
    return isinstance(source, S3Lines) or (isinstance(source, S3Csv) and not source.multiline)
