"""How a run's items are packed: how many chunks, of what size, sent in how many calls, billed as how many requests.

A pure model of `drumbeat.chunk`, `runtime.referenced` and `runtime.send` for items of one size: frames and limits are
taken from the code that packs, and no item is made.  Its time grows with the digits of the numbers, not with the items.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, islice, pairwise, repeat

from drumbeat import limits
from drumbeat.chunk import COMPRESSED_ABOVE, WORTH, Packed
from drumbeat.packer import ROWS, pack
from drumbeat.packing import NOTHING, Learned, chunk_size_of
from drumbeat.reference import Lines, Numbers, Reference
from drumbeat.run import Run, parse_time
from drumbeat.source import Range, S3Csv, S3Lines, is_lined
from drumbeat.task import Task

from .division import shares
from .units import SQS_UNIT, units

INLINE, NUMBERS, LINES, SPOOLED = "inline", "numbers", "lines", "spooled"
LINES_BYTES, SPOOL_BYTES = 4 * 1024 * 1024, 8 * 1024 * 1024
"""As in `drumbeat.runtime.referenced`, which a plan may not import; a test says that they agree."""
PART_ITEMS = 1_000_000_000  # as in `drumbeat.ledger.parts`
_SAMPLE = parse_time("2026-01-01T00:00:00Z")
_ETAG = '"' + "0" * 32 + '"'


@dataclass(frozen=True)
class Packing:
    """A run's chunks: `per_chunk` items each, but for the last one.

    way: whether messages hold their items (inline), or say where they are: a range of NUMBERS, LINES of the source, or
    lines that the dispatcher has SPOOLED to S3.
    message_bytes: of the largest message; sent_bytes: of all of them.
    calls: of SendMessageBatch; sent_units, received_units: what SQS bills for sending, and for receiving one by one.
    compressed: whether messages are.
    stored: chunks kept in S3 because no message holds them; spools: objects that spooling writes.
    closed_by: the limit at which a chunk is full.
    spread, part_calls: of a run that is expanded in parts, the chunks and the calls of each; empty for any other.
    """

    way: str
    items: int
    item_bytes: int
    per_chunk: int
    chunks: int
    message_bytes: int
    sent_bytes: int
    calls: int
    sent_units: int
    received_units: int
    compressed: bool = False
    stored: int = 0
    spools: int = 0
    closed_by: str = ""
    spread: tuple[int, ...] = ()
    part_calls: tuple[int, ...] = ()

    @property
    def worker_reads(self) -> bool:
        """Whether a worker reads a chunk's items from S3."""
        return self.way in (LINES, SPOOLED) or self.stored > 0


@dataclass(frozen=True)
class _Stretch:
    """Neighbouring messages of one size."""

    messages: int
    size: int


def pack_run(
    task: Task,
    *,
    items: int,
    item_bytes: int | None = None,
    field_bytes: int = 0,
    compresses_to: float = 1,
    given: bool = False,
    learned: Learned = NOTHING,
) -> Packing:
    """The packing of a run of so many items of `item_bytes` of JSON each; given: whether they were given by hand.

    learned: what the task's runs before it have shown.

    field_bytes: how many of them name fields, quotes and colons included, if all items have the same; a message has
    these names once.
    compresses_to: the share of a message's length that is left when it is compressed; 1 for items that can't be.
    Without `item_bytes`, the numbers of a Range are as long as they are on average, and other items 200 bytes.
    """
    size = item_bytes if item_bytes is not None else _usual_bytes(task)
    way, found = _way(task, given=given), shares(task, items=items, item_bytes=size, given=given)
    chunk_size = chunk_size_of(task, learned)
    if len(found) < 2:  # noqa: PLR2004
        return _packed(_Bodies(task, way, items, chunk_size, size, field_bytes, compresses_to))
    before = accumulate(found, initial=0)
    bodies = [
        _Bodies(task, way, share, chunk_size, size, field_bytes, compresses_to, part, base)
        for part, (share, base) in enumerate(zip(found, before, strict=False))
    ]
    return _sum_of([_packed(body) for body in bodies])


def _sum_of(parts: list[Packing]) -> Packing:
    """The packing of a run from those of its parts."""
    names = ("items", "chunks", "sent_bytes", "calls", "sent_units", "received_units", "stored", "spools")
    sums = {name: sum(getattr(part, name) for part in parts) for name in names}
    return replace(
        max(parts, key=lambda part: part.message_bytes),
        spread=tuple(part.chunks for part in parts),
        part_calls=tuple(part.calls for part in parts),
        **sums,
    )


def _packed(bodies: "_Bodies") -> Packing:
    items, size = bodies.items, bodies.size
    per_chunk, chunks = bodies.per_chunk, bodies.chunks
    found = [_Stretch(end - first, bodies.length(first)) for first, end in pairwise(bodies.breaks())]
    stored = sum(end - first for first, end in pairwise(bodies.breaks()) if bodies.is_stored(first))
    calls, sent = _calls(found)
    a_spool = -(-SPOOL_BYTES // max(1, per_chunk * size))
    return Packing(
        way=bodies.way,
        items=items,
        item_bytes=size,
        per_chunk=per_chunk,
        chunks=chunks,
        message_bytes=max((stretch.size for stretch in found), default=0),
        sent_bytes=sum(stretch.messages * stretch.size for stretch in found),
        calls=calls,
        sent_units=sent,
        received_units=sum(stretch.messages * units(stretch.size, SQS_UNIT) for stretch in found),
        compressed=bool(chunks) and bodies.way == INLINE and bodies.inline(0) < bodies.plain(0),
        stored=stored,
        spools=-(-chunks // a_spool) if bodies.way == SPOOLED else 0,
        closed_by=bodies.closed_by,
    )


def _way(task: Task, *, given: bool) -> str:
    if task.by_reference is not False:
        if given or is_lined(task.source):
            return LINES
        if isinstance(task.source, Range):
            return NUMBERS
    return SPOOLED if task.by_reference else INLINE


def _usual_bytes(task: Task) -> int:
    source = task.source
    if isinstance(source, Range) and source.stop > source.start:
        return len(str((source.start + source.stop) // 2))
    return 200


@dataclass(frozen=True)
class _Bodies:
    """The messages of a run, or of one of its parts, as long as the code that packs makes them.

    base: how many items of the run come before the part's.
    """

    task: Task
    way: str
    items: int
    chunk_size: int
    size: int
    field_bytes: int
    compresses_to: float
    part: int | None = None
    base: int = 0

    @property
    def first(self) -> int:
        """The number of the first item."""
        return self.base if self.part is None or self.way == NUMBERS else self.part * PART_ITEMS

    @cached_property
    def per_chunk(self) -> int:
        """How many items a full chunk has."""
        if self.way == NUMBERS:
            return self.chunk_size
        if self.way == LINES:
            return min(self.chunk_size, max(1, LINES_BYTES // (self.size + 1)))
        sample = islice(repeat("0" * self.size), self.chunk_size + 1)
        return next(pack(sample, size=self.chunk_size, max_bytes=self.task.chunk_bytes)).count

    @property
    def closed_by(self) -> str:
        """The limit that a full chunk has come to."""
        if self.per_chunk == self.chunk_size:
            return f"chunk_size={self.chunk_size}"
        return f"{LINES_BYTES:,} bytes of lines" if self.way == LINES else f"chunk_bytes={self.task.chunk_bytes:,}"

    @property
    def chunks(self) -> int:
        """How many chunks the run has."""
        return -(-self.items // self.per_chunk)

    def length(self, number: int) -> int:
        """How long a chunk's message is."""
        chunk = self._chunk(number)
        if self.way != INLINE:
            return len(replace(chunk, reference=self._reference(chunk)).body(self._run_id).encode())
        if self.is_stored(number):
            return len(chunk.pointer(self._run_id, f"runs/{self._run_id}/chunks/{number}.json"))
        return self.inline(number)

    def is_stored(self, number: int) -> bool:
        """Whether a chunk is too large for a message, so that this one only points to S3."""
        return self.way == INLINE and self.inline(number) > limits.SQS_MESSAGE_BYTES

    def inline(self, number: int) -> int:
        """How long a message with all its items is."""
        plain = self.plain(number)
        short = round(plain * self.compresses_to)
        if plain > limits.SQS_MESSAGE_BYTES:
            return min(plain, short)
        return short if plain > COMPRESSED_ABOVE and self.compresses_to <= WORTH else plain

    def plain(self, number: int) -> int:
        """How long it is without compression."""
        chunk = self._chunk(number)
        fields = self.field_bytes if chunk.count >= ROWS else 0
        frame = replace(chunk, count=0, fields="." * (fields + 1) if fields else "")
        return len(frame.plain(self._run_id)) + chunk.count * (self.size - fields + 1) - 1

    def breaks(self) -> list[int]:
        """The chunks at which messages may get longer: where a number in them gets another digit; first, last, end."""
        if not self.chunks:
            return []
        source, each = self.task.source, self.per_chunk * (self.size + 1)
        at_first = self.base * (self.size + 1) if self.way == LINES else 0
        said = [(at_first, each), (at_first + each, each)] if self.way in (LINES, SPOOLED) else []
        if self.way == NUMBERS and isinstance(source, Range):
            said = [(source.start + self.base * source.step, source.step * self.per_chunk)]
        found = {0, self.chunks - 1, self.chunks}
        for offset, slope in [(0, 1), (self.first, self.per_chunk), *said]:
            at = 10
            while (number := -(-(at - offset) // slope)) < self.chunks:
                found.add(max(0, number))
                at *= 10
        return sorted(found)

    def _chunk(self, number: int) -> Packed:
        done = number * self.per_chunk
        return Packed(number, self.first + done, (), count=min(self.per_chunk, self.items - done), part=self.part)

    def _reference(self, chunk: Packed) -> Reference:
        source = self.task.source
        if self.way == NUMBERS and isinstance(source, Range):
            return Numbers(source.start + chunk.first * source.step, source.step)
        begin = (self.base + chunk.first - self.first) * (self.size + 1)
        end = begin + chunk.count * (self.size + 1)
        if self.way == LINES and isinstance(source, S3Lines | S3Csv):
            return Lines(source.key.format(run=Run.parse(self._run_id)), _ETAG, begin, end, source.bucket)
        return Lines(f"runs/{self._run_id}/spool/000000000.jsonl", _ETAG, begin, end)

    @property
    def _run_id(self) -> str:
        return Run(self.task.name, _SAMPLE).id


def _calls(stretches: list[_Stretch]) -> tuple[int, int]:
    """Calls of ten messages and 1 MiB at most, and what SQS bills for them."""
    calls = billed = 0
    for messages, size in _batches(stretches):
        calls, billed = calls + messages, billed + messages * units(size, SQS_UNIT)
    return calls, billed


def _batches(stretches: list[_Stretch]) -> Iterator[tuple[int, int]]:
    """How many calls have how many bytes."""
    held = held_bytes = 0
    for stretch in stretches:
        left, size = stretch.messages, stretch.size
        most = min(limits.SQS_BATCH_ENTRIES, limits.SQS_MESSAGE_BYTES // size)
        while left:
            if held and (held == limits.SQS_BATCH_ENTRIES or held_bytes + size > limits.SQS_MESSAGE_BYTES):
                yield 1, held_bytes
                held = held_bytes = 0
            if not held and left > most:
                yield (left - 1) // most, most * size
                left -= (left - 1) // most * most
            held, held_bytes, left = held + 1, held_bytes + size, left - 1
    if held:
        yield 1, held_bytes
