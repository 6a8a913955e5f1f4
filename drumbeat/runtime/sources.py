"""Read a run's items from where its task says they are."""

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

from drumbeat.errors import ExpandFailed, InvalidTask, SourceMissing
from drumbeat.run import Run
from drumbeat.source import DynamoItems, Range, S3Lines, S3Objects, Source
from drumbeat.task import Task, takes_skip

from .services import Services

_MISSING = frozenset({"NoSuchBucket", "NoSuchKey", "404", "ResourceNotFoundException"})


def items_of(
    task: Task, run: Run, services: Services, *, items_key: str = "", skip: int = 0
) -> tuple[Iterator[Any], int]:
    """The items of a run, in order, and how many of the first `skip` are left out already.

    They are the same ones each time, as far as the source hasn't changed.  `items_key` is where they are if they were
    given by hand.
    """
    given: Any = S3Lines(items_key) if items_key else task.source
    left_out = 0
    if not isinstance(given, Source):
        left_out = skip if takes_skip(given) else 0
        given = given(run, skip=skip) if takes_skip(given) else given(run)
    if isinstance(given, Source):
        return _read(given, task, run, services), 0
    if not isinstance(given, Iterable) or isinstance(given, str | bytes | Mapping):
        raise InvalidTask(
            f"task {task.name!r}: expand returned a {type(given).__name__}; yield items, or return a list or source"
        )
    return iter(given), left_out


def _read(source: Source, task: Task, run: Run, services: Services) -> Iterator[Any]:
    try:
        match source:
            case Range(start, stop, step):
                yield from range(start, stop, step)
            case S3Lines(key, bucket):
                yield from _lines(task, key.format(run=run), bucket or run.bucket, services)
            case S3Objects(prefix, bucket):
                yield from _objects(prefix.format(run=run), bucket or run.bucket, services)
            case DynamoItems(table, attributes):
                yield from _records(table, attributes, services)
    except ClientError as error:
        raise refused(task, source, error) from error


def refused(task: Task, source: Source, error: ClientError) -> Exception:
    """What to raise when a source can't be read: SourceMissing if trying again won't help."""
    code = error.response["Error"]["Code"]
    if code in _MISSING or code.startswith("AccessDenied"):
        return SourceMissing(
            f"task {task.name!r}: {source!r} can't be read ({code} from {error.operation_name}); create it, or "
            "allow it in the task's permissions"
        )
    return error


def _lines(task: Task, key: str, bucket: str, services: Services) -> Iterator[Any]:
    body = services.s3.get_object(Bucket=bucket, Key=key)["Body"]
    for number, line in enumerate(body.iter_lines(chunk_size=256 * 1024), start=1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except ValueError:
            raise ExpandFailed(
                f"task {task.name!r}: line {number} of s3://{bucket}/{key} isn't JSON; JSON Lines has one value a line"
            ) from None


def _objects(prefix: str, bucket: str, services: Services) -> Iterator[Any]:
    pages = services.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for found in page.get("Contents", ()):
            yield {"bucket": bucket, "key": found["Key"], "size": found["Size"], "etag": found["ETag"].strip('"')}


def _records(table: str, attributes: tuple[str, ...], services: Services) -> Iterator[Any]:
    names = {f"#{number}": name for number, name in enumerate(attributes)}
    only: dict[str, Any] = (
        {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names} if attributes else {}
    )
    from boto3.dynamodb.types import TypeDeserializer  # noqa: PLC0415  (only for such a source: it costs init time)

    read = TypeDeserializer().deserialize
    for page in services.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True, **only):
        for record in page["Items"]:
            yield {name: _json(read(value)) for name, value in record.items()}


def _json(value: Any) -> Any:
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case set():
            return sorted(map(_json, value))
        case list():
            return [_json(member) for member in value]
        case dict():
            return {name: _json(member) for name, member in value.items()}
        case None | str() | bool():
            return value
        case _:  # boto3's Binary
            raise ExpandFailed("a binary attribute isn't JSON; choose others with DynamoItems(attributes=...)")
