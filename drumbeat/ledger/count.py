"""Counting: a chunk's outcome enters its leaf once; full nodes climb; whoever fills the root is told the total.

The chunk's position joins the leaf's set and the counters move in the same conditional write, or nothing moves.  A
repeat (lost reply, duplicate, twin) is refused, sees the node as it stands, and climbs if it is full: so a crash
between two steps heals with the next repeat.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from .table import Item, Key, Table
from .tree import FANOUT, Node, chunk_at, leaves, locate, partial, root


@dataclass(frozen=True)
class Totals:
    """Items that succeeded and failed, and the attempts they took."""

    succeeded: int = 0
    failed: int = 0
    attempts: int = 0

    @property
    def items(self) -> int:
        """All items counted."""
        return self.succeeded + self.failed

    @classmethod
    def of(cls, item: Item) -> "Totals":
        """The counters of a node."""
        return cls(item.get("ok", 0), item.get("failed", 0), item.get("attempts", 0))


@dataclass(frozen=True)
class Settled:
    """What became of a write: whether it was the one that counted, and the run's totals if the run is now full."""

    accepted: bool
    run_totals: Totals | None


def settle(table: Table, run_id: str, chunk: int, totals: Totals, *, expires_at: int) -> Settled:
    """Record the outcome of a chunk, idempotently; a chunk with a failed item is kept apart in the set `bad`."""
    leaf, position = locate(chunk)
    return _add(table, run_id, leaf, position, totals, bad=totals.failed > 0, expires_at=expires_at)


def settled(table: Table, run_id: str, chunk: int, *, expires_at: int) -> Settled | None:
    """None if the chunk's outcome isn't recorded yet; if it is, climb once more, in case the writer died before."""
    leaf, position = locate(chunk)
    item = table.get(node_key(run_id, leaf)) or {}
    if position not in item.get("done", ()) and position not in item.get("bad", ()):
        return None
    return Settled(accepted=False, run_totals=_climb(table, run_id, leaf, item, expires_at=expires_at))


def seal(table: Table, run_id: str, chunks: int, *, expires_at: int) -> Totals | None:
    """Tell the partial nodes how large they are when full, and the root that it is one; the totals if all is settled.

    The sealer makes the same "full?" check as the workers, so whoever of them is last sees it.
    """
    found = None
    nodes = list(partial(chunks))
    for node, size in nodes:
        item, _ = table.update(
            node_key(run_id, node),
            "SET #size = :size, #root = :root, #expires_at = :expires_at",
            size=size,
            root=node == nodes[-1][0],
            expires_at=expires_at,
        )
        found = _climb(table, run_id, node, item, expires_at=expires_at) or found
    return found


def totals_of(table: Table, run_id: str, chunks: int) -> Totals | None:
    """The totals of a sealed run, or None while a chunk isn't settled."""
    if chunks == 0:
        return Totals()
    item = table.get(node_key(run_id, root(chunks))) or {}
    return Totals.of(item) if item.get("root") and _is_full(item) else None


def settled_chunks(table: Table, run_id: str, chunks: int) -> Iterator[tuple[int, bool]]:
    """The settled chunks of a run in order of their leaves' windows, each with whether it has failed items."""
    for leaf in range(leaves(chunks)):
        node = table.get(node_key(run_id, Node(0, leaf))) or {}
        for name in ("done", "bad"):
            for position in node.get(name, ()):
                yield chunk_at(leaf, position), name == "bad"


def counted(table: Table, run_id: str, chunks: int) -> Totals:
    """What is counted so far, by adding up the leaves."""
    nodes = (table.get(node_key(run_id, Node(0, leaf))) or {} for leaf in range(leaves(chunks)))
    found = [Totals.of(node) for node in nodes]
    return Totals(sum(t.succeeded for t in found), sum(t.failed for t in found), sum(t.attempts for t in found))


def node_key(run_id: str, node: Node) -> Key:
    """Each node has a partition of its own, so no key is hot."""
    return Key(f"node#{run_id}#{node.level}#{node.index}", "node")


def _add(
    table: Table, run_id: str, node: Node, position: int, totals: Totals, *, bad: bool, expires_at: int
) -> Settled:
    item, accepted = table.update(
        node_key(run_id, node),
        "SET #expires_at = :expires_at ADD #ok :ok, #failed :failed, #attempts :attempts, "
        f"#{'bad' if bad else 'done'} :set",
        "NOT contains(#done, :position) AND NOT contains(#bad, :position) "
        "AND (attribute_not_exists(#size) OR #size > :position)",
        set={position},
        position=position,
        ok=totals.succeeded,
        failed=totals.failed,
        attempts=totals.attempts,
        expires_at=expires_at,
    )
    return Settled(accepted, _climb(table, run_id, node, item, expires_at=expires_at))


def _climb(table: Table, run_id: str, node: Node, item: Item, *, expires_at: int) -> Totals | None:
    if not _is_full(item):
        return None
    if item.get("root"):
        return Totals.of(item)
    parent, position = node.parent()
    return _add(table, run_id, parent, position, Totals.of(item), bad=False, expires_at=expires_at).run_totals


def _is_full(item: Item) -> bool:
    size: int = item.get("size", FANOUT)
    return len(item.get("done", ())) + len(item.get("bad", ())) == size
