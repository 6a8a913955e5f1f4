"""Write items as JSON and cut them into chunks."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from . import limits
from .chunk import FRAME_BYTES, Packed, utf8_size
from .errors import ItemNotJson, ItemTooLarge
from .untrusted import ITEM_DEPTH, is_too_deep

_REFUSED_BY_SQS = (("\ufffe", "\\ufffe"), ("\uffff", "\\uffff"))
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html: all else JSON escapes."""
_PIECE_ITEMS, _PIECE_BYTES = 32, 16 * 1024  # what is written at once, if the items weigh what the last ones did


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


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def _written(value: Any) -> str:
    text = _encode(value)
    if text.count("[") + text.count("{") > ITEM_DEPTH and is_too_deep(value, ITEM_DEPTH + 1):
        raise ValueError(f"nested more than {ITEM_DEPTH} deep")
    if not text.isascii():
        for character, escape in _REFUSED_BY_SQS:
            text = text.replace(character, escape)
    return text


class Packer:
    """Cuts items into chunks of at most `size` items and `max_bytes` of message, in order.

    Where a chunk ends depends on its own items only, so packing that resumes at a chunk's start makes the same chunks.
    An item that is larger than `max_bytes` is a chunk of its own.
    apart: write items one by one, for who wants to have them so.
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
        apart: bool = False,
    ) -> None:
        self._size = size
        self._budget = max_bytes - FRAME_BYTES
        self._number, self._first, self._round, self._part = number, first, round, part
        self._task = task
        self._apart = apart
        self._room = limits.AROUND_ITEM_BYTES if round else 0
        self._held: list[str] = []
        self._count = self._used = 0
        self._mean = _PIECE_BYTES  # bytes of an item, as the last ones were

    @property
    def reached(self) -> int:
        """The number of the item that is added next."""
        return self._first + self._count

    @property
    def most(self) -> int:
        """How many items to add at once: few enough to be held in memory, whatever they weigh, and in one chunk."""
        return max(1, min(_PIECE_ITEMS, _PIECE_BYTES // self._mean, self._size - self._count))

    def add(self, items: Sequence[Any]) -> Iterator[Packed]:
        """Add up to `most` items; yields the chunks that are full.

        Raises ItemNotJson or ItemTooLarge for one of them, with those before it added.
        """
        text = None if self._apart else _written_at_once(items)
        if text is not None and self._used + (cost := utf8_size(text) + 1) <= self._budget:
            self._mean = cost // len(items)
            yield from self._hold(text, len(items), cost)
            return
        for item in items:
            yield from self.add_text(encode_item(item, task=self._task, number=self.reached, room=self._room))

    def add_text(self, text: str) -> Iterator[Packed]:
        """Add one item as `encode_item` wrote it; yields the chunks that are full."""
        self._mean = cost = utf8_size(text) + 1
        if self._used + cost > self._budget:
            yield from self.rest()
        yield from self._hold(text, 1, cost)

    def rest(self) -> Iterator[Packed]:
        """The chunk that isn't full yet, if anything is in it."""
        if not self._count:
            return
        yield Packed(self._number, self._first, tuple(self._held), self._round, count=self._count, part=self._part)
        self._number, self._first = self._number + 1, self.reached
        self._held, self._count, self._used = [], 0, 0

    def _hold(self, text: str, count: int, cost: int) -> Iterator[Packed]:
        self._held.append(text)
        self._count += count
        self._used += cost
        if self._count == self._size:
            yield from self.rest()


def _written_at_once(items: Sequence[Any]) -> str | None:
    """Several items as JSON, with commas between them; None if that can't be: one of them is at fault."""
    try:
        text = _written(items)
        text.encode()
    except (TypeError, ValueError, RecursionError):
        return None
    return text[1:-1]


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
