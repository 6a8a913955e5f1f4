"""Dead letters: the items that were given up, with their payload, their error and their attempts."""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from . import progress
from .count import settled_chunks
from .record import Round, RunRecord
from .table import ANY, Key, Table

INLINE_BYTES = 300 * 1024  # of DynamoDB's 400 KB; a larger item is left where its chunk is kept in S3


@dataclass(frozen=True)
class DeadLetter:
    """One item that was given up. `item` is its JSON, or empty if it is only in S3 under `key`."""

    number: int
    chunk: int
    item: str
    key: str
    error_type: str
    error: str
    attempts: int
    died_at: str
    token: str = ""

    @classmethod
    def of(cls, record: dict[str, object]) -> "DeadLetter":
        """Read a record."""
        return cls(**{name: record[name] for name in cls.__dataclass_fields__ if name in record})  # type: ignore[arg-type]


def write(table: Table, tree: str, letter: DeadLetter, *, expires_at: int) -> None:
    """Record a dead letter; it counts once its chunk is settled and the pass of its token is accepted."""
    table.put(
        Key(_pk(tree, letter.chunk), f"{letter.number:012d}#{letter.token}"),
        {**vars(letter), "expires_at": expires_at},
        ANY,
    )


Numbers = Callable[[Round], Iterable[int]]
"""Reads the numbers of the items that a redrive does again, in their order; without those that it gave back."""


def read(table: Table, record: RunRecord, *, numbers: Numbers) -> Iterator[DeadLetter]:
    """The dead letters of a run as they stand, in the order of items: of each, what its latest round has said.

    An item that a redrive has done, or is doing, is none.
    """
    streams: list[Iterator[tuple[int, int, DeadLetter | None]]] = []
    for number, found in enumerate(record.rounds):
        if found.manifest:
            streams.append(_done_again(numbers(found), number))
        streams.append(_given_up(_of_round(table, found), number))
    merged = heapq.merge(*streams, key=itemgetter(0))
    for _, group in groupby(merged, key=itemgetter(0)):
        said = list(group)
        latest = max(number for _, number, _ in said)
        for _, number, letter in said:
            if number == latest and letter is not None:
                yield letter


def _done_again(numbers: Iterable[int], round_: int) -> Iterator[tuple[int, int, DeadLetter | None]]:
    return ((number, round_, None) for number in numbers)


def _given_up(letters: Iterable[DeadLetter], round_: int) -> Iterator[tuple[int, int, DeadLetter | None]]:
    return ((letter.number, round_, letter) for letter in letters)


def _of_round(table: Table, found: Round) -> Iterator[DeadLetter]:
    for tree, chunks in found.trees:
        for chunk, _ in settled_chunks(table, tree, chunks, kinds=("bad", "gone")):
            letters = list(map(DeadLetter.of, table.query(_pk(tree, chunk))))
            if letters:
                accepted = progress.read(table, tree, chunk).passes
                yield from (letter for letter in letters if letter.token in accepted)


def _pk(tree: str, chunk: int) -> str:
    return f"dead#{tree}#{chunk}"
