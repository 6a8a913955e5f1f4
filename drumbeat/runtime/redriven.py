"""Which items the chunks of a redrive hold, without their messages: its manifest, cut anew as when it was sent."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, islice

from drumbeat.encoder import encode_item
from drumbeat.errors import SourceMissing
from drumbeat.ledger import count, manifest
from drumbeat.ledger.record import RunRecord
from drumbeat.ledger.tree import leaves
from drumbeat.limits import AROUND_ITEM_BYTES
from drumbeat.packer import pack
from drumbeat.source import S3Lines
from drumbeat.task import Task

from .load import Loaded
from .observability import logger
from .referenced import Referenced
from .services import Services
from .sources import items_of


def of_chunks(
    services: Services, task: Task, record: RunRecord, wanted: Collection[int]
) -> Iterator[tuple[int, dict[int, Loaded]]] | None:
    """These chunks of a sealed redrive, each with its items by their index in it; streamed.

    None if that can't be told: the manifest has gone, or another release has cut it.
    """
    try:
        counts = list(_cut(services, task, record))
    except SourceMissing as error:
        logger.warning("manifest not read", run=record.id, problem=str(error))
        return None
    if not fits(services, record, counts):
        logger.warning("the chunks of the redrive aren't those that the manifest makes now", run=record.id)
        return None
    return _read(services, record, counts, set(wanted))


def fits(services: Services, record: RunRecord, counts: Sequence[int]) -> bool:
    """Whether chunks of so many items are those of the redrive, as far as the ledger can tell: leaf by leaf."""
    if (len(counts), sum(counts)) != (record.chunks, record.items):
        return False
    for leaf in range(leaves(record.chunks)):
        settled, totals = count.leaf_of(services.table, record.tree, leaf)
        if sum(counts[chunk] for chunk in settled if chunk < record.chunks) != totals.items:
            return False
    return True


def _cut(services: Services, task: Task, record: RunRecord) -> Iterator[int]:
    """How many items each chunk has."""
    run = record.run(services.settings.bucket)
    if task.by_reference is not False:
        fresh = replace(record, chunks=0, items=0, position=0, pin="")
        source = S3Lines(record.items_key)
        return (chunk.count for chunk in Referenced(task, run, fresh, services).chunks(source))
    found, _ = items_of(task, run, services, items_key=record.items_key)
    texts = (
        encode_item(item, task=task.name, number=number, room=AROUND_ITEM_BYTES) for number, item in enumerate(found)
    )
    size, max_bytes = record.sizes(task)
    return (chunk.count for chunk in pack(texts, size=size, max_bytes=max_bytes, round=record.round))


def _read(
    services: Services, record: RunRecord, counts: Sequence[int], wanted: set[int]
) -> Iterator[tuple[int, dict[int, Loaded]]]:
    lines, at = manifest.lines(services.s3, services.settings.bucket, record.items_key), 0
    for chunk, first in enumerate(accumulate(counts, initial=0)):
        if chunk in wanted:
            held = islice(lines, first - at, first - at + counts[chunk])
            yield chunk, dict(enumerate(map(Loaded.of, held)))
            at = first + counts[chunk]
