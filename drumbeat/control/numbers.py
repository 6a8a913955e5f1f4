"""Numbers of items as people write them: 3,7,10-20."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .errors import InvalidFilter

_PART = re.compile(r"(\d{1,12})(?:-(\d{1,12}))?")


@dataclass(frozen=True)
class Numbers:
    """Whole numbers, from 0, in ranges with both ends included."""

    ranges: tuple[tuple[int, int], ...]

    @classmethod
    def parse(cls, text: str) -> "Numbers":
        """Read `3,7,10-20`."""
        ranges = []
        for part in text.replace(" ", "").split(","):
            match = _PART.fullmatch(part)
            if match is None:
                raise InvalidFilter(f"items {text!r}: {part!r} is no number and no range; write it like 3,7,10-20")
            low, high = int(match[1]), int(match[2] or match[1])
            if high < low:
                raise InvalidFilter(f"items {text!r}: {part!r} ends before it begins; write {high}-{low}")
            ranges.append((low, high))
        return cls(tuple(ranges))

    @property
    def named(self) -> Iterator[int]:
        """The numbers that were named one by one."""
        return (low for low, high in self.ranges if low == high)

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and any(low <= number <= high for low, high in self.ranges)
