"""What reading a run's source asks of AWS, and dividing the run if the source is large."""

from collections.abc import Iterator

from drumbeat.source import DynamoItems, S3Csv, S3Lines, S3Objects
from drumbeat.task import Task

from .division import asks_for_size
from .packing import LINES, Packing
from .steps import DISPATCHER, put, read, write
from .units import units
from .usage import Step

OBJECTS_PER_PAGE, SCAN_BYTES = 1000, 1024 * 1024
"""https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html, API_Scan.html"""
_BYTES_OF_PART = 1000  # the record of a part, about


def expanding(task: Task, packing: Packing, *, hand_overs: int, given: bool) -> Iterator[Step]:
    """Look at the source, divide it, read it; not yet what sends the chunks."""
    yield from _divide(task, packing, given=given)
    yield from _source(task, packing, hand_overs=hand_overs, given=given)


def _divide(task: Task, packing: Packing, *, given: bool) -> Iterator[Step]:
    """See how large the source is; if it is worth it, a record and a dispatcher for each part."""
    parts = len(packing.spread)
    if asks_for_size(task, given=given):
        yield Step("how large is the source", "1 object", 1, "s3_gets", "s3", "HeadObject", DISPATCHER)
    elif isinstance(task.source, S3Objects) and not given and task.parts != 1:
        pages = 1 + (task.parts is not None or packing.items > OBJECTS_PER_PAGE)
        how = "a page, and one of the prefixes below" if pages > 1 else "a page"
        yield Step("how large is the source", how, pages, "s3_puts", "s3", "ListObjectsV2", DISPATCHER)
    elif isinstance(task.source, DynamoItems) and not given and task.parts != 1:
        yield Step("how large is the source", "1 table", 1, "", "dynamodb", "DescribeTable", DISPATCHER)
    if not parts:
        return
    how = f"{parts} parts"
    yield write("fix the parts, and the size of their tree", "2", 2)
    yield put("a record for each part", how, parts)
    yield Step("tell the parts to begin", how, parts, "", "lambda", "Invoke", DISPATCHER)
    yield write("take up a part, seal it, count it", f"3 x {how}", 3 * parts)
    yield read("is the run still expanded", how, parts)
    each = units(_BYTES_OF_PART * parts, 4096)
    query = ("dynamodb_read_units", "dynamodb", "Query", DISPATCHER)
    yield Step(
        *("are all parts sealed", f"1 + {how}", 1 + parts, *query),
        units=(1 + parts) * each,
        units_how=f"(1 + {how}) x {parts} records of about a KB",
    )


def _source(task: Task, packing: Packing, *, hand_overs: int, given: bool) -> Iterator[Step]:
    starts = max(1, len(packing.spread)) + hand_overs
    source = task.source
    if isinstance(source, S3Csv) and not given:
        names = max(0, starts - 1) * (packing.way == LINES)
        how = f"1 object x {starts} dispatchers" + (f" + {names} first lines" if names else "")
        yield Step("read the source", how, starts + names, "s3_gets", "s3", "GetObject", DISPATCHER)
    elif given or isinstance(source, S3Lines):
        how = "1 object" + (f" x {starts} dispatchers" if starts > 1 else "")
        yield Step("read the source", how, starts, "s3_gets", "s3", "GetObject", DISPATCHER)
    elif isinstance(source, S3Objects):
        pages = max(1, -(-packing.items // OBJECTS_PER_PAGE)) * starts
        how = f"{packing.items:,} objects / {OBJECTS_PER_PAGE:,} a page"
        yield Step("list the source", how, pages, "s3_puts", "s3", "ListObjectsV2", DISPATCHER)
    elif isinstance(source, DynamoItems):
        size = packing.items * packing.item_bytes
        pages = max(1, -(-size // SCAN_BYTES)) * starts
        yield Step(
            *("scan the source", f"{size:,} bytes / 1 MiB a page", pages),
            *("dynamodb_read_units", "dynamodb", "Scan", DISPATCHER),
            units=pages * SCAN_BYTES / 4096 if pages > 1 else units(size, 4096),
            units_how=f"{size:,} bytes / 4 KB",
        )
