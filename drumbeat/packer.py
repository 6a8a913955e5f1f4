"""Write items as JSON and cut them into chunks."""

import json
import json.encoder
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from . import limits
from .chunk import FRAME_BYTES, Packed, utf8_size
from .errors import ItemNotJson, ItemTooLarge
from .untrusted import ITEM_DEPTH, is_too_deep

_REFUSED_BY_SQS = (("\ufffe", "\\ufffe"), ("\uffff", "\\uffff"))
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html: all else JSON escapes."""
ROWS = 4  # fewer items than these aren't worth a table


def encode_item(item: Any, *, task: str, number: int, room: int = 0) -> str:
    """Write one item as compact JSON; raises ItemNotJson or ItemTooLarge, naming task and item.

    room: bytes that it may be larger than allowed, for what is put around it.
    """
    try:
        text = _written(item)
        size = utf8_size(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise ItemNotJson(
            f"task {task!r}, item {number}: a {type(item).__name__} that isn't JSON ({error}); yield dicts, lists, "
            "text, finite numbers, booleans or None"
        ) from None
    if size > limits.MAX_ITEM_BYTES + room:
        raise ItemTooLarge(
            f"task {task!r}, item {number}: {size:,} bytes, {limits.MAX_ITEM_BYTES:,} allowed; keep the data in S3 and "
            "yield its key"
        )
    return text


def _encoder() -> Callable[[Any, int], Iterable[str]]:
    """What JSONEncoder.encode uses for one value: made once, not for each value anew."""
    whole = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    make: Any = vars(json.encoder)["c_make_encoder"]
    if make is None:  # an interpreter without the part that is written in C
        return lambda value, _: whole.encode(value)
    encode: Callable[[Any, int], Iterable[str]] = make(
        *(None, whole.default, json.encoder.encode_basestring, None, ":", ",", False, False, False)
    )
    return encode


_encode, _join = _encoder(), "".join


def _written(value: Any) -> str:
    text = _join(_encode(value, 0))
    if not text.isascii():
        text = _escaped(text)
    if len(text) > 2 * ITEM_DEPTH:
        _check_depth(value, text)
    return text


def _check_depth(value: Any, text: str) -> None:
    if text.count("[") + text.count("{") > ITEM_DEPTH and is_too_deep(value, ITEM_DEPTH + 1):
        raise ValueError(f"nested more than {ITEM_DEPTH} deep")


def _escaped(text: str) -> str:
    for character, escape in _REFUSED_BY_SQS:
        text = text.replace(character, escape)
    return text


class _Fields(NamedTuple):
    """The fields that the items of a chunk have, if they all have the same: then only their values are written.

    size: the bytes that each item has for their names, and the comma behind it.
    """

    names: list[str]
    text: str
    size: int

    @classmethod
    def of(cls, item: Any) -> "_Fields | None":
        """The fields of a chunk's first item; None if it has none."""
        if type(item) is not dict or not item or not all(type(name) is str for name in item):
            return None
        names = [*item]
        text = _written(names)
        return cls(names, text, utf8_size(text))  # ["a","b"] is as long as {"a":,"b":} less a bracket, and a comma


class Packer:
    """Cuts items into chunks of at most `size` items and `max_bytes` of message, in order.

    Where a chunk ends depends on its own items only, so packing that resumes at a chunk's start makes the same chunks.
    An item that is larger than `max_bytes` is a chunk of its own.  An item is written when it is added: an author may
    yield one dict again and again.
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
        self._used = 0
        self._fields: _Fields | None = None

    @property
    def reached(self) -> int:
        """The number of the item that is added next."""
        return self._first + len(self._held)

    def add(self, item: Any) -> tuple[Packed, ...]:
        """Add an item; returns the chunks that are full. Raises ItemNotJson or ItemTooLarge."""
        held = self._held
        if not held:
            self._fields = None if self._plain else _Fields.of(item)
        fields = self._fields
        try:
            if fields is not None and type(item) is dict and [*item] == fields.names:
                text, cost = _join(_encode([*item.values()], 0)), fields.size
            else:
                fields, text, cost = None, _join(_encode(item, 0)), 1
            if not text.isascii():
                text = _escaped(text)
                cost += len(text.encode()) - len(text)
            if len(text) > 2 * ITEM_DEPTH:
                _check_depth(item, text)
            cost += len(text)
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
        self._used += cost
        return self.rest() if len(held) == self._size else ()

    def add_text(self, text: str) -> tuple[Packed, ...]:
        """Add one item as `encode_item` wrote it; returns the chunks that are full."""
        cost = utf8_size(text) + 1
        full = self.rest() if self._held and self._used + cost > self._budget else ()
        self._held.append(text)
        self._used += cost
        return (*full, *self.rest()) if len(self._held) == self._size else full

    def rest(self) -> tuple[Packed, ...]:
        """The chunk that isn't full yet, if anything is in it."""
        if not self._held:
            return ()
        if self._fields is not None and len(self._held) < ROWS:
            self._flatten()
        fields = self._fields.text if self._fields else ""
        done = Packed(self._number, self._first, tuple(self._held), self._round, part=self._part, fields=fields)
        self._number, self._first = self._number + 1, self.reached
        self._held, self._used, self._fields = [], 0, None
        return (done,)

    def _flatten(self) -> None:
        """Write the items of this chunk as they are: they haven't the same fields after all."""
        assert self._fields is not None
        names, self._fields = self._fields.names, None
        rows = map(json.loads, self._held)
        self._held = [_written(dict(zip(names, row, strict=True))) for row in rows]


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
