"""Chunks: the items that share one message, and the text they travel as."""

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from . import limits
from .errors import ItemNotJson, ItemTooLarge, MalformedMessage
from .reference import Reference, parse_reference
from .run import Run

VERSION = 1
COMPRESSED_ABOVE = 6 * 1024
"""SQS bills each 64 KiB of a call: of ten messages above a tenth of it, the items are compressed."""
_WORTH = 0.8  # of the plain size; above, the message is left readable
_LARGEST = 16 * 1024 * 1024  # what a message may hold when it is unpacked: a forged one isn't unpacked further
_REFUSED_BY_SQS = (("\ufffe", "\\ufffe"), ("\uffff", "\\uffff"))
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html: all else JSON escapes."""
_FRAME_BYTES = 256  # more than everything in a message that isn't an item: version, run id, numbers, an S3 key


@dataclass(frozen=True)
class Packed:
    """A chunk on its way out: its number in the run, the number of its first item, its items as JSON.

    In a redrive, `first` counts the items that are done again, and `round` says which redrive of the run it is; each
    item is `{"n": its number in the run, "item": ...}`.
    A chunk by reference has no items but their `count`, and says with `reference` where they are; `position` is how far
    in its source an expansion has come with it.
    """

    number: int
    first: int
    items: tuple[str, ...]
    round: int = 0
    reference: Reference | None = None
    count: int = -1
    position: int = 0

    def __post_init__(self) -> None:
        if self.count < 0:
            object.__setattr__(self, "count", len(self.items))

    def body(self, run_id: str) -> str:
        """The message that carries the items, or says where they are."""
        if self.reference is not None:
            told = json.dumps(self.reference.text(), separators=(",", ":"))
            return f'{self._head(run_id)},"count":{self.count},"ref":{told}}}'
        plain = f'{self._head(run_id)},"items":[{",".join(self.items)}]}}'
        if len(plain) <= COMPRESSED_ABOVE:
            return plain
        packed = base64.b85encode(zlib.compress(self.stored().encode(), level=1)).decode()
        short = f'{self._head(run_id)},"count":{self.count},"z":"{packed}"}}'
        return short if len(short) < len(plain) * _WORTH else plain

    def pointer(self, run_id: str, key: str) -> str:
        """The message for items that are kept in S3, as `stored` wrote them, under `key`."""
        return f'{self._head(run_id)},"count":{len(self.items)},"s3":{json.dumps(key)}}}'

    def stored(self) -> str:
        """What to keep in S3 for a pointer: a JSON array."""
        return f"[{','.join(self.items)}]"

    def _head(self, run_id: str) -> str:
        round_ = f',"round":{self.round}' if self.round else ""
        return f'{{"v":{VERSION},"run":"{run_id}","chunk":{self.number},"first":{self.first}{round_}'


@dataclass(frozen=True)
class Chunk:
    """A chunk as it arrives: `items`, or None and the `key` in the app's bucket where they are.

    again: whether it was sent again by the keeper, so that workers may have been at it, whatever SQS has counted.
    """

    run: Run
    number: int
    first: int
    count: int
    items: Sequence[Any] | None
    key: str | None = None
    round: int = 0
    reference: Reference | None = None
    again: bool = False

    @property
    def tree(self) -> str:
        """The name of what counts this chunk."""
        return tree_of(self.run.id, self.round)


def tree_of(run_id: str, round: int) -> str:  # noqa: A002  (the word of the glossary)
    """The name of what counts a run's chunks, or those of one of its redrives."""
    return f"{run_id}~{round}" if round else run_id


def encode_item(item: Any, *, task: str, number: int, room: int = 0) -> str:
    """Write one item as compact JSON; raises ItemNotJson or ItemTooLarge, naming task and item.

    room: bytes that it may be larger than allowed, for what is put around it.
    """
    try:
        text = json.dumps(item, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        for character, escape in _REFUSED_BY_SQS:
            text = text.replace(character, escape)
        size = len(text.encode())
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


def pack(
    items: Iterable[str],
    *,
    size: int,
    max_bytes: int,
    number: int = 0,
    first: int = 0,
    round: int = 0,  # noqa: A002
) -> Iterator[Packed]:
    """Cut encoded items into chunks of at most `size` items and `max_bytes` of message, in order.

    Where a chunk ends depends on its own items only, so packing that resumes at a chunk's start makes the same chunks.
    An item that is larger than `max_bytes` is a chunk of its own.
    """
    budget = max_bytes - _FRAME_BYTES
    held: list[str] = []
    used = 0
    for item in items:
        cost = len(item.encode()) + 1
        if held and (len(held) == size or used + cost > budget):
            yield Packed(number, first, tuple(held), round)
            number, first, held, used = number + 1, first + len(held), [], 0
        held.append(item)
        used += cost
    if held:
        yield Packed(number, first, tuple(held), round)


def parse(body: str, *, bucket: str) -> Chunk:
    """Read a message; raises MalformedMessage for anything that `Packed` can't have written."""
    try:
        message = json.loads(body)
        if message["v"] != VERSION:
            raise MalformedMessage(f"message version {message['v']!r}; this worker reads version {VERSION}")
        items, key, reference = message.get("items"), message.get("s3"), message.get("ref")
        if "z" in message and items is None:
            items = _unpacked(message["z"], count=message["count"])
        if not isinstance(items, list | None) or not isinstance(key, str | None):
            raise MalformedMessage("a list of items or the S3 key of one is expected")
        if sum(found is not None for found in (items, key, reference)) != 1:
            raise MalformedMessage("either a list of items, the S3 key of one, or a reference is expected")
        count = _count(message["count"]) if items is None else len(items)
        run = Run.parse(message["run"], bucket=bucket)
        round_ = _count(message.get("round", 0))
        if key is not None and not key.startswith(f"runs/{tree_of(run.id, round_)}/"):
            raise MalformedMessage("the S3 key isn't one of the run's own")
        return Chunk(
            run,
            _count(message["chunk"]),
            _count(message["first"]),
            count,
            items,
            key,
            round_,
            reference=None if reference is None else parse_reference(reference),
            again=bool(message.get("again")),
        )
    except MalformedMessage:
        raise
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError, zlib.error) as error:
        raise MalformedMessage(f"not a chunk ({type(error).__name__}); something else has sent it") from None


def _unpacked(packed: str, *, count: int) -> list[Any]:
    stream = zlib.decompressobj()
    text = stream.decompress(base64.b85decode(packed), _LARGEST)
    items = json.loads(text) if not stream.unconsumed_tail else None
    if not isinstance(items, list) or len(items) != count:
        raise MalformedMessage("the packed items aren't a list of as many as the message says")
    return items


def sent_again(body: str) -> str:
    """The message of a chunk that is sent again, if there is room to say so."""
    marked = f'{body.rstrip()[:-1]},"again":1}}'
    return marked if len(marked.encode()) <= limits.SQS_MESSAGE_BYTES else body


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise MalformedMessage("numbers of a chunk are whole and not negative")
    return value
