"""Whether several dispatchers expand a run side by side, and where its source is cut for them.

A source is cut by what it can be read by: an S3 object by bytes, a range by numbers, a prefix by the prefixes below it,
a table by segments.  A function of the author's is called once for each part, if the task says how many there are.
"""

from itertools import islice, pairwise
from typing import Any

from botocore.exceptions import ClientError

from drumbeat.ledger import count, parts
from drumbeat.ledger.record import RunRecord
from drumbeat.part import MOST, PART_BYTES, PART_NUMBERS, cut, number_of_parts
from drumbeat.run import Run
from drumbeat.signal import Resume
from drumbeat.source import DynamoItems, Range, S3Csv, S3Lines, S3Objects
from drumbeat.task import Task

from .invoke import invoke
from .referenced import source_of
from .services import Services

_PAGE = 1000
_PREFIXES = 10 * _PAGE
_PLAN_BYTES = 32 * 1024  # of a run's record, whose keys may be long


def plan_of(task: Task, run: Run, record: RunRecord, services: Services) -> str:
    """How a run is divided, for its record; nothing if one dispatcher expands it."""
    lined = source_of(task, run, record) if task.by_reference is not False else None
    travels = lined is None and (bool(record.items_key) or isinstance(task.source, S3Lines | S3Csv))
    if record.round or record.halt or task.parts == 1 or travels:
        return ""
    try:
        return _plan_of(task, lined or task.source, run, services)
    except ClientError:
        return ""  # whoever reads the source says what is wrong with it


def _plan_of(task: Task, source: Any, run: Run, services: Services) -> str:
    match source:
        case Range(start, stop, step):
            return _of_range(task, len(range(start, stop, step)))
        case S3Lines() | S3Csv():
            return _of_bytes(task, source, run, services)
        case S3Objects(prefix, bucket):
            return _of_prefixes(task, prefix.format(run=run), bucket or run.bucket, services)
        case DynamoItems(table):
            size = services.dynamodb.describe_table(TableName=table)["Table"].get("TableSizeBytes", 0)
            return _of_segments(task.parts or number_of_parts(size, PART_BYTES, task.parts))
    return _of_segments(task.parts or 1)


def start(services: Services, record: RunRecord) -> None:
    """Let the parts of a divided run begin; a repeat tells those that aren't sealed, and who is at one ignores it."""
    table, run = services.table, Run.parse(record.id)
    parts.begin(table, record)
    count.seal(table, *record.top, expires_at=record.expires_at)
    for part in parts.of_run(table, record):
        if not part.sealed:
            invoke(services, record.dispatcher, Resume(run, part.epoch, part.part).event())


def _of_range(task: Task, numbers: int) -> str:
    count = number_of_parts(numbers, PART_NUMBERS, task.parts)
    spans = cut(numbers, count)
    return parts.plan(spans, firsts=[begin for begin, _ in spans]) if count > 1 else ""


def _of_bytes(task: Task, source: S3Lines | S3Csv, run: Run, services: Services) -> str:
    head = services.s3.head_object(Bucket=source.bucket or run.bucket, Key=source.key)
    count = number_of_parts(head["ContentLength"], PART_BYTES, task.parts)
    return parts.plan(cut(head["ContentLength"], count), pin=head["ETag"]) if count > 1 else ""


def _of_segments(count: int) -> str:
    return parts.plan([[number, count] for number in range(count)]) if count > 1 else ""


def _of_prefixes(task: Task, prefix: str, bucket: str, services: Services) -> str:
    """Cut a listing where prefixes below it begin: each part has the keys after one of them, up to the next."""
    first = services.s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=_PAGE)
    if not first["IsTruncated"] and task.parts is None:
        return ""
    pages = services.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
    below = [found["Prefix"] for page in islice(pages, _PREFIXES // _PAGE) for found in page.get("CommonPrefixes", ())]
    count = min(task.parts or MOST, len(below))
    while count > 1:
        edges = ["", *(below[begin] for begin, _ in cut(len(below), count)[1:]), ""]
        found = parts.plan([[after, until] for after, until in pairwise(edges)])
        if len(found) <= _PLAN_BYTES:
            return found
        count //= 2
    return ""
