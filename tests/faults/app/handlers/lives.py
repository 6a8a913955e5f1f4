"""Tasks whose runs are redriven, cancelled, made to wait, made up for, and followed by others."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from itertools import chain
from typing import Any

from drumbeat import Cron, Run, S3Lines, Task

from .scenes import QUICK, do, publish, scene

scene = partial(scene, module=__name__)

redriven = scene("redriven", ["a", "broken1", "b", "broken2", "c", "poison"], retries=0)
slow = scene("slow", [f"slow{n}" for n in range(8)], retries=0, max_concurrency=2, timeout_s=90)
waiting = scene("waiting", ["a", "slow1", "b"], retries=0, overlap="buffer_one", timeout_s=90)
first = scene("first", ["A", "B", "C", "D"], retries=0)
missed = scene("missed", ["a", "b", "c", "d"], retries=0, schedule=Cron("0 23 1 1 ? 2026"), catch_up=timedelta(hours=4))

combined = Task("combined", chunk_size=3, timeout_s=10, backoff=QUICK, item_s=0.01, tolerated_failure_percentage=60)
combined.expand(lambda run: ["a", "b", "broken1", "broken2", "c"] if run else [])
combined.work(do)


@combined.combine
def gather(values: Iterator[Any]) -> list[str]:
    """Gather results and what was gathered before, in the order of the alphabet."""
    return sorted(chain.from_iterable(value if isinstance(value, list) else [value] for value in values))


@combined.complete
def publish_gathered(run: Run, results: Iterator[list[str]]) -> None:
    """Publish what was gathered, as the other tasks do."""
    publish(run, iter(next(results)))


then = Task("then", after=[first], retries=0, chunk_size=3, timeout_s=10, backoff=QUICK, item_s=0.01)
then.expand(lambda run: list(run.results("first")))
then.work(do)
then.complete(publish)

lines = Task(
    "lines", retries=0, chunk_size=3, timeout_s=10, backoff=QUICK, item_s=0.01, tolerated_failure_percentage=60
)
lines.expand(S3Lines("inputs/lines.jsonl"))
lines.work(do)
lines.complete(publish)
