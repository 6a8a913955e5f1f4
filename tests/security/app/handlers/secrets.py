"""Tasks that handle secrets carelessly, in every way that an author's code can."""

import os
import sys
import time
from collections.abc import Iterator
from typing import Any

from drumbeat import Backoff, Dead, Run, Task

QUICK = Backoff(first_s=1, cap_s=4)
refused: set[str] = set()
ENVIRONMENT = {"API_KEY": "canary-environment-5b1f"}


class Refused(Exception):
    """Says the item that it is about, as errors do."""


def work(item: Any, run: Run) -> Any:
    """Do what the item says, and quote it."""
    match item:
        case {"do": "raise"}:
            raise Refused(f"{item} with {os.environ['API_KEY']} in {run.params}")
        case {"do": "die"}:
            os._exit(1)
        case {"do": "quit"}:
            sys.exit(f"{item}")
        case {"do": "throttle", "word": word} if word not in refused:
            refused.add(word)
            throttled(item)
        case {"do": "give up"}:
            raise Dead(f"{item}")
        case {"do": "last"}:
            time.sleep(100)
        case {"do": "return"}:
            return {item["word"]: {1, 2}}
    return item


def throttled(item: Any) -> None:
    """Be refused for the rate, with the item in the message."""
    from botocore.exceptions import ClientError

    raise ClientError({"Error": {"Code": "ThrottlingException", "Message": f"{item}"}}, "GetThing")


def given(run: Run) -> Iterator[Any]:
    """Yield what the run's parameters say, or raise with it."""
    yield run.params.get("word", 1)
    if run.params.get("expand") == "raises":
        raise Refused(f"{run.params} with {os.environ['API_KEY']}")
    if run.params.get("expand") == "quits":
        sys.exit(f"{run.params}")
    if run.params.get("expand") == "sets":
        yield {run.params["word"]}


def declare(name: str, **more: Any) -> Task:
    """A task of these."""
    task = Task(name, retries=1, backoff=QUICK, timeout_s=10, chunk_size=4, environment=ENVIRONMENT, **more)
    if "after" not in more:
        task.expand(given)
    return task


plain = declare("plain", tracing=True)
once = declare("once", idempotent_by="word")
threads = declare("threads", concurrency=2, item_timeout_s=5)
for task in (plain, once, threads):
    task.work(work)
coroutines = declare("coroutines", concurrency=2)


@coroutines.work
async def wait(item: Any, run: Run) -> Any:
    """Do what the item says."""
    return work(item, run)


told = declare("told", log_items=lambda item: {"shown": item["do"]})
told.work(work)
closing = declare("closing")
closing.work(work)
sums = declare("sums", keep_results=True)
sums.work(work)
after = declare("after", after=[sums])
after.work(work)
after.expand(lambda run: [*run.results("sums"), run.result("sums")])


@closing.complete
def close(run: Run, results: Iterator[Any]) -> None:
    """Raise with all that is known."""
    raise Refused(f"{list(results)} of {run.params} with {os.environ['API_KEY']}")


@sums.combine
def longest(values: Iterator[Any]) -> Any:
    """One of the values, or an error with all of them."""
    found = [str(value) for value in values]
    if any("combine raises" in value for value in found):
        raise Refused(f"{found}")
    return max(found)
