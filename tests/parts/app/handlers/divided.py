"""Tasks whose sources are cut, each in its own way; poison fails, the rest is published in the order of items."""

import json
from collections.abc import Iterator
from typing import Any

import boto3

from drumbeat import DynamoItems, Part, Range, Run, S3Csv, S3Lines, S3Objects, Task

numbers = Task("numbers", parts=3, chunk_size=4, retries=0, tolerated_failure_percentage=50)
numbers.expand(Range(100, 200, 3))

inline = Task("inline", parts=3, chunk_size=4, retries=0, by_reference=False)
inline.expand(Range(0, 10))

lines = Task("lines", parts=4, chunk_size=3, retries=0, tolerated_failure_percentage=50)
lines.expand(S3Lines("inputs/lines.jsonl"))

people = Task("people", parts=3, chunk_size=2, retries=0, tolerated_failure_percentage=50)
people.expand(S3Csv("inputs/people.csv", delimiter=";"))

quoted = Task("quoted", retries=0)
quoted.expand(S3Csv("inputs/quoted.csv", multiline=True))

objects = Task("objects", parts=3, chunk_size=2, retries=0)
objects.expand(S3Objects("inputs/objects/"))

records = Task("records", parts=3, retries=0)
records.expand(DynamoItems("customers", attributes=("id",)))

shares = Task("shares", parts=4, chunk_size=2, retries=5, tolerated_failure_percentage=50)
slow = Task("slow", parts=2, chunk_size=2, retries=0, dispatcher_timeout_s=60)
kept = Task("kept", parts=2, chunk_size=1, retries=0, timeout_s=10, keep_results=True)
kept.expand(Range(0, 4))

TASKS = (numbers, inline, lines, people, quoted, objects, records, shares, slow)


@shares.expand
def every(run: Run, part: Part) -> Iterator[Any]:
    """Yield what the run was started with, each part its share; one may be without any, and one may fail."""
    items = run.params.get("items", list(range(20)))
    yield from items[part.number :: part.of]
    if run.params.get("broken") == part.number:
        raise ValueError("no more of this part")


@slow.expand
def slowly(_run: Run, part: Part, skip: int) -> Iterator[int]:
    """Take longer than an invocation for each part."""
    import time

    for number in range(skip, 12):
        time.sleep(11)
        yield 100 * part.number + number


@kept.work
def linger(item: Any, _run: Run) -> Any:
    """Take a while."""
    import time

    time.sleep(5)
    return item


def do(item: Any, _run: Run) -> Any:
    """Return the item, or fail if it says so."""
    if item == "poison" or (isinstance(item, dict) and item.get("name") == "poison"):
        raise ValueError("poison")
    return item


def publish(run: Run, results: Iterator[Any]) -> None:
    """Keep what was returned, in the order of items."""
    body = json.dumps(list(results)).encode()
    boto3.client("s3").put_object(Bucket=run.bucket, Key=f"{run.prefix}/all.json", Body=body)


for task in TASKS:
    task.work(do)
    task.complete(publish)
