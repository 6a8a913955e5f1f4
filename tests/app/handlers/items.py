"""Tasks whose items do what they say, so that a test can choose what happens."""

import asyncio
import json
import os
import time
import uuid
from collections.abc import Iterator
from typing import Any

from drumbeat import Backoff, Cron, DynamoItems, Range, Run, S3Lines, S3Objects, Task

Item = dict[str, Any]
QUICK = Backoff(first_s=1, cap_s=10)


def do(item: Any, run: Run) -> Any:
    """Do what the item says; an item that isn't a dict is its own result."""
    match item:
        case {"raise": str(words)}:
            raise RuntimeError(words)
        case {"exit": int(status)}:
            os._exit(status)
        case {"sleep": seconds}:
            time.sleep(seconds)
        case {"fail_until": str(key)}:
            once_then_succeed(key, run)
        case {"throttled_until": str(key)}:
            throttle_once(key, run)
        case {"return": "set"}:
            return {1, 2}
        case {"call": "s3"}:
            return list_buckets()
    return item


def once_then_succeed(key: str, run: Run) -> None:
    """Fail at the first attempt of all workers together."""
    if first_time(key, run):
        raise LookupError(f"{key} isn't there yet")


def throttle_once(key: str, run: Run) -> None:
    """Be refused for the rate at the first attempt."""
    from botocore.exceptions import ClientError

    if first_time(key, run):
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "GetThing")


def list_buckets() -> Any:
    """Ask for what no grant allows."""
    import boto3

    return boto3.client("s3").list_buckets()["Buckets"]


def first_time(key: str, run: Run) -> bool:
    """Whether this key was never asked for in this run."""
    import boto3
    from botocore.exceptions import ClientError

    s3 = boto3.client("s3")
    name = f"runs/{run.id}/seen/{key}"
    try:
        s3.head_object(Bucket=run.bucket, Key=name)
    except ClientError:
        s3.put_object(Bucket=run.bucket, Key=name, Body=b"")
        return True
    return False


plain = Task(
    "plain", schedule=Cron("0 0 * * ? *"), chunk_size=10, retries=2, backoff=QUICK, tolerated_failure_percentage=50
)
plain.expand(Range(0, 95))
plain.work(do)


@plain.complete
def add_up(run: Run, results: Iterator[Any]) -> None:
    """Publish all results in one object."""
    import boto3

    body = json.dumps(list(results)).encode()
    boto3.client("s3").put_object(Bucket=run.bucket, Key=f"{run.prefix}/all.json", Body=body)


strict = Task("strict", chunk_size=5, retries=0, backoff=QUICK, timeout_s=10, item_s=1)
strict.expand(Range(0, 5))
strict.work(do)

threads = Task("threads", concurrency=4, chunk_size=8, retries=1, backoff=QUICK, timeout_s=30, tracing=True)
threads.expand(Range(0, 20))
threads.work(do)

coroutines = Task("coroutines", concurrency=5, chunk_size=20, retries=1, backoff=QUICK, timeout_s=30, overlap="allow")
coroutines.expand(Range(0, 40))


@coroutines.work
async def wait(item: Any, run: Run) -> Any:
    """Wait half a second, then do what the item says."""
    await asyncio.sleep(0.5 if not isinstance(item, dict) else item.get("await", 0))
    return do(item, run)


lines = Task("lines", chunk_size=3)
lines.expand(S3Lines("inputs/{run.scheduled_at:%Y-%m-%d}.jsonl"))
lines.work(do)

spools = Task("spools", chunk_size=10, by_reference=True)
spools.expand(lambda run: ({"n": n, "text": "ü\n"} for n in range(25)) if run else [])
spools.work(do)
spools.complete(add_up)

objects = Task("objects", chunk_size=2)
objects.expand(S3Objects("inputs/objects/"))
objects.work(do)

records = Task("records", chunk_size=4)
records.expand(DynamoItems("customers", attributes=("id", "name")))
records.work(do)

once = Task("once", idempotent_by="id", chunk_size=4, retries=5, backoff=QUICK, timeout_s=10, item_s=1)
once.expand(Range(0, 4))


@once.work
def leave_a_trace(item: Item, run: Run) -> Any:
    """Write one object per effect, then do what the item says."""
    import boto3

    key = f"runs/{run.id}/effects/{item['id']}/{uuid.uuid4()}"
    boto3.client("s3").put_object(Bucket=run.bucket, Key=key, Body=b"")
    return do(item, run)
