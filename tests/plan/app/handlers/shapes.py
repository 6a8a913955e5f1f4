"""Each task has a shape of its own: where its items come from, how they are packed, what becomes of the results."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

from drumbeat import Backoff, Range, Rate, Run, S3Lines, S3Objects, Task

SOON = Backoff(first_s=1, cap_s=1)


def work(item: Any, run: Run) -> Any:
    """Fail as often as the item says."""
    if isinstance(item, dict) and item.get("fails"):
        raise RuntimeError("as asked")
    return item


def gather(run: Run, results: Iterator[Any]) -> int:
    """Count the results; the number is kept."""
    return sum(1 for _ in results)


numbers = Task("numbers", chunk_size=10)
numbers.expand(Range(100_000, 100_095))

leaves = Task("leaves", chunk_size=1, max_concurrency=20)
leaves.expand(Range(100_000, 100_290))

batches = Task("batches", chunk_size=2, batch_size=5, batch_window_s=2, overlap="allow")
batches.expand(Range(100_000, 100_200))

gathers = Task("gathers", chunk_size=3, tolerated_failure_percentage=100, retries=2, backoff=SOON)
gathers.expand(Range(100_000, 100_030))
gathers.complete(gather)

lines = Task("lines", chunk_size=4, retries=0)
lines.expand(S3Lines("inputs/lines.jsonl"))

objects = Task("objects", chunk_size=4)
objects.expand(S3Objects("inputs/objects/"))

wide = Task("wide", chunk_size=100, chunk_bytes=4096)

large = Task("large", chunk_size=1)

squeezes = Task("squeezes")

once = Task("once", chunk_size=4, idempotent_by="id")


@wide.expand
def texts(run: Run) -> Iterator[str]:
    """Yield 100 items of 1,002 bytes of JSON each."""
    for _ in range(100):
        yield "x" * 1000


@large.expand
def huge(run: Run) -> Iterator[str]:
    """Yield items that no message holds, and that no compression makes smaller."""
    for number in range(2):
        yield base64.b85encode(Random(number).randbytes(1_600_000)).decode()


@squeezes.expand
def hexadecimal(run: Run) -> Iterator[str]:
    """Yield 1,000 items of 1,002 bytes, which are shorter when they are compressed."""
    for number in range(1000):
        yield Random(number).randbytes(50).hex() * 10


@once.expand
def named(run: Run) -> Iterator[dict[str, int]]:
    """Yield items with an id."""
    for number in range(100, 112):
        yield {"id": number}


spools = Task("spools", chunk_size=10, by_reference=True)

nothing = Task("nothing")

beats = Task("beats", schedule=Rate(hours=1), catch_up=timedelta(hours=1))

before = Task("before")

follows = Task("follows", after=[before])

combines = Task("combines", chunk_size=1, max_concurrency=20)
combines.expand(Range(100_000, 100_260))

few = Task("combines-few", chunk_size=10)
few.expand(Range(100_000, 100_030))


@spools.expand
def long_texts(run: Run) -> Iterator[str]:
    """Yield 100 items of 100,002 bytes of JSON each: more than one object's worth of lines."""
    for _ in range(100):
        yield "x" * 100_000


@before.expand
@follows.expand
@beats.expand
@nothing.expand
def none(run: Run) -> list[int]:
    """Have nothing to do."""
    return []


@combines.combine
@few.combine
def add(values: Iterator[int]) -> int:
    """Add up."""
    return sum(values)


for task in (numbers, leaves, batches, gathers, lines, objects, wide, large):
    task.work(work)
for task in (squeezes, spools, nothing, combines, few, once, beats, before, follows):
    task.work(work)
