"""References: what a message carries instead of items that can be read again where they are."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import MalformedMessage
from .untrusted import is_whole

MOST_BYTES = 64 * 1024 * 1024
"""Of a reference: above the largest chunk and the blank lines within, and still within a worker's memory."""
_compact = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True)
class Numbers:
    """So many whole numbers, from `start` on."""

    start: int
    step: int = 1

    def text(self) -> str:
        """What a message says, as JSON."""
        return f'{{"start":{self.start},"step":{self.step}}}'


@dataclass(frozen=True)
class Lines:
    """The lines of an S3 object that begin in a range of bytes, as long as the object is the one of this ETag.

    bucket: None for the app's own; `begin` is included, `end` is not.
    columns, delimiter: of comma-separated values, the names of a record's fields; JSON Lines have none.
    """

    key: str
    etag: str
    begin: int
    end: int
    bucket: str | None = None
    columns: tuple[str, ...] = ()
    delimiter: str = ","

    def text(self) -> str:
        """What a message says, as JSON."""
        found: dict[str, Any] = {"key": self.key, "etag": self.etag, "begin": self.begin, "end": self.end}
        if self.columns:
            found |= {"columns": self.columns, "delimiter": self.delimiter}
        return _compact(found | ({"bucket": self.bucket} if self.bucket else {}))

    @property
    def where(self) -> str:
        """Where the lines are, for people."""
        return f"s3://{self.bucket or '(the bucket of the app)'}/{self.key}, bytes {self.begin} to {self.end}"


Reference = Numbers | Lines


def parse_reference(found: Any) -> Reference:
    """Read a reference back; raises MalformedMessage for anything else."""
    match found:
        case {"start": int(start), "step": int(step)} if not isinstance(start, bool) and is_whole(step, least=1):
            return Numbers(start, step)
        case {"key": str(key), "etag": str(etag), "begin": int(begin), "end": int(end)} if (
            key and etag and is_whole(begin) and is_whole(end, least=begin + 1, most=begin + MOST_BYTES)
        ):
            return Lines(key, etag, begin, end, _bucket(found), *_columns(found))
    raise MalformedMessage("the reference to the items isn't one of drumbeat's")


def _columns(found: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    columns, delimiter = found.get("columns", []), found.get("delimiter", ",")
    if not isinstance(columns, list) or not all(isinstance(column, str) for column in columns):
        raise MalformedMessage("the columns of a reference are a list of names")
    if not isinstance(delimiter, str) or len(delimiter) != 1:
        raise MalformedMessage("the delimiter of a reference is one character")
    return tuple(columns), delimiter


def _bucket(found: Mapping[str, Any]) -> str | None:
    bucket = found.get("bucket")
    if bucket is not None and not isinstance(bucket, str):
        raise MalformedMessage("the bucket of a reference is text")
    return bucket
