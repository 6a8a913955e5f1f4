"""Tasks whose expand or complete goes wrong, in the way that an object in the app's bucket says."""

import time
from base64 import b85encode
from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Any

from drumbeat import Run, Task

from .items import do, first_time

expands = Task("expands", chunk_size=4, retries=0, dispatcher_timeout_s=60)
expands.work(do)


@expands.expand
def items(run: Run, skip: int) -> Any:
    """Behave as runs/expands/how says."""
    import boto3

    how = boto3.client("s3").get_object(Bucket=run.bucket, Key="runs/expands/how")["Body"].read().decode()
    if how == "slowly":
        return slowly(range(skip, 90))
    return islice(globals()[how](run), skip, None) if skip else globals()[how](run)


def empty(run: Run) -> list[int]:
    """Have nothing to do."""
    del run
    return []


def text(run: Run) -> str:
    """Return what can't be meant as items."""
    del run
    return "abc"


def sets(run: Run) -> Iterator[Any]:
    """Yield something that isn't JSON."""
    del run
    yield 1
    yield {1, 2}


def huge(run: Run) -> Iterator[str]:
    """Yield an item that travels through S3, then one above the limit."""
    del run
    yield "x" * 2_000_000
    yield "x" * 11_000_000


def large(run: Run) -> Iterator[Any]:
    """Yield items above what one SQS message holds; the last one fails."""
    del run
    yield "small"
    yield b85encode(Random(1).randbytes(1_600_000)).decode()  # compression doesn't make it fit
    yield {"raise": "y" * 2_000_000}


def halfway(run: Run) -> Iterator[int]:
    """Raise in the middle of the second chunk."""
    del run
    yield from range(6)
    raise LookupError("the customers' database is gone")


def recovers(run: Run) -> Iterator[int]:
    """Raise once in all."""
    yield from range(6)
    if first_time("expand", run):
        raise ConnectionError("try again")
    yield from range(6, 10)


def wavers(run: Run) -> Iterator[int]:
    """Yield fewer items when called again: not deterministic, as an author may do by mistake."""
    if first_time("expand", run):
        yield from range(48)
        raise ConnectionError("try again")
    yield from range(45)


def slowly(numbers: range) -> Iterator[int]:
    """Take two seconds for each."""
    for number in numbers:
        time.sleep(2)
        yield number


def stuck(run: Run) -> Iterator[int]:
    """Take longer than one invocation, whatever is left out."""
    del run
    return slowly(range(90))


publisher = Task("publisher")
publisher.expand(lambda run: [1, 2, 3] if run else [])
publisher.work(do)


@publisher.complete
def fail(run: Run, results: Iterator[Any]) -> None:
    """Raise at every try."""
    raise OSError("the disk is full")
