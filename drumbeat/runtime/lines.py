"""Read the items that a message doesn't hold but points to: those of a chunk by reference, and of one kept in S3.

What isn't there, or isn't what the message says, becomes dead letters that say so, and is never tried for ever.
"""

import hashlib
import re
from typing import Any

from botocore.exceptions import ClientError

from drumbeat.chunk import LARGEST, Chunk
from drumbeat.errors import DrumbeatError, ItemNotJson, MalformedMessage, RecordMalformed, SourceChanged
from drumbeat.reference import Lines, Numbers
from drumbeat.source import S3Csv, S3Lines
from drumbeat.task import Task
from drumbeat.untrusted import ITEM_DEPTH, MAX_DEPTH, read_json

from .records import record_of
from .services import Services

_OWN = re.compile(r"(?:~\d+)?(?:\+\d+)?/spool/\d{9,}\.jsonl|/items\.jsonl|/redrive/[A-Za-z0-9-]+\.jsonl")
"""What a run's own files of lines are called, after its id."""
GONE = frozenset({"PreconditionFailed", "412", "NoSuchKey", "404", "InvalidRange", "416"})
DENIED = frozenset({"AccessDenied", "403", "AllAccessDisabled"})
"""What S3 also answers for a key that isn't there, as our roles may not list."""


class Unreadable(str):
    """What stands for an item that can't be read, and why: its work isn't called, it is given up at once."""

    __slots__ = ("why",)
    why: DrumbeatError

    @classmethod
    def of(cls, text: str, why: DrumbeatError) -> "Unreadable":
        """Make one; `text` becomes the dead letter."""
        found = cls(text)
        found.why = why
        return found


def read_reference(chunk: Chunk, services: Services) -> list[Any]:
    """The items that a chunk refers to; if they aren't the ones of its run any more, what stands for each of them."""
    match chunk.reference:
        case Numbers(start, step):
            return list(range(start, start + chunk.count * step, step))
        case Lines() as lines:
            try:
                body = _fetch(lines, chunk, services)
            except SourceChanged as error:
                return instead(chunk, error)
            depth = MAX_DEPTH if chunk.round else ITEM_DEPTH
            return [_item(line, lines, depth) for line in body.split(b"\n") if line.strip()]
    raise MalformedMessage(f"{chunk.tree}#{chunk.number}: it has no reference")


def read_kept(chunk: Chunk, services: Services) -> list[Any]:
    """The items of a chunk that is kept in S3; if what is there isn't what was kept, what stands for each of them."""
    where = f"s3://(the bucket of the app)/{chunk.key}"
    try:
        answer = services.s3.get_object(Bucket=chunk.run.bucket, Key=str(chunk.key))
        body = answer["Body"].read(LARGEST + 1)
        if len(body) > LARGEST or (chunk.sha256 and hashlib.sha256(body).hexdigest() != chunk.sha256):
            raise SourceChanged(f"{where}: the object isn't the one that the chunk was sent with")
        found = read_json(body.decode())
        if not isinstance(found, list) or len(found) != chunk.count:
            raise SourceChanged(f"{where}: the object isn't a list of the chunk's {chunk.count} items")
    except (SourceChanged, ValueError) as error:
        return instead(chunk, error if isinstance(error, SourceChanged) else SourceChanged(f"{where}: it isn't JSON"))
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
        return instead(chunk, SourceChanged(f"{where}: the object is gone"))
    return found


def instead(chunk: Chunk, why: DrumbeatError) -> list[Any]:
    """What stands for the items of a chunk that can't be read."""
    where = chunk.reference.where if isinstance(chunk.reference, Lines) else str(chunk.key or "")
    return [Unreadable.of(where, why)] * chunk.count


def is_own(lines: Lines, chunk: Chunk) -> bool:
    """Whether a reference is to a file of lines that drumbeat has written for the chunk's run."""
    start = f"runs/{chunk.run.id}"
    return lines.bucket is None and lines.key.startswith(start) and bool(_OWN.fullmatch(lines.key[len(start) :]))


def check_reference(chunk: Chunk, task: Task) -> None:
    """Refuse a reference to anything but the run's own files and the task's source: a forged message reads nothing."""
    lines = chunk.reference
    if not isinstance(lines, Lines) or is_own(lines, chunk):
        return
    source: Any = task.source
    if (
        isinstance(source, S3Lines | S3Csv)
        and lines.bucket == source.bucket
        and lines.key == source.key.format(run=chunk.run)
    ):
        return
    raise MalformedMessage("the reference is neither to the run's own files nor to the task's source")


def _fetch(lines: Lines, chunk: Chunk, services: Services) -> bytes:
    try:
        answer = services.s3.get_object(
            Bucket=lines.bucket or chunk.run.bucket,
            Key=lines.key,
            IfMatch=lines.etag,
            Range=f"bytes={lines.begin}-{lines.end - 1}",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            raise SourceChanged(
                f"{lines.where}: the object has changed or gone since the run was expanded; write each run's input "
                "under a key of its own"
            ) from error
        raise
    return answer["Body"].read()


def _item(line: bytes, lines: Lines, depth: int) -> Any:
    try:
        if lines.columns:
            return record_of(line, lines.columns, lines.delimiter)
        return read_json(line.decode(), depth=depth)
    except RecordMalformed as error:
        return Unreadable.of(line.decode(errors="replace"), error)
    except ValueError:
        why = ItemNotJson(
            f"the line isn't JSON in UTF-8, or is nested more than {ITEM_DEPTH} deep; JSON Lines has one value a line"
        )
        return Unreadable.of(line.decode(errors="replace"), why)
