"""Packing by arithmetic against packing by the code: the same chunks, bytes and calls, whatever the sizes."""

import random

import pytest

from drumbeat.chunk import Packed
from drumbeat.encoder import encode_item
from drumbeat.packer import Packer, pack
from drumbeat.plan.packing import pack_run
from drumbeat.plan.units import units
from drumbeat.reference import Numbers
from drumbeat.runtime import send
from drumbeat.runtime.send import Message
from drumbeat.source import Range
from drumbeat.task import Task

RUN = "sized/2026-01-01T00:00:00Z"


def _sent(chunks: list[Packed]) -> tuple[int, int, int, int]:
    """Chunks, bytes, calls and billed requests of the real code."""
    bodies = [chunk.body(RUN) for chunk in chunks]
    found = [Message(chunk, body, len(body)) for chunk, body in zip(chunks, bodies, strict=True)]
    calls = [sum(message.size for message in batch) for batch in send.batches(found)]
    return len(found), sum(calls), len(calls), sum(units(size, 64 * 1024) for size in calls)


@pytest.mark.parametrize("seed", range(40))
def test_inline_messages_are_as_many_and_as_long_as_the_code_makes_them(seed: int) -> None:
    draw = random.Random(seed)
    size = draw.choice([2, 10, 50, 200, 3000, 70_000])
    chunk_size, chunk_bytes = draw.choice([1, 7, 100, 1000]), draw.choice([1024, 5000, 200_000, 1_000_000])
    items = draw.randrange(1, 3000 if size < 3000 else 60)
    task = Task("sized", chunk_size=chunk_size, chunk_bytes=chunk_bytes)
    task.expand(lambda run: [run])
    text = '"' + draw.randbytes(size).decode("latin-1").translate(_plain(draw))[: size - 2].ljust(size - 2, "~") + '"'
    chunks = list(pack([text] * items, size=chunk_size, max_bytes=chunk_bytes))
    plain = len(chunks[0].body(RUN)) == len(Packed(0, 0, ()).body(RUN)) + len(chunks[0].items) * (size + 1) - 1

    found = pack_run(task, items=items, item_bytes=size)

    if plain and all(len(chunk.body(RUN)) > len(chunk.stored()) for chunk in chunks):  # else compressed: see above
        assert _sent(chunks) == (found.chunks, found.sent_bytes, found.calls, found.sent_units)
    assert len(chunks) == found.chunks


@pytest.mark.parametrize(
    ("items", "chunk_size", "chunk_bytes"), [(303, 100, 200_000), (20, 3, 200_000), (90, 50, 1500)]
)
def test_the_names_of_fields_are_in_a_message_once(items: int, chunk_size: int, chunk_bytes: int) -> None:
    task = Task("sized", chunk_size=chunk_size, chunk_bytes=chunk_bytes)
    task.expand(lambda run: [run])
    packer = Packer(size=chunk_size, max_bytes=chunk_bytes)
    several = [{"customer": "x" * 40, "cents": 1000 + number} for number in range(items)]
    chunks = [chunk for item in several for chunk in packer.add(item)] + [*packer.rest()]

    found = pack_run(task, items=items, item_bytes=len(encode_item(several[0], task="t", number=0)), field_bytes=19)

    assert _sent(chunks) == (found.chunks, found.sent_bytes, found.calls, found.sent_units)


def _plain(draw: random.Random) -> dict[int, str]:
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&()*+,-./:;<=>?@[]^_`{|}~"
    return {code: draw.choice(letters) for code in range(256)}


@pytest.mark.parametrize(("start", "step", "items"), [(0, 1, 1), (0, 1, 12_345), (95, 3, 4_001), (10**6 - 50, 7, 999)])
def test_ranges_of_numbers_get_longer_with_their_digits(start: int, step: int, items: int) -> None:
    task = Task("sized", chunk_size=10)
    task.expand(Range(start, start + step * items, step))
    chunks = [
        Packed(number, first, (), reference=Numbers(start + first * step, step), count=min(10, items - first))
        for number, first in enumerate(range(0, items, 10))
    ]

    found = pack_run(task, items=items)

    assert _sent(chunks) == (found.chunks, found.sent_bytes, found.calls, found.sent_units)


def test_a_billion_items_are_packed_at_once() -> None:
    task = Task("sized", chunk_size=1000)
    task.expand(lambda run: [run])

    assert 1_000_000 == pack_run(task, items=10**9, item_bytes=50).chunks
