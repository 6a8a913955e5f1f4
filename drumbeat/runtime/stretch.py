"""The stretch of an object that one dispatcher reads: from where a line begins to where a line ends.

An object is cut at any byte; a line belongs to the part in which it begins.  So parts need know nothing of each other,
and together they have each line once.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from drumbeat.errors import RecordMalformed

BLOCK = 1024 * 1024


def blocks_of(body: Any) -> Iterator[bytes]:
    """What a streaming body holds, a mebibyte at a time."""
    return iter(lambda: body.read(BLOCK), b"")


def from_next_line(blocks: Iterator[bytes]) -> tuple[int, Iterator[bytes]]:
    """Leave out what is left of a line: how many bytes, its break included, and the rest."""
    left_out = 0
    for block in blocks:
        at = block.find(b"\n") + 1
        if at:
            return left_out + at, chain((block[at:],), blocks)
        left_out += len(block)
    return left_out, iter(())


def lines_within(blocks: Iterable[bytes], length: int) -> Iterator[bytes]:
    """The blocks up to the end of the last line that begins within so many bytes."""
    if length <= 0:
        return
    for block in blocks:
        at = block.find(b"\n", max(0, length - 1)) + 1
        if at:
            yield block[:at]
            return
        yield block
        length -= len(block)


def split(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines, without their breaks."""
    tail = b""
    for block in blocks:
        *whole, tail = (tail + block).split(b"\n")
        yield from whole
    if tail:
        yield tail


def first_line(blocks: Iterator[bytes], most: int) -> tuple[bytes, Iterator[bytes]]:
    """The first line with its break, and the rest; raises RecordMalformed if it is longer than so many bytes."""
    head = b""
    for block in blocks:
        head += block
        at = head.find(b"\n") + 1
        if at > most or (not at and len(head) >= most):
            raise RecordMalformed(f"the first line is longer than {most:,} bytes; is it the one with the names?")
        if at:
            return head[:at], chain((head[at:],), blocks)
    return head, iter(())
