"""What an item says is what its work does."""

import time
from collections.abc import Iterator
from typing import Any

from drumbeat import Again, Dead, Run


def do(item: Any, run: Run) -> Any:  # noqa: C901  (a list of what an item may say)
    """Do what the item says; one that isn't an object is its own result."""
    match item:
        case {"sleep": seconds}:
            time.sleep(seconds)
        case {"hold": str(until)}:
            hold(until, run)
        case {"dead": str(reason)}:
            raise Dead(reason)
        case {"fail_once": str(key)}:
            if is_first("tries", key, run):
                raise ValueError("not yet")
        case {"again": seconds, "key": str(key)}:
            if is_first("again", key, run):
                raise Again(after=seconds)
        case {"broken": str(words)}:
            if not there(run, "mended"):
                raise RuntimeError(words)
            if "then_hold" in item:
                hold(item["then_hold"], run)
    return item


def sleepers(run: Run) -> Iterator[dict[str, float]]:
    """Yield as many items as the run's parameters say, each of so many seconds, or until somebody lets it end."""
    for _ in range(run.params.get("count", 1)):
        yield {"hold": run.params["hold"]} if "hold" in run.params else {"sleep": run.params.get("seconds", 0)}


def hold(until: str, run: Run) -> None:
    """Go on when there is such an object among the run's own; after some minutes in any case."""
    for _ in range(600):
        if there(run, until):
            return
        time.sleep(1)


def is_first(kind: str, key: str, run: Run) -> bool:
    """Whether nobody has asked so in this run; the asker leaves a trace."""
    name = f"{kind}/{key}"
    if there(run, name):
        return False
    _s3().put_object(Bucket=run.bucket, Key=f"runs/{run.id}/{name}", Body=b"")
    return True


def there(run: Run, name: str) -> bool:
    """Whether there is such an object among the run's own."""
    from botocore.exceptions import ClientError

    try:
        _s3().get_object(Bucket=run.bucket, Key=f"runs/{run.id}/{name}")
    except ClientError:
        return False
    return True


def _s3() -> Any:
    import boto3

    return boto3.client("s3")
