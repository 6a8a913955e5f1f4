"""A task that waits for its turn, and one that comes after each of its runs."""

import json
import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from drumbeat import Backoff, Dead, Run, Task

task = partial(
    Task,
    chunk_size=2,
    timeout_s=30,
    retries=1,
    backoff=Backoff(first_s=1, cap_s=4),
    item_s=0.01,
    tolerated_failure_percentage=70,
)


def do(item: str, run: Run) -> str:
    """Do what the item's name says, and tell the witness when it is begun and when it is done."""
    witness = sys.modules["faults_witness"]
    attempt = witness.attempted(run.id, item)
    if "slow" in item:
        time.sleep(10)
    if item.startswith("killer"):
        os._exit(1)
    if item.startswith("broken") and not witness.is_mended(run.id):
        raise RuntimeError(item)
    if item.startswith("hopeless") and not witness.is_mended(run.id):
        raise Dead(item)
    if item.startswith("flaky") and attempt == 1:
        raise RuntimeError(item)
    witness.did(run.id, item)
    return item.upper()


def publish(run: Run, results: Iterator[Any]) -> None:
    """Publish all results in one object."""
    import boto3  # noqa: PLC0415  (only whoever publishes pays for it)

    body = json.dumps(list(results)).encode()
    boto3.client("s3").put_object(Bucket=run.bucket, Key=f"{run.prefix}/all.json", Body=body)


first = task("first", overlap="buffer_all")
first.expand(lambda run: run.params["items"])
first.work(do)
first.complete(publish)

then = task("then", after=[first])
then.expand(lambda run: list(run.results("first")))
then.work(do)
then.complete(publish)
