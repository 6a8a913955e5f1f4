"""The items of a chunk, from wherever they are."""

from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from drumbeat.chunk import Chunk
from drumbeat.errors import SourceChanged
from drumbeat.limits import MAX_ITEMS
from drumbeat.untrusted import is_whole

from .lines import DENIED, Unreadable, instead, read_kept, read_reference
from .services import Services

if TYPE_CHECKING:
    from collections.abc import Sequence


class Loaded(NamedTuple):
    """An item, with its number in the run, and in a redrive whether it was dropped before, or had failed."""

    number: int
    item: Any
    was_dropped: bool = False

    @classmethod
    def of(cls, line: Any) -> "Loaded":
        """Read a line of a redrive's manifest."""
        return cls(line["n"], line["item"], was_dropped=bool(line.get("d")))


def load_items(chunk: Chunk, services: Services) -> dict[int, Loaded]:
    """The items of a chunk, from its message or from S3, by their index in it.

    What can't be read is Unreadable: no error, as it would come again for ever.
    """
    if chunk.reference is not None:
        found: Sequence[Any] = read_reference(chunk, services)
    else:
        found = chunk.items if chunk.items is not None else read_kept(chunk, services)
    if len(found) != chunk.count:
        found = instead(chunk, SourceChanged(f"its {chunk.count} items aren't where they should be"))
    if chunk.round and not any(isinstance(item, Unreadable) for item in found):
        if all(map(_is_numbered, found)):
            return dict(enumerate(map(Loaded.of, found)))
        found = instead(chunk, SourceChanged("an item of a redrive has a number"))
    return {index: Loaded(chunk.first + index, item) for index, item in enumerate(found)}


def load_what_there_is(chunk: Chunk, services: Services) -> dict[int, Loaded]:
    """The same for a chunk that is given up: what this role may not read any more is Unreadable, too."""
    try:
        return load_items(chunk, services)
    except ClientError as error:
        if error.response["Error"]["Code"] not in DENIED:
            raise
        why = SourceChanged("the items can't be read: the object is gone, or the function may not read it")
        return {index: Loaded(chunk.first + index, item) for index, item in enumerate(instead(chunk, why))}


def _is_numbered(line: Any) -> bool:
    return isinstance(line, dict) and "item" in line and is_whole(line.get("n"), most=MAX_ITEMS)
