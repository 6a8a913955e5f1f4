"""The shape of the counting tree: which node holds which chunk, and how many children a full node has.

A leaf is a set of at most 256 chunk positions (with its counters it stays within one write unit of 1 KB); a full leaf
is counted into its parent, and so on up to the root.  Neighbouring chunks are worked at the same moment, so they are
striped: over 1 leaf for the first 256 chunks, then over 4, 16 and at last 32 leaves.  Small runs so stay with one
leaf, and no partition key of a large one sees more than 256 writes in all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import NamedTuple

FANOUT = 256
_WIDTHS = (1, 4, 16)
_LAST_WIDTH = 32


@dataclass(frozen=True)
class Node:
    """One node of a run's tree; leaves are level 0."""

    level: int
    index: int

    def parent(self) -> tuple["Node", int]:
        """The node above, and the position of this one in it."""
        return Node(self.level + 1, self.index // FANOUT), self.index % FANOUT


class _Window(NamedTuple):
    first_chunk: int
    first_leaf: int
    width: int


def _windows() -> Iterator[_Window]:
    chunk = leaf = 0
    for width in (*_WIDTHS, *repeat(_LAST_WIDTH, 1)):
        yield _Window(chunk, leaf, width)
        chunk, leaf = chunk + width * FANOUT, leaf + width


_HEAD = tuple(_windows())
_TAIL = _HEAD[-1]


def _window_of_chunk(chunk: int) -> _Window:
    if chunk < _TAIL.first_chunk:
        return next(window for window in reversed(_HEAD) if window.first_chunk <= chunk)
    return _tail((chunk - _TAIL.first_chunk) // (_LAST_WIDTH * FANOUT))


def _window_of_leaf(leaf: int) -> _Window:
    if leaf < _TAIL.first_leaf:
        return next(window for window in reversed(_HEAD) if window.first_leaf <= leaf)
    return _tail((leaf - _TAIL.first_leaf) // _LAST_WIDTH)


def _tail(number: int) -> _Window:
    return _Window(
        _TAIL.first_chunk + number * _LAST_WIDTH * FANOUT,
        _TAIL.first_leaf + number * _LAST_WIDTH,
        _LAST_WIDTH,
    )


def locate(chunk: int) -> tuple[Node, int]:
    """The leaf that holds a chunk, and the chunk's position in it (0 to 255)."""
    window = _window_of_chunk(chunk)
    position, stripe = divmod(chunk - window.first_chunk, window.width)
    return Node(0, window.first_leaf + stripe), position


def chunk_at(leaf: int, position: int) -> int:
    """The chunk at a position of a leaf: the inverse of `locate`."""
    window = _window_of_leaf(leaf)
    return window.first_chunk + position * window.width + leaf - window.first_leaf


def leaves(chunks: int) -> int:
    """How many leaves hold at least one of so many chunks."""
    if chunks == 0:
        return 0
    window = _window_of_chunk(chunks - 1)
    return window.first_leaf + min(window.width, chunks - window.first_chunk)


def windows(chunks: int) -> Iterator[range]:
    """The leaves of so many chunks, by groups: the chunks of one group all come before those of the next."""
    first, count = 0, leaves(chunks)
    while first < count:
        width = _window_of_leaf(first).width
        yield range(first, min(first + width, count))
        first += width


def _leaf_size(leaf: int, chunks: int) -> int:
    window = _window_of_leaf(leaf)
    after = chunks - window.first_chunk - (leaf - window.first_leaf)
    return max(0, min(FANOUT, -(-after // window.width)))


def root(chunks: int) -> Node:
    """The one node at the top of a tree of so many chunks (at least one)."""
    level, count = 0, leaves(chunks)
    while count > 1:
        level, count = level + 1, -(-count // FANOUT)
    return Node(level, 0)


def partial(chunks: int) -> Iterator[tuple[Node, int]]:
    """The nodes that sealing must tell their size: those that are full below 256 children, and, last, the root."""
    top, count = root(chunks), leaves(chunks)
    first = _window_of_chunk(chunks - 1).first_leaf
    for leaf in range(first if top.level else 0, count):
        size = _leaf_size(leaf, chunks)
        if size < FANOUT or top.level == 0:
            yield Node(0, leaf), size
    for level in range(1, top.level + 1):
        nodes = -(-count // FANOUT)
        size = count - (nodes - 1) * FANOUT
        if size < FANOUT or nodes == 1:
            yield Node(level, nodes - 1), size
        count = nodes
