"""Tasks with limits: of time for an item, and of items a second for whoever shares a budget."""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from drumbeat import Again, Backoff, Budget, Dead, Range, Run, Task

QUICK = Backoff(first_s=1, cap_s=10)
BANK = Budget("bank", per_second=10)
MAIL = Budget("mail", per_second=5)


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


def do(item: Any, run: Run) -> Any:
    """Do what the item says; when it began."""
    began = time.time()
    match item:
        case {"again": float(hours), "key": str(key)}:
            if first_time(key, run):
                raise Again(after=timedelta(hours=hours))
        case {"dead": str(reason)}:
            raise Dead(reason)
        case {"raise": "lookup"}:
            raise LookupError("no such thing")
        case {"raise": "network"}:
            raise ConnectionError("no answer")
        case {"sleep": seconds}:
            time.sleep(seconds)
    return began


picky = Task("picky", chunk_size=4, retries=2, backoff=QUICK, retry_on=(OSError,), timeout_s=20, item_timeout_s=2)
picky.expand(Range(0, 4))
picky.work(do)


@picky.complete
def times(run: Run, results: Iterator[float]) -> None:
    """Publish when each item began."""
    import json

    import boto3

    body = json.dumps(list(results)).encode()
    boto3.client("s3").put_object(Bucket=run.bucket, Key=f"{run.prefix}/times.json", Body=body)


payments = Task("payments", chunk_size=20, budgets=(BANK,), timeout_s=60, max_concurrency=4, item_s=0.01)
payments.expand(Range(0, 200))
payments.work(do)
payments.complete(times)

refunds = Task("refunds", chunk_size=20, budgets=(BANK, MAIL), timeout_s=60, concurrency=3, item_s=0.01)
refunds.expand(Range(0, 40))
refunds.work(do)
refunds.complete(times)

reminders = Task(
    "reminders", chunk_size=10, budgets=(BANK,), concurrency=5, timeout_s=60, item_timeout_s=2, retries=1, backoff=QUICK
)
reminders.expand(Range(0, 40))
reminders.complete(times)


@reminders.work
async def remind(item: Any, run: Run) -> Any:
    """Wait as long as the item says."""
    began = time.time()
    await asyncio.sleep(item["await"] if isinstance(item, dict) else 0.05)
    return began
