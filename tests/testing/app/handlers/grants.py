"""A task with a schedule of EventBridge Scheduler, one that keeps what it has done, one that reads the bucket."""

from base64 import b85encode
from collections.abc import Iterator
from random import Random
from typing import Any

from drumbeat import Backoff, Cron, DynamoItems, Run, S3Lines, S3Objects, Task

QUICK = Backoff(first_s=1, cap_s=4)

plain = Task(
    "plain",
    schedule=Cron("0 6 * * ? *", timezone="Europe/Berlin"),
    retries=1,
    backoff=QUICK,
    chunk_size=2,
    timeout_s=10,
)


@plain.expand
def numbers(run: Run, skip: int) -> Iterator[int]:
    """Take so long that a second dispatcher has to go on."""
    import time

    if run.params.get("large"):
        yield b85encode(Random(1).randbytes(1_200_000)).decode()  # that compression doesn't make small
        return
    for number in range(skip, 12):
        time.sleep(100)
        yield number


@plain.work
def work(item: Any, run: Run) -> Any:
    """Fail if the item says so, or die."""
    import os

    del run
    if isinstance(item, str) and item.startswith("killer"):
        os._exit(1)
    if isinstance(item, str) and item.startswith("poison"):
        raise RuntimeError(item[:10])
    return item


@plain.complete
def publish(run: Run, results: Iterator[Any]) -> None:
    """Publish the number of results."""
    import boto3

    boto3.client("s3").put_object(Bucket=run.bucket, Key=f"{run.prefix}/count", Body=str(sum(1 for _ in results)))


once = Task("once", idempotent_by="id", retries=1, backoff=QUICK, timeout_s=10, tracing=True)
once.expand(S3Lines("inputs/once.jsonl"))


@once.work
def work_once(item: dict[str, Any], run: Run) -> Any:
    """Fail at the first attempt, if the item says so."""
    del run
    if item.get("fails"):
        raise RuntimeError("no")
    return item


objects = Task("objects", timeout_s=10, keep_results=True)
objects.expand(S3Objects("inputs/objects/"))
objects.work(work)

records = Task("records", timeout_s=10, parts=2, keep_results=True)
records.expand(DynamoItems("customers", attributes=("id",)))
records.work(work)

later = Task("later", after=[records], timeout_s=10)
later.expand(lambda run: list(run.results("records")))
later.work(work)
