"""Read the items of a chunk by reference, in the worker."""

import json
from typing import Any

from botocore.exceptions import ClientError

from drumbeat.chunk import Chunk
from drumbeat.errors import DrumbeatError, ItemNotJson, MalformedMessage, RecordMalformed, SourceChanged
from drumbeat.reference import Lines, Numbers
from drumbeat.source import S3Csv, S3Lines
from drumbeat.task import Task

from .records import record_of
from .services import Services


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
                return [Unreadable.of(lines.where, error)] * chunk.count
            return [_item(line, lines) for line in body.split(b"\n") if line.strip()]
    raise MalformedMessage(f"{chunk.tree}#{chunk.number}: it has no reference")


def check_reference(chunk: Chunk, task: Task) -> None:
    """Refuse a reference to anything but the run's own files and the task's source: a forged message reads nothing."""
    lines = chunk.reference
    if not isinstance(lines, Lines) or (lines.bucket is None and lines.key.startswith(f"runs/{chunk.run.id}")):
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
        if error.response["Error"]["Code"] in ("PreconditionFailed", "412", "NoSuchKey", "404", "InvalidRange", "416"):
            raise SourceChanged(
                f"{lines.where}: the object has changed or gone since the run was expanded; write each run's input "
                "under a key of its own"
            ) from error
        raise
    return answer["Body"].read()


def _item(line: bytes, lines: Lines) -> Any:
    try:
        return record_of(line, lines.columns, lines.delimiter) if lines.columns else json.loads(line)
    except RecordMalformed as error:
        return Unreadable.of(line.decode(errors="replace"), error)
    except ValueError:
        why = ItemNotJson("the line isn't JSON; JSON Lines has one value a line")
        return Unreadable.of(line.decode(errors="replace"), why)
