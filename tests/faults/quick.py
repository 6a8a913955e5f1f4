"""Tasks for the engine in one process, and what must hold of their runs."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from drumbeat import Backoff, Part, Run, Task
from drumbeat.ledger.record import RunRecord
from tests.faults.engine import Engine
from tests.faults.memory import Crash

QUICK = Backoff(first_s=1, cap_s=4)


@dataclass
class Play:
    """A task whose items say by their names what happens; `tried` counts their attempts, `published` the fan-ins."""

    names: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    fans_in: bool = False
    act: Callable[[str], None] = lambda _: None
    tried: Counter[str] = field(default_factory=Counter)
    published: list[list[str]] = field(default_factory=list)

    def task(self) -> Task:
        """The task, with nothing done yet."""
        self.tried.clear()
        self.published.clear()
        usual = {"chunk_size": 3, "timeout_s": 10, "backoff": QUICK, "retries": 1, "tolerated_failure_percentage": 60}
        made = Task("quick", **{**usual, **self.settings})
        made.expand(self.expand)
        made.work(self.work)
        if self.fans_in:
            made.complete(lambda run, results: self.published.append(list(results)) if run else None)
        return made

    def expand(self, run: Run) -> Iterable[str]:
        """The names."""
        return iter(self.names) if run else ()

    def work(self, item: str, run: Run) -> str:
        """Do what the item's name says."""
        del run
        self.tried[item] += 1
        self.act(item)
        if item.startswith("poison") or (item.startswith("flaky") and self.tried[item] == 1):
            raise RuntimeError(item)
        if item.startswith("killer"):
            raise Crash
        return item.upper()

    @property
    def failing(self) -> set[str]:
        """The names of items that must fail."""
        return {name for name in self.names if name.startswith(("poison", "killer"))}

    def check(self, engine: Engine, record: RunRecord) -> None:
        """Every item is counted once and tried or a dead letter; the end was told under one id, and not too early."""
        failing = self.failing
        counts = (record.state, record.items, record.succeeded, record.failed, record.dropped)
        assert ("SUCCEEDED", len(self.names), len(self.names) - len(failing), len(failing), 0) == counts, record.reason
        letters = [letter.item.strip('"') for letter in engine.letters(record.run())]
        assert sorted(failing) == sorted(letters)
        assert set(self.names) == set(self.tried) | failing
        ends = [told for told in engine.world.told if told["state"] not in ("RUNNING", "WAITING")]
        assert {(record.succeeded, record.failed)} == {(told["succeeded"], told["failed"]) for told in ends}
        assert 1 == len({told["id"] for told in ends})
        assert not self.fans_in or [name.upper() for name in self.names if name not in failing] == self.published[-1]


class Divided(Play):
    """The same, expanded by two dispatchers side by side."""

    def task(self) -> Task:
        """The task, with nothing done yet."""
        self.settings = {**self.settings, "parts": 2}
        return super().task()

    def expand(self, run: Run, part: Part) -> Iterable[str]:  # type: ignore[override]
        """The first half of the names, or the second."""
        half = (len(self.names) + 1) // 2
        return iter(self.names[part.number * half : (part.number + 1) * half]) if run else ()


def items(count: int, *, more: Iterable[str] = ()) -> tuple[str, ...]:
    """So many items that succeed, and some others in their midst."""
    plain = [f"item{number}" for number in range(count)]
    return (*plain[: count // 2], *more, *plain[count // 2 :])


def numbered(engine: Engine) -> Iterator[tuple[int, Any]]:
    """The calls of an engine, from 1."""
    return enumerate(engine.calls, start=1)
