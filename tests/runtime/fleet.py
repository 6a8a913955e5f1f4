"""Many workers with one budget, in virtual time, with crashes, wrong clocks and lost replies."""

import heapq
import random
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

from drumbeat import Budget
from drumbeat.ledger.table import Item, Key, Table, Written
from drumbeat.runtime.budget import Allowance
from drumbeat.runtime.gate import ComeBack

START = datetime(2026, 11, 22, tzinfo=UTC)
POLL_S, STALL_S = 0.1, 5


@dataclass
class Chunk:
    """A message: how many items of it are not begun, and how often it was received."""

    items: int
    receives: int = 0


@dataclass
class Fleet:
    """A queue of chunks, workers, and what they did.

    stall, crash: how likely an item is to take STALL_S, or its worker to die with it.
    lost, outage: how likely a write is to be repeated by the SDK, as its reply was lost, or to fail for good.
    clocks: by how many seconds the workers' clocks are wrong, in turn.
    """

    budgets: Sequence[Budget]
    workers: int
    item_s: float = 0.02
    seed: int = 0
    stall: float = 0
    crash: float = 0
    lost: float = 0
    outage: float = 0
    clocks: Sequence[float] = (0,)
    now_s: float = 0
    writes: int = 0
    begun: list[float] = field(default_factory=list, repr=False)
    clock_of: list[float] = field(default_factory=list, repr=False)  # of the worker that began each
    items: dict[Key, Item] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.queue: deque[Chunk] = deque()
        self.done: list[Chunk] = []
        self._order = count()
        self._events: list[tuple[float, int, Any]] = []

    def send(self, chunks: int, *, items: int) -> None:
        self.queue.extend(Chunk(items) for _ in range(chunks))

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        for number in range(self.workers):
            self._at(0, self._worker(self.clocks[number % len(self.clocks)]))
        while self._events and self._events[0][0] <= seconds:
            self.now_s, _, event = heapq.heappop(self._events)
            if isinstance(event, Chunk):
                self.queue.append(event)
            else:
                self._at(next(event), event)
        self.now_s = seconds

    def rate(self, after_s: float = 0) -> float:
        """Items begun in a second, from then on until now."""
        return sum(time >= after_s for time in self.begun) / (self.now_s - after_s)

    def _at(self, after_s: float, event: Any) -> None:
        heapq.heappush(self._events, (self.now_s + after_s, next(self._order), event))

    def _worker(self, clock_s: float) -> Iterator[float]:
        allowance = Allowance(self.budgets, World(self, clock_s))
        while True:
            yield POLL_S * self.chance.random()
            if not self.queue:
                continue
            chunk = self.queue.popleft()
            chunk.receives += 1
            while chunk.items:
                try:
                    wait_s = allowance.ask(chunk.items)
                except ComeBack as far:
                    self._at(2 * self.chance.random() if far.after_s is None else far.after_s, chunk)
                    break
                if wait_s:
                    yield wait_s
                    continue
                self.begun.append(self.now_s)
                self.clock_of.append(clock_s)
                chunk.items -= 1
                is_stalled = self.chance.random() < self.stall
                yield STALL_S if is_stalled else self.item_s * self.chance.uniform(0.5, 1.5)
                if self.chance.random() < self.crash:
                    allowance = Allowance(self.budgets, World(self, clock_s))
            else:
                self.done.append(chunk)


def excess(times: Sequence[float], rate: float) -> float:
    """By how many items the busiest window, of whatever length, exceeds the rate."""
    worst, lowest = 0.0, float("inf")
    for number, time in enumerate(times):
        lowest = min(lowest, number - rate * time)
        worst = max(worst, number - rate * time - lowest + 1)
    return worst


class World:
    """What a worker sees: its own clock, and the ledger."""

    def __init__(self, fleet: Fleet, clock_s: float) -> None:
        self._fleet = fleet
        self._clock_s = clock_s
        self.draw = fleet.chance.random
        self.table: Table = Memory(fleet)

    def now(self) -> datetime:
        return START + timedelta(seconds=self._fleet.now_s + self._clock_s)

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"the fleet waits for its workers, not they ({seconds} s)")


class Memory(Table):
    """Does what DynamoDB does with the two kinds of writes that budgets make."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def update(self, key: Key, expression: str, condition: str | None = None, **values: Any) -> Written:
        chance = self._fleet.chance.random()
        if chance < self._fleet.lost:
            self._once(key, expression, str(condition), values)
        elif chance < self._fleet.lost + self._fleet.outage:
            if chance < self._fleet.lost + self._fleet.outage / 2:
                self._once(key, expression, str(condition), values)
            raise ClientError({"Error": {"Code": "InternalServerError"}}, "UpdateItem")
        return self._once(key, expression, str(condition), values)

    def _once(self, key: Key, expression: str, condition: str, values: dict[str, Any]) -> Written:
        self._fleet.writes += 1
        item = self._fleet.items.setdefault(key, {})
        [name] = re.findall(r"SET #(\w+)", expression)
        old = item.get(name)
        if "BETWEEN" in condition:
            if old is None or not values["earliest"] <= old <= values["latest"]:
                return Written(dict(item), accepted=False)
            item[name] = old + values["length"]
        else:
            if old is not None and old >= values["earliest"]:
                return Written(dict(item), accepted=False)
            item[name] = values["end"]
        return Written(dict(item), accepted=True)
