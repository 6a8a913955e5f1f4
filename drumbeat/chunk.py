"""Chunks: the items that share one message, and the text they travel as."""

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import limits
from .errors import MalformedMessage, NewerMessage
from .reference import Reference, parse_reference
from .run import Run
from .untrusted import is_whole, read_json

VERSION = 1
_LAST_VERSION = 1000  # above, no release of drumbeat's has written it
COMPRESSED_ABOVE = 6 * 1024
"""SQS bills each 64 KiB of a call: of ten messages above a tenth of it, items are compressed, if that halves them."""
WORTH = 0.5  # of the plain size; above, the message is left readable: compression takes as long as all the rest
LARGEST = 16 * 1024 * 1024
"""What a chunk's items may be as JSON, unpacked or in S3: of a forged one, no more is unpacked or read."""
_SHA256 = re.compile("[0-9a-f]{64}")
FRAME_BYTES = 256  # more than everything in a message that isn't an item: version, run id, numbers, an S3 key


@dataclass(frozen=True)
class Packed:
    """A chunk on its way out: its number in the run, the number of its first item, its items as JSON.

    In a redrive, `first` counts the items that are done again, and `round` says which redrive of the run it is; each
    item is `{"n": its number in the run, "item": ...}`.
    fields: names as JSON, if all items are objects with these fields in this order; then each of `items` is only the
    list of its values, or those of several, with commas between.
    A chunk by reference has no items but their `count`, and says with `reference` where they are; `position` is how far
    in its source an expansion has come with it.  Of a run that is expanded in parts, `part` says which one has numbered
    it; None of any other.
    """

    number: int
    first: int
    items: tuple[str, ...]
    round: int = 0
    reference: Reference | None = None
    count: int = -1
    position: int = 0
    part: int | None = None
    fields: str = ""

    def __post_init__(self) -> None:
        if self.count < 0:
            object.__setattr__(self, "count", len(self.items))

    def body(self, run_id: str) -> str:
        """The message that carries the items, or says where they are, as short as is worth it."""
        plain = self.plain(run_id)
        return self.shorter(run_id, plain) or plain

    def plain(self, run_id: str) -> str:
        """The message that carries the items readably, or says where they are."""
        if self.reference is not None:
            return f'{self._head(run_id)},"count":{self.count},"ref":{self.reference.text()}}}'
        kind = "rows" if self.fields else "items"
        return f'{self._head(run_id)}{self._fields}"{kind}":{self.stored()}}}'

    def shorter(self, run_id: str, plain: str) -> str | None:
        """The message with its items compressed; None if that isn't worth it, or there are none."""
        size = utf8_size(plain)
        if self.reference is not None or size <= COMPRESSED_ABOVE:
            return None
        packed = base64.b64encode(zlib.compress(self.stored().encode(), level=1)).decode()
        short = f'{self._head(run_id)}{self._fields}"count":{self.count},"z64":"{packed}"}}'
        most = limits.SQS_MESSAGE_BYTES if size > limits.SQS_MESSAGE_BYTES else size * WORTH
        return short if utf8_size(short) <= most else None

    def pointer(self, run_id: str, key: str) -> str:
        """The message for items that are kept in S3, as `stored` wrote them, under `key`."""
        digest = hashlib.sha256(self.stored().encode()).hexdigest()
        return f'{self._head(run_id)},"count":{self.count},"s3":{json.dumps(key)},"sha256":"{digest}"}}'

    def stored(self) -> str:
        """What to keep in S3 for a pointer: a JSON array."""
        return f"[{','.join(self.items)}]"

    @property
    def _fields(self) -> str:
        return f',"fields":{self.fields},' if self.fields else ","

    def _head(self, run_id: str) -> str:
        round_ = f',"round":{self.round}' if self.round else ""
        part = "" if self.part is None else f',"part":{self.part}'
        return f'{{"v":{VERSION},"run":"{run_id}","chunk":{self.number},"first":{self.first}{round_}{part}'

    def tree(self, run_id: str) -> str:
        """The name of what counts this chunk."""
        return tree_of(run_id, self.round, self.part)


@dataclass(frozen=True)
class Chunk:
    """A chunk as it arrives: `items`, or None and the `key` in the app's bucket where they are.

    sha256: of what must be there, in hex; empty if the message doesn't say.
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
    part: int | None = None
    sha256: str = ""

    @property
    def tree(self) -> str:
        """The name of what counts this chunk."""
        return tree_of(self.run.id, self.round, self.part)


def tree_of(run_id: str, round: int, part: int | None = None) -> str:  # noqa: A002  (the word of the glossary)
    """The name of what counts a run's chunks, those of one of its redrives, or those of one of its parts."""
    tree = f"{run_id}~{round}" if round else run_id
    return tree if part is None else f"{tree}+{part}"


def stored_key(tree: str, number: int) -> str:
    """Where in the app's bucket the items of a chunk are kept that is too large for a message."""
    return f"runs/{tree}/chunks/{number}.json"


def utf8_size(text: str) -> int:
    """How many bytes a text has in UTF-8; raises UnicodeEncodeError for half a character."""
    return len(text) if text.isascii() else len(text.encode())


def parse(body: str, *, bucket: str) -> Chunk:
    """Read a message; raises MalformedMessage for anything that `Packed` can't have written.

    Raises NewerMessage for what a later release has written, before it was rolled back.
    The error says what is wrong and quotes nothing: it is logged.
    """
    try:
        return _chunk(read_json(body), bucket)
    except (MalformedMessage, NewerMessage):
        raise
    except (AttributeError, KeyError, TypeError, ValueError, zlib.error) as error:
        raise MalformedMessage(f"not a chunk ({type(error).__name__}); something else has sent it") from None


def _chunk(message: Any, bucket: str) -> Chunk:
    if is_whole(message["v"], least=VERSION + 1, most=_LAST_VERSION):
        raise NewerMessage(f"message version {message['v']}; this release reads version {VERSION}")
    if message["v"] != VERSION:
        raise MalformedMessage(f"a message of another version; this worker reads version {VERSION}")
    items, key, reference = message.get("items"), message.get("s3"), message.get("ref")
    if items is None and (packed := _packed_items(message)):
        items = _unpacked(packed, count=message["count"])
    if "fields" in message:
        items = _of_rows(message["fields"], message.get("rows") if items is None else items)
    if not isinstance(items, list | None) or not isinstance(key, str | None):
        raise MalformedMessage("a list of items or the S3 key of one is expected")
    if sum(found is not None for found in (items, key, reference)) != 1:
        raise MalformedMessage("either a list of items, the S3 key of one, or a reference is expected")
    run = Run.parse(message["run"], bucket=bucket)
    number = _whole(message["chunk"], limits.MAX_CHUNKS)
    round_ = _whole(message.get("round", 0), limits.MAX_ROUNDS)
    part = None if "part" not in message else _whole(message["part"], limits.MAX_CHUNKS)
    if key is not None and key != stored_key(tree_of(run.id, round_, part), number):
        raise MalformedMessage("the S3 key isn't the chunk's own")
    return Chunk(
        run,
        number,
        _whole(message["first"], limits.MAX_ITEMS),
        _whole(message["count"] if items is None else len(items), limits.MAX_CHUNK_ITEMS, least=1),
        items,
        key,
        round_,
        reference=None if reference is None else parse_reference(reference),
        again=bool(message.get("again")),
        part=part,
        sha256=_digest(message.get("sha256", "")),
    )


def _packed_items(message: Mapping[str, Any]) -> bytes:
    """The compressed items of a message, if it has some; in base 85 as long as that was written."""
    if "z64" in message:
        return base64.b64decode(message["z64"], validate=True)
    return base64.b85decode(message["z"]) if "z" in message else b""


def _unpacked(packed: bytes, *, count: int) -> list[Any]:
    stream = zlib.decompressobj()
    text = stream.decompress(packed, LARGEST)
    items = read_json(text.decode()) if not stream.unconsumed_tail else None
    if not isinstance(items, list) or len(items) != count:
        raise MalformedMessage("the packed items aren't a list of as many as the message says")
    return items


def _of_rows(names: Any, rows: Any) -> list[Any]:
    """Items that were written as the values of their fields."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise MalformedMessage("the fields of items are a list of names")
    return [dict(zip(names, row, strict=True)) for row in rows]


def sent_again(body: str) -> str:
    """The message of a chunk that is sent again, if there is room to say so."""
    marked = f'{body.rstrip()[:-1]},"again":1}}'
    return marked if utf8_size(marked) <= limits.SQS_MESSAGE_BYTES else body


def _whole(value: Any, most: int, *, least: int = 0) -> int:
    if not is_whole(value, most=most, least=least):
        raise MalformedMessage("numbers of a chunk are whole, and in their ranges; it has an item at least")
    return int(value)


def _digest(value: Any) -> str:
    if value != "" and not (isinstance(value, str) and _SHA256.fullmatch(value)):
        raise MalformedMessage("a digest is 64 hexadecimal digits")
    return str(value)
