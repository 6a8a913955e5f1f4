"""Combine the results of a run in a tree: each leaf of the counting tree by a function of its own, then the values.

So a run with millions of results isn't read by one function.  Leaves that are done are counted like chunks, in a tree
of their own: whoever is last tells the dispatcher to finish the run.  A value depends on the results only, so that a
repeat writes the same again.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from drumbeat.errors import DrumbeatError
from drumbeat.ledger import count
from drumbeat.ledger.count import Totals
from drumbeat.ledger.record import RunRecord
from drumbeat.ledger.tree import leaves
from drumbeat.run import Run
from drumbeat.signal import Combine, Finish
from drumbeat.task import Task
from drumbeat.untrusted import said

from . import results
from .invoke import invoke
from .observability import frames, logger
from .services import Services

ALONE = 1
"""So many leaves, of up to 256 chunks each, are combined by the function that finishes the run."""


class CombineFailed(DrumbeatError):
    """The author's combine has raised."""


@dataclass(frozen=True)
class Leaf:
    """A leaf of one of a run's trees, which holds so many chunks; `number` counts the leaves of all of them."""

    number: int
    tree: str
    chunks: int
    leaf: int


class Combiner:
    """Combines the results of one run."""

    def __init__(self, services: Services, task: Task, record: RunRecord) -> None:
        self._services = services
        self._task = task
        self._record = record
        self._tree = f"{record.tree}^"

    def is_ready(self) -> bool:
        """Whether what is left can be done at once; if not, the leaves that are missing are given out."""
        found = self._leaves()
        if len(found) <= ALONE or self._task.combiner is None:
            return True
        table, expires_at = self._services.table, self._record.expires_at
        if count.seal(table, self._tree, len(found), expires_at=expires_at) is not None:
            return True
        done = {number for number, _ in count.settled_chunks(table, self._tree, len(found))}
        run = Run.parse(self._record.id)
        for leaf in found:
            if leaf.number not in done:
                invoke(self._services, self._record.dispatcher, Combine(run, leaf.number).event())
        logger.info("leaves given out to combine", leaves=len(found) - len(done))
        return False

    def combine_leaf(self, number: int) -> None:
        """Combine the results under one leaf; whoever is last tells the dispatcher to finish the run."""
        found = self._leaves()
        if not 0 <= number < len(found):
            return
        leaf = found[number]
        values = results.of_leaf(self._services, leaf.tree, leaf.chunks, leaf.leaf)
        body = json.dumps(self._try(values), separators=(",", ":"))
        self._services.s3.put_object(Bucket=self._services.settings.bucket, Key=self._key(number), Body=body.encode())
        table, expires_at = self._services.table, self._record.expires_at
        if count.settle(table, self._tree, number, Totals(succeeded=1), expires_at=expires_at).run_totals is not None:
            invoke(self._services, self._record.dispatcher, Finish(Run.parse(self._record.id)).event())

    def value(self) -> Any:
        """The single value of the whole run; raises CombineFailed if the author's function has."""
        found = self._leaves()
        if len(found) <= ALONE:
            return self._value(self._try(results.read(self._services, self._record)))
        return self._value(self._try(self._of_leaves(len(found))))

    def _of_leaves(self, number: int) -> Iterator[Any]:
        keys = map(self._key, range(number))
        return (self._value(json.loads(body)) for body in results.bodies(self._services, keys))

    def _try(self, values: Iterator[Any]) -> dict[str, Any]:
        """The combined value, or why there is none: the author's error is final, as it would come again."""
        if self._task.combiner is None:
            raise CombineFailed(f"task {self._task.name!r} has no combine any more")
        held = list(values)  # those of one leaf, or one of each leaf; what can't be read isn't the author's error
        if not held:
            return {}
        try:
            value = self._task.combiner(iter(held))
        except (Exception, SystemExit) as error:  # noqa: BLE001  (whatever the author's code raises fails the run)
            logger.error("combine failed", error=type(error).__name__, frames=frames(error))
            return {"error": f"combine raised {type(error).__name__}: {said(error)}"}
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            return {"error": f"combine returned a {type(value).__name__} that isn't JSON: {error}"}
        return {"value": value}

    @staticmethod
    def _value(kept: dict[str, Any]) -> Any:
        if "error" in kept:
            raise CombineFailed(kept["error"])
        return kept.get("value")

    def _leaves(self) -> list[Leaf]:
        trees = [tree for found in self._record.rounds for tree in found.trees]
        found = ((tree, chunks, leaf) for tree, chunks in trees for leaf in range(leaves(chunks)))
        return [Leaf(number, *leaf) for number, leaf in enumerate(found)]

    def _key(self, number: int) -> str:
        return f"runs/{self._record.tree}/combined/{number:06d}.json"
