"""One task with a snapshot, and one without."""

from collections.abc import Iterator
from typing import Any

from drumbeat import Backoff, Cron, Run, Task

QUICK = Backoff(first_s=1, cap_s=1)
quick = Task(
    "quick",
    schedule=Cron("0 0 * * ? *"),
    snap_start=True,
    memory_mib=1024,
    timeout_s=30,
    chunk_size=2,
    batch_size=1,
    retries=1,
    backoff=QUICK,
    tolerated_failure_count=9,
)
plain = Task("plain", chunk_size=2)


@quick.expand
@plain.expand
def numbers(run: Run) -> Iterator[int]:
    yield from range(10)


@plain.work
def leave(number: int, run: Run) -> None:
    """Do nothing."""


@quick.work
def double(item: Any, run: Run) -> Any:
    import os

    if item == "how":
        told = ("AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_STREAM_NAME")
        return [os.environ.get(name) for name in told]
    if item == "poison":
        raise ValueError(item)
    return item * 2


@quick.complete
def total(run: Run, results: Iterator[Any]) -> list[Any]:
    return list(results)
