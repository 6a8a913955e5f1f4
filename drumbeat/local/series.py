"""Time series of bounded size: only what happens takes a column, and if that is too much, columns widen by doubling."""

from collections.abc import Iterator
from dataclasses import dataclass, field

COLUMNS = 1_024
FINEST_NS = 50_000_000


@dataclass(slots=True)
class Column:
    """What happened in a span: how often by kind, the highest and the last value of each kind."""

    counts: dict[str, int] = field(default_factory=dict)
    highest: dict[str, int] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)

    def absorb(self, later: "Column") -> None:
        for kind, count in later.counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + count
        for kind, value in later.highest.items():
            self.highest[kind] = max(value, self.highest.get(kind, 0))
        self.last.update(later.last)


class Series:
    """Columns by number from a starting time; more than are allowed make all of them wider.

    A day in which little happens keeps its columns as fine as a minute in which much does.
    """

    def __init__(self, start_ns: int) -> None:
        self._start_ns = start_ns
        self.width_ns = FINEST_NS
        self._columns: dict[int, Column] = {}

    def count(self, ns: int, kind: str) -> None:
        column = self._at(ns)
        column.counts[kind] = column.counts.get(kind, 0) + 1

    def level(self, ns: int, kind: str, value: int) -> None:
        column = self._at(ns)
        if value > column.highest.get(kind, -1):
            column.highest[kind] = value
        column.last[kind] = value

    def _at(self, ns: int) -> Column:
        found = self._columns.get((ns - self._start_ns) // self.width_ns)
        while found is None:
            if len(self._columns) < COLUMNS:
                found = self._columns[(ns - self._start_ns) // self.width_ns] = Column()
            else:
                self._halve()
                found = self._columns.get((ns - self._start_ns) // self.width_ns)
        return found

    def _halve(self) -> None:
        self.width_ns *= 2
        old, self._columns = self._columns, {}
        for number in sorted(old):
            self._columns.setdefault(number // 2, Column()).absorb(old[number])

    def __iter__(self) -> Iterator[tuple[int, Column]]:
        """The columns in which something happened, with the time at which each begins."""
        for number in sorted(self._columns):
            yield self._start_ns + number * self.width_ns, self._columns[number]

    def __len__(self) -> int:
        return len(self._columns)
