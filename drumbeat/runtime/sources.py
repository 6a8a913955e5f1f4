"""Read a run's items from where its task says they are."""

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

from drumbeat.errors import ExpandFailed, InvalidTask, RecordMalformed, SourceMissing
from drumbeat.part import Part
from drumbeat.run import Run
from drumbeat.source import DynamoItems, Range, S3Csv, S3Lines, S3Objects, Source
from drumbeat.task import Task, extras_of

from .records import columns_of, multiline_records, record_of
from .services import Services
from .stretch import blocks_of, split

_MISSING = frozenset({"NoSuchBucket", "NoSuchKey", "404", "ResourceNotFoundException"})


def items_of(
    task: Task, run: Run, services: Services, *, items_key: str = "", skip: int = 0, cut: Any = None
) -> tuple[Iterator[Any], int]:
    """The items of a run, or of one of its parts, in order, and how many of the first `skip` are left out already.

    They are the same ones each time, as far as the source hasn't changed.  `items_key` is where they are if they were
    given by hand; `cut` says which part of the source is read, if not all of it.
    """
    given: Any = S3Lines(items_key) if items_key else task.source
    left_out = 0
    if not isinstance(given, Source):
        extras = {"skip": skip, "part": Part(*cut) if cut else Part()}
        taken = extras_of(given)
        left_out = skip if "skip" in taken else 0
        given = given(run, **{name: extras[name] for name in taken})
        cut = None
    if isinstance(given, Source):
        return _read(given, task, run, services, cut), 0
    if not isinstance(given, Iterable) or isinstance(given, str | bytes | Mapping):
        raise InvalidTask(
            f"task {task.name!r}: expand returned a {type(given).__name__}; yield items, or return a list or source"
        )
    return iter(given), left_out


def _read(source: Source, task: Task, run: Run, services: Services, cut: Any) -> Iterator[Any]:
    try:
        match source:
            case Range(start, stop, step):
                yield from range(start, stop, step)[slice(*cut) if cut else slice(None)]
            case S3Lines() | S3Csv():
                yield from _lines(task, source, run, services)
            case S3Objects(prefix, bucket):
                yield from _objects(prefix.format(run=run), bucket or run.bucket, services, cut)
            case DynamoItems(table, attributes):
                yield from _records(table, attributes, services, cut)
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


def _lines(task: Task, source: S3Lines | S3Csv, run: Run, services: Services) -> Iterator[Any]:
    key, bucket = source.key.format(run=run), source.bucket or run.bucket
    lines = split(blocks_of(services.s3.get_object(Bucket=bucket, Key=key)["Body"]))
    if isinstance(source, S3Csv):
        yield from _records_of(lines, source, f"task {task.name!r}, s3://{bucket}/{key}")
        return
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except ValueError:
            raise ExpandFailed(
                f"task {task.name!r}: line {number} of s3://{bucket}/{key} isn't JSON; JSON Lines has one value a line"
            ) from None


def _records_of(lines: Iterator[bytes], source: S3Csv, where: str) -> Iterator[Any]:
    try:
        if source.multiline:
            yield from multiline_records((f"{line.decode()}\n" for line in lines), source.delimiter)
            return
        first = next(lines, b"")
        columns = columns_of(first, source.delimiter) if first else ()
        for number, line in enumerate(lines, start=2):
            if line.strip():
                where = f"{where.partition(', line')[0]}, line {number}"
                yield record_of(line, columns, source.delimiter)
    except RecordMalformed as error:
        raise RecordMalformed(f"{where}: {error}") from None


def _objects(prefix: str, bucket: str, services: Services, cut: Any) -> Iterator[Any]:
    after, until = cut or ("", "")
    begin: dict[str, Any] = {"StartAfter": after} if after else {}
    pages = services.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **begin)
    for page in pages:
        for found in page.get("Contents", ()):
            if until and found["Key"] > until:
                return
            yield {"bucket": bucket, "key": found["Key"], "size": found["Size"], "etag": found["ETag"].strip('"')}


def _records(table: str, attributes: tuple[str, ...], services: Services, cut: Any) -> Iterator[Any]:
    names = {f"#{number}": name for number, name in enumerate(attributes)}
    how: dict[str, Any] = (
        {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names} if attributes else {}
    )
    if cut:
        how |= {"Segment": cut[0], "TotalSegments": cut[1]}
    from boto3.dynamodb.types import TypeDeserializer  # noqa: PLC0415  (only for such a source: it costs init time)

    read = TypeDeserializer().deserialize
    for page in services.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True, **how):
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
