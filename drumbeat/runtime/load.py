"""The items of a chunk, from wherever they are."""

import json
from typing import Any, NamedTuple

from drumbeat.chunk import Chunk
from drumbeat.errors import MalformedMessage

from .lines import Unreadable, read_reference
from .services import Services


class Loaded(NamedTuple):
    """An item, with its number in the run, and in a redrive whether it was dropped before, or had failed."""

    number: int
    item: Any
    was_dropped: bool = False

    @classmethod
    def of(cls, line: Any) -> "Loaded":
        """Read a line of a redrive's manifest."""
        return cls(int(line["n"]), line["item"], was_dropped=bool(line.get("d")))


def load_items(chunk: Chunk, services: Services) -> dict[int, Loaded]:
    """The items of a chunk, from its message or from S3, by their index in it."""
    found = chunk.items if chunk.reference is None else read_reference(chunk, services)
    if found is None:
        body = services.s3.get_object(Bucket=chunk.run.bucket, Key=str(chunk.key))["Body"].read()
        found = json.loads(body)
    if not isinstance(found, list | tuple) or len(found) != chunk.count:
        raise MalformedMessage(f"{chunk.run.id}#{chunk.number}: its {chunk.count} items aren't where they should be")
    if not chunk.round or any(isinstance(item, Unreadable) for item in found):
        return {index: Loaded(chunk.first + index, item) for index, item in enumerate(found)}
    try:
        return dict(enumerate(map(Loaded.of, found)))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise MalformedMessage(f"{chunk.tree}#{chunk.number}: an item of a redrive has a number") from None
