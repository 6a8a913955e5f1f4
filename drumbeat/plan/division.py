"""In how many parts a run is expanded, and how many items each has: what `drumbeat.runtime.divide` decides."""

from itertools import pairwise

from drumbeat.part import PART_BYTES, PART_NUMBERS, cut, number_of_parts
from drumbeat.source import DynamoItems, Range, S3Csv, S3Lines, S3Objects, is_lined
from drumbeat.task import Task


def asks_for_size(task: Task, *, given: bool) -> bool:
    """Whether a dispatcher looks how large an object is before it reads it."""
    return (given or is_lined(task.source)) and task.by_reference is not False and task.parts != 1


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
        return _evenly(items, number_of_parts(items, PART_NUMBERS, task.parts))
    if isinstance(source, DynamoItems):
        return _evenly(items, task.parts or number_of_parts(items * item_bytes, PART_BYTES, task.parts))
    if isinstance(source, S3Objects):
        return _evenly(items, task.parts or 1)
    count = task.parts or 1
    return tuple(len(range(part, items, count)) for part in range(count))


def _of_bytes(task: Task, items: int, line: int) -> tuple[int, ...]:
    """A line belongs to the part in which it begins."""
    size = items * line
    count = max(1, number_of_parts(size, PART_BYTES, task.parts))
    before = [-(-(size * part // count) // line) for part in range(count + 1)]
    return tuple(end - begin for begin, end in pairwise(before))


def _evenly(items: int, count: int) -> tuple[int, ...]:
    return tuple(end - begin for begin, end in cut(items, max(1, count)))
