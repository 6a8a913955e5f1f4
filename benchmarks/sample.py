"""The items of the benchmarks: records of about 200 bytes of JSON, as a scheduled job has them; and their tasks."""

import json
import random
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

from drumbeat import Range, Run, Task

MANY, DIFFERENT = 10**7, 1000


def _records() -> Iterator[dict[str, Any]]:
    draw = random.Random(7)
    for number in range(DIFFERENT):
        yield {
            "id": 10_000_000 + number,
            "customer": f"{draw.getrandbits(48):012x}@example.com",
            "invoice": f"INV-{draw.getrandbits(64):016x}",
            "amount": draw.randrange(100, 99_999),
            "currency": "EUR",
            "due": f"2026-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}",
            "address": f"{draw.randrange(200)} {_word(draw)} Street, {draw.randrange(10**4, 10**5)} {_word(draw)}",
            "note": _word(draw),
        }


def _word(draw: random.Random) -> str:
    return "".join(draw.choices("etaoinshrdlucm", k=8)).title()


_HELD = tuple(_records())


def items(count: int) -> Iterator[dict[str, Any]]:
    """So many records, made beforehand: making them isn't what is measured.

    They repeat after a thousand, which is beyond what compression looks back.
    """
    return islice(cycle(_HELD), count)


SIZE = len(json.dumps(next(items(1)), separators=(",", ":")))

bench = Task("bench", chunk_size=100, item_s=0.001)
thousands = Task("thousands", chunk_size=1000, item_s=0.001)
numbers = Task("numbers", chunk_size=100, item_s=0.001)
numbers.expand(Range(0, MANY))


@bench.work
@thousands.work
@numbers.work
def work(item: Any, run: Run) -> None:
    """Do nothing: what is measured is all around it."""


@bench.expand
@thousands.expand
def expand(run: Run) -> Iterator[dict[str, Any]]:
    """Yield as many as the run's parameters say."""
    yield from items(int(run.params.get("items", 1000)))
