"""In how many parts a run is expanded, and how many items each has: what `drumbeat.runtime.divide` decides."""

from itertools import pairwise

from drumbeat.source import DynamoItems, Range, S3Csv, S3Lines, S3Objects
from drumbeat.task import Task

MOST, PART_BYTES, PART_NUMBERS = 64, 64 * 1024 * 1024, 1_000_000
"""As in `drumbeat.runtime.divide`, which a plan may not import; a test says that they agree."""


def asks_for_size(task: Task, *, given: bool) -> bool:
    """Whether a dispatcher looks how large an object is before it reads it."""
    reads = given or (isinstance(task.source, S3Lines | S3Csv) and not getattr(task.source, "multiline", False))
    return reads and task.by_reference is not False and task.parts != 1


def shares(task: Task, *, items: int, item_bytes: int, given: bool) -> tuple[int, ...]:
    """The items of each part, in their order; a run that isn't divided has all of them in one.

    Of a prefix it isn't known how many prefixes are below it: it counts as divided if the task says so.
    """
    source = task.source
    if asks_for_size(task, given=given):
        return _of_bytes(task, items, item_bytes + 1)
    if task.parts == 1 or given or isinstance(source, S3Lines | S3Csv):
        return (items,)
    if isinstance(source, Range):
        return _evenly(items, _number(task, items, PART_NUMBERS))
    if isinstance(source, DynamoItems):
        return _evenly(items, task.parts or _number(task, items * item_bytes, PART_BYTES))
    if isinstance(source, S3Objects):
        return _evenly(items, task.parts or 1)
    count = task.parts or 1
    return tuple(len(range(part, items, count)) for part in range(count))


def _number(task: Task, size: int, each: int) -> int:
    return min(size, task.parts if task.parts is not None else min(MOST, -(-size // each)))


def _of_bytes(task: Task, items: int, line: int) -> tuple[int, ...]:
    """A line belongs to the part in which it begins."""
    size = items * line
    count = max(1, _number(task, size, PART_BYTES))
    before = [-(-(size * part // count) // line) for part in range(count + 1)]
    return tuple(end - begin for begin, end in pairwise(before))


def _evenly(items: int, count: int) -> tuple[int, ...]:
    edges = [items * part // max(1, count) for part in range(max(1, count) + 1)]
    return tuple(end - begin for begin, end in pairwise(edges))
