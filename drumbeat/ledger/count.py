"""Counting: a chunk's outcome enters its leaf once; full nodes climb; whoever fills the root is told the total.

The chunk's position joins the leaf's set and the counters move in the same conditional write, or nothing moves.  A
repeat (lost reply, duplicate, twin) is refused, sees the node as it stands, and climbs if it is full: so a crash
between two steps heals with the next repeat.
"""

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, replace

from .table import Item, Key, Table
from .tree import FANOUT, Node, chunk_at, leaves, locate, partial, root, windows


@dataclass(frozen=True)
class Totals:
    """Items that succeeded, failed, or were dropped unworked when their run was halted; the attempts they took.

    worked_ms: milliseconds that workers have spent on them.
    """

    succeeded: int = 0
    failed: int = 0
    attempts: int = 0
    dropped: int = 0
    worked_ms: int = 0

    @property
    def items(self) -> int:
        """All items counted."""
        return self.succeeded + self.failed + self.dropped

    @property
    def kind(self) -> str:
        """The set that a chunk with these totals enters: "gone" if something was dropped, "bad" if something failed."""
        return "gone" if self.dropped else "bad" if self.failed else "done"

    @classmethod
    def of(cls, item: Item) -> "Totals":
        """The counters of a node."""
        return cls(*(item.get(name, 0) for name in _COUNTERS))


_COUNTERS = ("ok", "failed", "attempts", "dropped", "ms")
KINDS = ("done", "bad", "gone")


@dataclass(frozen=True)
class Settled:
    """What became of a write: whether it was the one that counted, and the run's totals if the run is now full.

    Of a run that is expanded in parts, the run is full when all its parts are.

    leaf, leaf_totals: the leaf that holds the chunk, and what it has counted; totals: what the chunk has.
    leaf_is_full: whether no other chunk will change the leaf.  before: as what the chunk was settled already.
    """

    accepted: bool
    run_totals: Totals | None
    leaf: Node | None = None
    leaf_totals: Totals | None = None
    totals: Totals | None = None
    leaf_is_full: bool = False
    before: str = ""


def settle(table: Table, run_id: str, chunk: int, totals: Totals, *, expires_at: int, kind: str = "") -> Settled:
    """Record the outcome of a chunk, idempotently; chunks with failed or dropped items are kept in sets of their own.

    `run_id` is the name of a tree: of a run, or of one of its redrives.  kind: if not the one that the totals tell.
    """
    leaf, position = locate(chunk)
    found = _add(table, run_id, leaf, position, totals, kind=kind or totals.kind, expires_at=expires_at)
    return replace(found, totals=totals)


def settled(table: Table, run_id: str, chunk: int, *, expires_at: int) -> Settled | None:
    """None if the chunk's outcome isn't recorded yet; if it is, climb once more, in case the writer died before."""
    leaf, position = locate(chunk)
    item = table.get(node_key(run_id, leaf)) or {}
    before = _kind_in(item, position)
    if not before:
        return None
    run_totals = _climb(table, run_id, leaf, item, expires_at=expires_at)
    return Settled(accepted=False, run_totals=run_totals, before=before)


def kind_of(table: Table, run_id: str, chunk: int) -> str:
    """As what a chunk is settled; nothing if it isn't."""
    leaf, position = locate(chunk)
    return _kind_in(table.get(node_key(run_id, leaf)) or {}, position)


def seal(table: Table, run_id: str, chunks: int, *, expires_at: int) -> Totals | None:
    """Tell the partial nodes how large they are when full, and the root that it is one; the totals if all is settled.

    The sealer makes the same "full?" check as the workers, so whoever of them is last sees it.
    """
    if chunks == 0:
        return count_part(table, run_id, Totals(), expires_at=expires_at)
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


def settled_chunks(
    table: Table, run_id: str, chunks: int, *, kinds: tuple[str, ...] = KINDS, only: int | None = None
) -> Iterator[tuple[int, str]]:
    """The settled chunks of a run in their order, each with its kind; no more than a window of the tree is held.

    only: the leaf that is looked at; all by default.
    """
    for window in windows(chunks) if only is None else (range(only, only + 1),):
        found = []
        for leaf in window:
            found += [(chunk, kind) for chunk, kind in leaf_of(table, run_id, leaf)[0].items() if kind in kinds]
        yield from sorted(found)


def leaf_of(table: Table, run_id: str, leaf: int) -> tuple[dict[int, str], Totals]:
    """The settled chunks of one leaf, each with its kind, and what they have counted."""
    node = table.get(node_key(run_id, Node(0, leaf))) or {}
    kinds = {chunk_at(leaf, position): kind for kind in KINDS for position in node.get(kind, ())}
    return kinds, Totals.of(node)


def counted(table: Table, trees: Iterable[tuple[str, int]]) -> Totals:
    """What is counted so far in these trees of so many chunks, by adding up the leaves."""
    keys = (node_key(tree, Node(0, leaf)) for tree, chunks in trees for leaf in range(leaves(chunks)))
    return sum_of(Totals.of(table.get(key) or {}) for key in keys)


def sum_of(found: Iterable[Totals]) -> Totals:
    """Several totals in one."""
    return Totals(*map(sum, zip(*map(astuple, found), strict=True)))


def node_key(run_id: str, node: Node) -> Key:
    """Each node has a partition of its own, so no key is hot."""
    return Key(f"node#{run_id}#{node.level}#{node.index}", "node")


def _add(
    table: Table, run_id: str, node: Node, position: int, totals: Totals, *, kind: str, expires_at: int
) -> Settled:
    item, accepted = table.update(
        node_key(run_id, node),
        "SET #expires_at = :expires_at ADD #ok :ok, #failed :failed, #attempts :attempts, #dropped :dropped, #ms :ms, "
        f"#{kind} :set",
        "NOT contains(#done, :position) AND NOT contains(#bad, :position) AND NOT contains(#gone, :position) "
        "AND (attribute_not_exists(#size) OR #size > :position)",
        set={position},
        position=position,
        ok=totals.succeeded,
        failed=totals.failed,
        attempts=totals.attempts,
        dropped=totals.dropped,
        ms=totals.worked_ms,
        expires_at=expires_at,
    )
    return Settled(
        accepted,
        _climb(table, run_id, node, item, expires_at=expires_at),
        leaf=node,
        leaf_totals=Totals.of(item),
        leaf_is_full=_is_full(item),
        before="" if accepted else _kind_in(item, position),
    )


def _kind_in(item: Item, position: int) -> str:
    """The set of a node that a position is in; nothing if it is in none."""
    return next((kind for kind in KINDS if position in item.get(kind, ())), "")


def _climb(table: Table, run_id: str, node: Node, item: Item, *, expires_at: int) -> Totals | None:
    if not _is_full(item):
        return None
    totals = Totals.of(item)
    if item.get("root"):
        return count_part(table, run_id, totals, expires_at=expires_at)
    parent, position = node.parent()
    return _add(table, run_id, parent, position, totals, kind="done", expires_at=expires_at).run_totals


def count_part(table: Table, tree: str, totals: Totals, *, expires_at: int) -> Totals | None:
    """Count a part whose chunks are all settled into its run; the run's totals, if they are known with that.

    A tree that isn't a part's is the run's own: its totals are the run's.
    """
    run, plus, part = tree.rpartition("+")
    if not plus or not part:
        return totals
    leaf, position = locate(int(part))
    return _add(table, f"{run}+", leaf, position, totals, kind="done", expires_at=expires_at).run_totals


def _is_full(item: Item) -> bool:
    """Whether all children are there; others may be, too: sent by a dispatcher that died before it could say so."""
    size: int = item.get("size", FANOUT)
    return len([position for kind in KINDS for position in item.get(kind, ()) if position < size]) == size
