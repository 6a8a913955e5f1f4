"""A part of a run's items, which a dispatcher of its own expands."""

from dataclasses import dataclass
from itertools import pairwise

MOST = 64
"""So many dispatchers at a time, where the task doesn't say."""
PART_BYTES = 64 * 1024 * 1024
"""What one dispatcher reads of an object or a table in some seconds."""
PART_NUMBERS = 1_000_000
"""What it expands of a range in some seconds, by the calls that send its chunks."""


@dataclass(frozen=True)
class Part:
    """What an `expand` with a parameter `part` is told: part `number` (from 0) of `of`, side by side with the others.

    Together the parts yield each of the run's items once: `ids[part.number :: part.of]`, say, or a range of keys.
    """

    number: int = 0
    of: int = 1


def number_of_parts(size: int, each: int, declared: int | None) -> int:
    """How many parts: as the task declares, or as many as are worth it; never more than there is to divide."""
    return min(size, declared if declared is not None else min(MOST, -(-size // each)))


def cut(size: int, count: int) -> list[list[int]]:
    """So many neighbouring stretches, as long as each other: where each begins, and where it ends."""
    edges = [size * number // count for number in range(count + 1)] if count else []
    return [[begin, end] for begin, end in pairwise(edges)]
