"""Cut items into chunks, as they are written."""

import gc
import json
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any, NamedTuple

from . import limits
from .chunk import FRAME_BYTES, Packed, utf8_size
from .encoder import encode_item, written, written_rows

ROWS = 4  # fewer items than these aren't worth a table
_AT_ONCE = 100  # rows: how long they are is known only when they are written
_ATOMS = frozenset({str, int, float, bool, type(None)})


class _Fields(NamedTuple):
    """The fields that the items of a chunk have, if they all have the same: then only their values are written.

    size: the bytes that each item has for their names, and the comma behind it.
    row: what takes an item's values.
    """

    names: list[str]
    text: str
    size: int
    row: Callable[[Any], tuple[Any, ...]]

    @classmethod
    def of(cls, item: Any) -> "_Fields | None":
        """The fields of a chunk's first item; None if it has none."""
        if type(item) is not dict or not item or not all(type(name) is str for name in item):
            return None
        names = [*item]
        text = written(names)
        row = itemgetter(*names) if len(names) > 1 else _row
        return cls(names, text, utf8_size(text), row)  # ["a","b"] is as long as {"a":,"b":} less a bracket, and a comma


def _row(item: dict[str, Any]) -> tuple[Any, ...]:
    return (*item.values(),)


class _Ahead(NamedTuple):
    """The fields of the next rows of a table, what takes a row of an item, and how many are written together."""

    names: list[str] | None
    row: Callable[[Any], tuple[Any, ...]]
    most: int


_NOTHING = _Ahead(None, _row, 0)


class Packer:
    """Cuts items into chunks of at most `size` items and `max_bytes` of message, in order.

    Where a chunk ends depends on its own items only, so packing that resumes at a chunk's start makes the same chunks.
    An item that is larger than `max_bytes` is a chunk of its own.  An item is written as it was when it was added: an
    author may yield one dict again and again.
    plain: write no tables.
    """

    def __init__(
        self,
        *,
        size: int,
        max_bytes: int,
        number: int = 0,
        first: int = 0,
        round: int = 0,  # noqa: A002  (the word of the glossary)
        part: int | None = None,
        task: str = "",
        plain: bool = False,
    ) -> None:
        self._size = size
        self._budget = max_bytes - FRAME_BYTES
        self._number, self._first, self._round, self._part = number, first, round, part
        self._task = task
        self._plain = plain
        self._room = limits.AROUND_ITEM_BYTES if round else 0
        self._held: list[str] = []
        self._count = self._used = 0
        self._fields: _Fields | None = None

    @property
    def reached(self) -> int:
        """The number of the item that is added next."""
        return self._first + self._count

    def add_all(self, items: Iterable[Any]) -> Iterator[Packed]:
        """Add items as they come; yields the chunks that are full. Raises ItemNotJson or ItemTooLarge.

        The rows of a table are written many at a time, if nothing in them can change meanwhile: a dict that the garbage
        collector doesn't track holds no list and no dict (https://docs.python.org/3/library/gc.html#gc.is_tracked); of
        one that it does, as all are in some releases of Python, the types of the values tell.
        """
        is_tracked, rows = gc.is_tracked, list[tuple[Any, ...]]()
        names, values, most = self._ahead()
        for item in items:
            if names and type(item) is dict and [*item] == names:
                row = values(item)
                if not is_tracked(item) or _ATOMS.issuperset(map(type, row)):
                    rows.append(row)
                    if len(rows) == most:
                        yield from self._add_rows(rows)
                        rows, (names, values, most) = [], self._ahead()
                    continue
            if rows:
                yield from self._add_rows(rows)
                rows = []
            if full := self.add(item):
                yield from full
            names, values, most = self._ahead() if self._count == 1 else _NOTHING
        if rows:
            yield from self._add_rows(rows)

    def _ahead(self) -> _Ahead:
        """The next rows of a table, as many as should have room."""
        if self._fields is None or not self._used:
            return _NOTHING
        room = (self._budget - self._used) * self._count // (2 * self._used)
        most = min(_AT_ONCE, self._size - self._count, room)
        return _Ahead(self._fields.names, self._fields.row, most) if most > 1 else _NOTHING

    def _add_rows(self, rows: list[tuple[Any, ...]]) -> Iterator[Packed]:
        """Add the next rows of a table: together, if that makes the same chunks as one after the other."""
        fields = self._fields
        assert fields is not None
        try:
            text = written_rows(rows)
            cost = utf8_size(text) + 1 + len(rows) * (fields.size - 1)
        except (TypeError, ValueError, RecursionError):
            cost = self._budget
        if self._used + cost > self._budget:
            for row in rows:
                yield from self.add(dict(zip(fields.names, row, strict=True)))
            return
        self._held.append(text)
        self._count += len(rows)
        self._used += cost
        if self._count == self._size:
            yield from self.rest()

    def add(self, item: Any) -> tuple[Packed, ...]:
        """Add an item; returns the chunks that are full. Raises ItemNotJson or ItemTooLarge."""
        held = self._held
        if not held:
            self._fields = None if self._plain else _Fields.of(item)
        fields = self._fields
        try:
            if fields is not None and type(item) is dict and [*item] == fields.names:
                text, cost = written([*item.values()]), fields.size
            else:
                fields, text, cost = None, written(item), 1
            cost += utf8_size(text)
        except (TypeError, ValueError, RecursionError):
            cost = limits.MAX_ITEM_BYTES
        if cost >= limits.MAX_ITEM_BYTES:
            fields, text = None, encode_item(item, task=self._task, number=self.reached, room=self._room)
        if held and self._used + cost > self._budget:
            return (*self.rest(), *self.add(item))
        if fields is not self._fields:
            self._flatten()
            held = self._held
        held.append(text)
        self._count += 1
        self._used += cost
        return self.rest() if self._count == self._size else ()

    def add_text(self, text: str) -> tuple[Packed, ...]:
        """Add one item as `encode_item` wrote it; returns the chunks that are full."""
        cost = utf8_size(text) + 1
        full = self.rest() if self._held and self._used + cost > self._budget else ()
        self._held.append(text)
        self._count += 1
        self._used += cost
        return (*full, *self.rest()) if self._count == self._size else full

    def rest(self) -> tuple[Packed, ...]:
        """The chunk that isn't full yet, if anything is in it."""
        if not self._held:
            return ()
        if self._fields is not None and self._count < ROWS:
            self._flatten()
        done = Packed(
            *(self._number, self._first, tuple(self._held), self._round),
            count=self._count,
            part=self._part,
            fields=self._fields.text if self._fields else "",
        )
        self._number, self._first = self._number + 1, self.reached
        self._held, self._count, self._used, self._fields = [], 0, 0, None
        return (done,)

    def _flatten(self) -> None:
        """Write the items of this chunk as they are: they haven't the same fields after all."""
        assert self._fields is not None
        names, self._fields = self._fields.names, None
        rows = json.loads(f"[{','.join(self._held)}]")
        self._held = [written(dict(zip(names, row, strict=True))) for row in rows]


def pack(
    items: Iterable[str],
    *,
    size: int,
    max_bytes: int,
    number: int = 0,
    first: int = 0,
    round: int = 0,  # noqa: A002
) -> Iterator[Packed]:
    """Cut encoded items into chunks as a Packer does."""
    packer = Packer(size=size, max_bytes=max_bytes, number=number, first=first, round=round)
    for item in items:
        yield from packer.add_text(item)
    yield from packer.rest()
