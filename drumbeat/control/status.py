"""How far a run is: its record, and what its counting tree has counted by now."""

from collections.abc import Iterator
from dataclasses import dataclass

from drumbeat.ledger import parts
from drumbeat.ledger.count import Totals, node_key, sum_of
from drumbeat.ledger.record import RUNNING, WAITING, RunRecord
from drumbeat.ledger.table import Table
from drumbeat.ledger.tree import FANOUT, Node, leaves

ACTIVE = (WAITING, RUNNING)


@dataclass(frozen=True)
class Status:
    """A run at one moment. `totals` are counted so far; those of a redriven run include its earlier rounds."""

    record: RunRecord
    totals: Totals

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come of the run, unless it is redriven."""
        return self.record.state not in ACTIVE

    @property
    def has_failed(self) -> bool:
        """Whether it has ended in another way than it should."""
        return self.has_ended and self.record.state != "SUCCEEDED"

    @property
    def items(self) -> int | None:
        """How many items the run has, or None while that isn't known."""
        record = self.record
        return record.all_items if record.sealed or record.round or self.has_ended else None

    @property
    def done(self) -> int:
        """Items that are counted, in whatever way; in a redrive, without those that are done again."""
        return self.totals.items

    @property
    def phase(self) -> str:
        """What the run is at, where its state doesn't tell."""
        record = self.record
        if record.state != RUNNING:
            return ""
        if record.verdict:
            return "finishing"
        if record.halt:
            return "stopping"
        return "" if record.sealed else "expanding"


class Counter:
    """Counts a run again and again, reading only the leaves of its tree that aren't full yet.

    A full leaf is counted in the node above it, whose set tells which leaves it has counted: so a million chunks are
    counted with a few dozen reads.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._full: dict[str, dict[int, tuple[Totals, frozenset[int]]]] = {}

    def status(self, record: RunRecord) -> Status:
        """Count, unless the record has the counts already."""
        if record.state != RUNNING:
            return Status(record, record.totals)
        record = parts.so_far(self._table, record)
        return Status(record, record.with_redrive(self._count(record)))

    def _count(self, record: RunRecord) -> Totals:
        trees = record.rounds[-1].trees
        return sum_of(found for tree, chunks in trees for found in self._of_tree(tree, leaves(chunks)))

    def _of_tree(self, tree: str, count: int) -> Iterator[Totals]:
        for above in range(-(-count // FANOUT) if count > 1 else 0):
            totals, counted = self._node(tree, above)
            yield totals
            here = range(above * FANOUT, min(count, (above + 1) * FANOUT))
            yield from (self._leaf(tree, leaf) for leaf in here if leaf - above * FANOUT not in counted)
        if count == 1:
            yield self._leaf(tree, 0)

    def _node(self, tree: str, index: int) -> tuple[Totals, frozenset[int]]:
        """What a node above the leaves has counted, and which leaves; a full one isn't read twice."""
        known = self._full.setdefault(tree, {})
        if index in known:
            return known[index]
        item = self._table.get(node_key(tree, Node(1, index))) or {}
        found = Totals.of(item), frozenset(item.get("done", ()))
        if len(found[1]) == FANOUT:
            known[index] = found
        return found

    def _leaf(self, tree: str, leaf: int) -> Totals:
        return Totals.of(self._table.get(node_key(tree, Node(0, leaf))) or {})
