"""Tasks whose runs are halted, redriven or tried again: their items say what happens."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from drumbeat import Again, Backoff, Budget, Cron, Dead, Run, Task

from .items import once_then_succeed

SHARED = Budget("shared", per_second=5)


def live(item: Any, run: Run) -> Any:  # noqa: C901  (a list of what an item may say)
    """Do what the item says."""
    match item:
        case {"again": seconds, "until": str(time_)}:
            if now() < time_:
                raise Again(after=seconds)
        case {"dead": str(reason)}:
            raise Dead(reason)
        case {"lookup": str(words)}:
            raise LookupError(words)
        case {"key": str(name)}:
            raise KeyError(name)
        case {"raise": str(words)}:
            raise RuntimeError(words)
        case {"fail_in": list(rounds)}:
            fail_in(rounds, item, run)
        case {"sleep": seconds}:
            time.sleep(seconds)
        case {"fail_once": str(key)}:
            once_then_succeed(key, run)
        case {"count": str(key)}:
            leave_trace(key, run)
    return item


def fail_in(rounds: list[int], item: dict[str, Any], run: Run) -> None:
    """Fail unless the run was redriven often enough, after which the item may take its time."""
    if redrives(run) in rounds:
        raise LookupError("not yet")
    time.sleep(item.get("sleep", 0))


def now() -> str:
    """The time, as drumbeat writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def redrives(run: Run) -> int:
    """How often a test says the run was redriven."""
    import boto3
    from botocore.exceptions import ClientError

    try:
        body = boto3.client("s3").get_object(Bucket=run.bucket, Key=f"runs/{run.id}/redrives")["Body"]
    except ClientError:
        return 0
    return int(body.read())


def leave_trace(key: str, run: Run) -> None:
    """Leave an object for each time the item is done."""
    import boto3

    name = f"runs/{run.id}/done/{key}/{time.time_ns()}"
    boto3.client("s3").put_object(Bucket=run.bucket, Key=name, Body=b"")


timely = Task("timely", chunk_size=5, retries=1, deadline=timedelta(minutes=10), timeout_s=60, max_concurrency=2)
tolerant = Task(
    "tolerant",
    chunk_size=1,
    retries=0,
    tolerated_failure_count=3,
    timeout_s=60,
    max_concurrency=2,
    overlap="buffer_all",
)
asking = Task(
    "asking",
    chunk_size=10,
    retries=2,
    backoff=Backoff(first_s=1, cap_s=10),
    retry_on=(ConnectionError, LookupError),
    give_up_on=(KeyError,),
    timeout_s=60,
)
paying = Task("paying", chunk_size=20, budgets=(SHARED,), timeout_s=60)
paying_too = Task("paying-too", chunk_size=20, budgets=(SHARED,), timeout_s=60, concurrency=4)

for task in (timely, tolerant, asking):
    task.work(live)


@paying.work
@paying_too.work
def pay(item: Any, run: Run) -> float:
    """Say when it was done."""
    return time.time()


@paying.expand
@paying_too.expand
@timely.expand
@asking.expand
@tolerant.expand
def expand(run: Run) -> Iterator[Any]:
    """Yield numbers, each after the seconds that the run's parameters say."""
    for number in range(run.params.get("items", 20)):
        time.sleep(run.params.get("pause", 0))
        yield number


def publish(run: Run, results: Iterator[Any]) -> None:
    """Publish all results in one object, after the seconds that the run's parameters say."""
    import boto3

    time.sleep(run.params.get("finish", 0))
    body = json.dumps(list(results)).encode()
    boto3.client("s3").put_object(Bucket=run.bucket, Key=f"{run.prefix}/all.json", Body=body)


for task in (tolerant, asking, paying, paying_too):
    task.complete(publish)


daily = Task(
    "daily", schedule=Cron("0 0 * * ? *"), chunk_size=4, batch_size=1, retries=0, timeout_s=60, max_concurrency=2
)


@daily.expand
def forty(run: Run) -> Iterator[Any]:
    """Yield items of a second each: half of them fail while an object in the bucket says so."""
    yield from ({"sleep": 1, "number": number} for number in range(40))


@daily.work
def day(item: Any, run: Run) -> Any:
    """Do what the item says."""
    if isinstance(item, dict) and item.get("number", 0) % 2 and is_there("runs/daily/fails", run):
        raise ConnectionError("not now")
    return live(item, run)


def is_there(key: str, run: Run) -> bool:
    """Whether there is such an object."""
    import boto3
    from botocore.exceptions import ClientError

    try:
        boto3.client("s3").head_object(Bucket=run.bucket, Key=key)
    except ClientError:
        return False
    return True
