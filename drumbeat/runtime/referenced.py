"""Expand by reference: chunks that say where their items are, for sources that can be read again by range.

Numbers cost nothing to expand; of lines, only where they end is looked for, a mebibyte at a time; what can't be read
again is spooled to S3 first.  The worker reads its own items.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from drumbeat import limits
from drumbeat.chunk import Packed
from drumbeat.errors import ItemTooLarge, RecordMalformed, SourceChanged
from drumbeat.ledger.record import RunRecord
from drumbeat.reference import Lines, Numbers
from drumbeat.run import Run
from drumbeat.source import Range, S3Csv, S3Lines, is_lined
from drumbeat.task import Task

from .records import columns_of
from .services import Services
from .sources import refused
from .stretch import blocks_of, first_line, from_next_line, lines_within

CHUNK_BYTES = 4 * 1024 * 1024
"""The most that a worker reads for one chunk, unless a single line is larger."""
HEADER_BYTES = 16 * 1024
"""The most that the first line of comma-separated values may take: its names travel in each message."""
_SPOOL_BYTES = 8 * 1024 * 1024
_BLANK = (b"\n\n", b"\n\r", b"\n ", b"\n\t")  # lines that may be blank


def source_of(task: Task, run: Run, record: RunRecord) -> Range | S3Lines | S3Csv | None:
    """The source of a run whose chunks can refer to it; None if the items themselves must travel."""
    if record.items_key:
        return S3Lines(record.items_key)
    given: Any = task.source
    if is_lined(given):
        return replace(given, key=given.key.format(run=run))
    return given if isinstance(given, Range) else None


class _Stretch(NamedTuple):
    """The lines that are to be read, from byte `begin` on, of the object of this ETag; of records, their names."""

    blocks: Iterator[bytes]
    begin: int
    etag: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Referenced:
    """The chunks of one run, or of one of its parts, by reference, from its cursor on."""

    task: Task
    run: Run
    record: RunRecord
    services: Services

    def chunks(self, source: Range | S3Lines | S3Csv) -> Iterator[Packed]:
        """The chunks of a source that can be read again."""
        return self._of_range(source) if isinstance(source, Range) else self._of_lines(source)

    def _of_range(self, source: Range) -> Iterator[Packed]:
        total, (size, _) = len(range(source.start, source.stop, source.step)), self.record.sizes(self.task)
        end = self.record.cut[1] if self.record.cut else total
        firsts = range(self.record.next_item, end, size)
        for number, first in enumerate(firsts, start=self.record.chunks):
            numbers = Numbers(source.start + first * source.step, source.step)
            count = min(size, end - first)
            yield Packed(number, first, (), reference=numbers, count=count, part=self.record.of_part)

    def _of_lines(self, source: S3Lines | S3Csv) -> Iterator[Packed]:
        found = self._stretch(source)
        if found is None:
            return
        begin, columns, number, first = found.begin, found.columns, self.record.chunks, self.record.next_item
        delimiter = source.delimiter if isinstance(source, S3Csv) else ","
        for count, size in groups(found.blocks, self.record.sizes(self.task)[0]):
            if size > limits.MAX_ITEM_BYTES + limits.AROUND_ITEM_BYTES and count == 1:
                raise ItemTooLarge(
                    f"task {self.task.name!r}, item {first}: {size:,} bytes, {limits.MAX_ITEM_BYTES:,} allowed; keep "
                    "the data in S3 and write its key into the line"
                )
            lines = Lines(source.key, found.etag, begin, begin + size, source.bucket, columns, delimiter)
            begin += size
            yield Packed(
                *(number, first, (), self.record.round),
                reference=lines,
                count=count,
                position=begin,
                part=self.record.of_part,
            )
            number, first = number + 1, first + count

    def _stretch(self, source: S3Lines | S3Csv) -> _Stretch | None:
        """What is to be read of an object, from the cursor on; None if there is nothing any more."""
        cut, end = self.record.cut or (0, None)
        begin = self.record.position or cut
        is_line = begin == self.record.position  # where a line begins; a cut is anywhere in one
        columns = self._columns(source) if isinstance(source, S3Csv) and begin else ()
        found = self._open(source, begin if is_line else begin - 1)
        if found is None:
            return None
        blocks, etag = blocks_of(found[0]), found[1]
        if not is_line:
            left_out, blocks = from_next_line(blocks)
            begin += left_out - 1
        elif isinstance(source, S3Csv) and not begin:
            line, blocks = first_line(blocks, HEADER_BYTES)
            columns, begin = self._names(source, line), len(line)
        return _Stretch(blocks if end is None else lines_within(blocks, end - begin), begin, etag, columns)

    def _columns(self, source: S3Csv) -> tuple[str, ...]:
        """The names in the first line of an object that is read from further on."""
        found = self._open(source, 0, until=HEADER_BYTES)
        return () if found is None else self._names(source, first_line(blocks_of(found[0]), HEADER_BYTES)[0])

    def _names(self, source: S3Csv, line: bytes) -> tuple[str, ...]:
        try:
            return columns_of(line, source.delimiter) if line else ()
        except RecordMalformed as error:
            where = f"s3://{source.bucket or self.run.bucket}/{source.key}"
            raise RecordMalformed(f"task {self.task.name!r}, {where}: {error}") from None

    def _open(self, source: S3Lines | S3Csv, begin: int, until: int | None = None) -> tuple[Any, str] | None:
        """The object from a byte on and its ETag; None if there is nothing there."""
        bucket = source.bucket or self.run.bucket
        pinned: Any = {"IfMatch": self.record.pin} if self.record.pin else {}
        end = "" if until is None else until - 1
        ranged: Any = {"Range": f"bytes={begin}-{end}"} if begin or until else {}
        try:
            answer = self.services.s3.get_object(Bucket=bucket, Key=source.key, **pinned, **ranged)
        except ClientError as error:
            match error.response["Error"]["Code"]:
                case "InvalidRange" | "416":
                    return None
                case "PreconditionFailed" | "412":
                    raise SourceChanged(
                        f"task {self.task.name!r}: s3://{bucket}/{source.key} has changed while it was expanded; write "
                        "each run's input under a key of its own"
                    ) from error
            raise refused(self.task, source, error) from error
        return answer["Body"], answer["ETag"]


class _Groups:
    """Cuts lines into groups; where one ends depends on its own lines only, not on how they arrive."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._count = self._filled = self._held = 0  # lines that aren't blank, their bytes, all bytes

    def add(self, lines: list[bytes], *, plain: bool) -> Iterator[tuple[int, int]]:
        """Add whole lines, without their ends; yield the groups that are full. Plain ones are none of them blank."""
        at = 0
        lengths = list(map(len, lines)) if plain else []
        while at < len(lengths):
            take = min(self._size - self._count, len(lengths) - at)
            bytes_ = sum(lengths[at : at + take]) + take
            if self._filled + bytes_ > CHUNK_BYTES:
                break
            self._put(take, bytes_, bytes_)
            at += take
            if self._count == self._size:
                yield self.cut()
        for line in lines[at:]:
            yield from self.add_one(len(line) + 1, filled=bool(line.strip()))

    def add_one(self, length: int, *, filled: bool) -> Iterator[tuple[int, int]]:
        """Add one line with so many bytes."""
        if filled and self._count and self._filled + length > CHUNK_BYTES:
            yield self.cut()
        self._put(int(filled), length if filled else 0, length)
        if self._count == self._size:
            yield self.cut()

    def cut(self) -> tuple[int, int]:
        """End the group here."""
        found = self._count, self._held
        self._count = self._filled = self._held = 0
        return found

    def rest(self) -> Iterator[tuple[int, int]]:
        """The last group; blank lines at the end belong to none."""
        if self._count:
            yield self.cut()

    def _put(self, count: int, filled: int, held: int) -> None:
        self._count, self._filled, self._held = self._count + count, self._filled + filled, self._held + held


def groups(blocks: Iterable[bytes], size: int) -> Iterator[tuple[int, int]]:
    """Cut lines into groups of so many that aren't blank: each its number of these, and its bytes, blank lines too.

    A group ends early at CHUNK_BYTES.
    """
    found, tail = _Groups(size), b""
    for block in blocks:
        text = tail + block
        cut = text.rfind(b"\n") + 1
        whole, tail = text[:cut], text[cut:]
        plain = not any(blank in whole for blank in _BLANK) and not whole[:1].isspace()
        yield from found.add(whole.split(b"\n")[:-1], plain=plain)
    if tail.strip():
        yield from found.add_one(len(tail), filled=True)
    yield from found.rest()


def spooled(chunks: Iterable[Packed], run: Run, services: Services) -> Iterator[Packed]:
    """The same chunks by reference: their items are written to S3, some mebibytes at a time."""
    held: list[Packed] = []
    size = 0
    for chunk in chunks:
        held.append(chunk)
        size += sum(map(len, chunk.items))
        if size >= _SPOOL_BYTES:
            yield from _spool(held, run, services)
            held, size = [], 0
    if held:
        yield from _spool(held, run, services)


def _spool(chunks: list[Packed], run: Run, services: Services) -> Iterator[Packed]:
    texts = ["".join(f"{item}\n" for item in chunk.items).encode() for chunk in chunks]
    key = f"runs/{chunks[0].tree(run.id)}/spool/{chunks[0].number:09d}.jsonl"
    etag = services.s3.put_object(Bucket=run.bucket, Key=key, Body=b"".join(texts))["ETag"]
    begin = 0
    for chunk, text in zip(chunks, texts, strict=True):
        lines = Lines(key, etag, begin, begin + len(text))
        begin += len(text)
        yield replace(chunk, items=(), reference=lines)
