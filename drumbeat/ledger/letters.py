"""Dead letters: the items that were given up, with their payload, their error and their attempts."""

from collections.abc import Iterator
from dataclasses import dataclass

from . import progress
from .count import node_key
from .table import Key, Table
from .tree import Node, chunk_at, leaves

INLINE_BYTES = 300 * 1024  # of DynamoDB's 400 KB; a larger item is left where its chunk is kept in S3
ERROR_CHARACTERS = 1000


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


def write(table: Table, run_id: str, letter: DeadLetter, *, expires_at: int) -> None:
    """Record a dead letter; it counts once its chunk is settled and the pass of its token is accepted."""
    table.put(
        Key(_pk(run_id, letter.chunk), f"{letter.number:012d}#{letter.token}"),
        {**vars(letter), "error": letter.error[:ERROR_CHARACTERS], "expires_at": expires_at},
        "attribute_not_exists(#pk) OR attribute_exists(#pk)",
    )


def read(table: Table, run_id: str, chunks: int) -> Iterator[DeadLetter]:
    """The dead letters of a run that has `chunks` chunks, leaf by leaf, then in the order of chunks and items."""
    for leaf in range(leaves(chunks)):
        bad = (table.get(node_key(run_id, Node(0, leaf))) or {}).get("bad", ())
        for chunk in sorted(chunk_at(leaf, position) for position in bad):
            accepted = progress.read(table, run_id, chunk).passes
            letters = map(DeadLetter.of, table.query(_pk(run_id, chunk)))
            yield from (letter for letter in letters if letter.token in accepted)


def _pk(run_id: str, chunk: int) -> str:
    return f"dead#{run_id}#{chunk}"
