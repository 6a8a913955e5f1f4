"""One task for each scene; what an item does, and how often, is known to `faults_witness` in the test's process."""

import os
import sys
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

from drumbeat import Backoff, Part, Run, Task

QUICK = Backoff(first_s=1, cap_s=4)


def do(item: str, run: Run) -> str:
    """Do what the item's name says, after telling the witness of the attempt."""
    attempt = sys.modules["faults_witness"].attempted(run.id, item)
    if item.startswith("poison") or (item.startswith("flaky") and attempt == 1):
        raise RuntimeError(item)
    if item.startswith("broken") and not sys.modules["faults_witness"].is_mended(run.id):
        raise RuntimeError(item)
    if item.startswith("slow"):
        time.sleep(20)
    if item.startswith("killer"):
        os._exit(1)
    return item.upper()


def publish(run: Run, results: Iterator[Any]) -> None:
    """Publish all results in one object."""
    import json

    import boto3

    body = json.dumps(list(results)).encode()
    boto3.client("s3").put_object(Bucket=run.bucket, Key=f"{run.prefix}/all.json", Body=body)


def scene(name: str, items: Iterable[str], **settings: Any) -> Task:
    """A task with these items and a fan-in that publishes them."""
    usual = {"chunk_size": 3, "timeout_s": 10, "backoff": QUICK, "item_s": 0.01, "tolerated_failure_percentage": 60}
    task = Task(name, **{**usual, **settings})
    task.expand(lambda run: list(items) if run else [])
    task.work(do)
    task.complete(publish)
    return task


plain = scene("plain", [f"item{n}" for n in range(8)], retries=1)
mixed = scene("mixed", ["a", "flaky1", "b", "poison", "c"], retries=1)
empty = scene("empty", [])
dying = scene("dying", ["a", "killer", "b", "c"], retries=1)

split = Task("split", parts=2, chunk_size=2, retries=1, timeout_s=10, backoff=QUICK, item_s=0.01)
split.work(do)
split.complete(publish)


@split.expand
def halves(run: Run, part: Part) -> list[str]:
    """Yield three items, or two."""
    items = ["a", "flaky1", "b", "c", "d"] if run else []
    return items[3 * part.number : 3 * part.number + 3]


frail = scene("frail", ["a", "killer", "b", "c"], retries=0)
large = Task(
    "large", retries=0, chunk_size=3, timeout_s=10, backoff=QUICK, item_s=0.01, tolerated_failure_percentage=60
)
large.work(do)
large.complete(publish)


@large.expand
def with_noise(run: Run) -> list[str]:
    """Yield one item that is more than a message holds, and compression doesn't make it small."""
    noise = b64encode(Random(1).randbytes(1_000_000)).decode()
    return ["a", f"poison{noise}", "b"] if run else []


once = Task("once", chunk_size=3, timeout_s=10, backoff=QUICK, item_s=0.01, idempotent_by="id", retries=1)
once.expand(lambda run: [{"id": item} for item in ("a", "b", "c", "d")] if run else [])
once.complete(publish)


@once.work
def do_once(item: dict[str, str], run: Run) -> str:
    """Do what the item's id says."""
    return do(item["id"], run)


long = Task("long", chunk_size=3, timeout_s=10, dispatcher_timeout_s=60, backoff=QUICK, item_s=0.01)
long.work(do)
long.complete(publish)


@long.expand
def slowly(run: Run, skip: int) -> Iterator[str]:
    """Take 12 seconds for each item: an invocation gets as far as the fourth."""
    del run
    for number in range(skip, 10):
        time.sleep(12)
        yield f"item{number}"
