"""A part of a run's items, which a dispatcher of its own expands."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """What an `expand` with a parameter `part` is told: part `number` (from 0) of `of`, side by side with the others.

    Together the parts yield each of the run's items once: `ids[part.number :: part.of]`, say, or a range of keys.
    """

    number: int = 0
    of: int = 1
