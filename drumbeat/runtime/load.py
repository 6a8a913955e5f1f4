"""The items of a chunk, from wherever they are."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from drumbeat.chunk import Chunk
from drumbeat.errors import SourceChanged
from drumbeat.limits import MAX_ITEMS
from drumbeat.untrusted import is_whole

from .lines import DENIED, Unreadable, instead, read_kept, read_reference
from .services import Services


class Loaded(NamedTuple):
    """An item, with its number in the run, and in a redrive whether it was dropped before, or had failed."""

    number: int
    item: Any
    was_dropped: bool = False

    @classmethod
    def of(cls, line: Any) -> "Loaded":
        """Read a line of a redrive's manifest."""
        return cls(line["n"], line["item"], was_dropped=bool(line.get("d")))


class _InOrder(Mapping[int, Loaded]):
    """Items that follow each other in their run; which number one has is worked out when it is asked for: rarely."""

    def __init__(self, first: int, items: Sequence[Any]) -> None:
        self._first = first
        self.items_only = items

    def __getitem__(self, index: int) -> Loaded:
        return Loaded(self._first + index, self.items_only[index])

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.items_only)))

    def __len__(self) -> int:
        return len(self.items_only)


def bare(loaded: Mapping[int, Loaded], indices: Iterable[int]) -> dict[int, Any]:
    """Just the items, of those with these indices."""
    if isinstance(loaded, _InOrder):
        found = loaded.items_only
        return {index: found[index] for index in indices}
    return {index: loaded[index].item for index in indices}


def load_items(chunk: Chunk, services: Services) -> Mapping[int, Loaded]:
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
    return _InOrder(chunk.first, found)


def load_what_there_is(chunk: Chunk, services: Services) -> Mapping[int, Loaded]:
    """The same for a chunk that is given up: what this role may not read any more is Unreadable, too."""
    try:
        return load_items(chunk, services)
    except ClientError as error:
        if error.response["Error"]["Code"] not in DENIED:
            raise
        why = SourceChanged("the items can't be read: the object is gone, or the function may not read it")
        return _InOrder(chunk.first, instead(chunk, why))


def _is_numbered(line: Any) -> bool:
    return isinstance(line, dict) and "item" in line and is_whole(line.get("n"), most=MAX_ITEMS)
