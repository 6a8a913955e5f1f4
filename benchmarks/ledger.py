"""What counting a million chunks costs: requests, write units, the hottest key, with a thousand workers.

    python benchmarks/ledger.py            a million chunks, then the same with every fiftieth delivered twice
    python benchmarks/ledger.py --quick

`drumbeat.ledger.count` runs unchanged over a table in memory that counts.  A thousand workers hold a chunk each and
settle in an order that is drawn; after each step of the clock any of them may be next.
"""

import random
import time
from collections.abc import Iterator

from measure import Figures, bars, keep, machine, one, options, table, turn

from benchmarks.accounting import MemoryTable
from drumbeat.ledger import count
from drumbeat.ledger.count import Totals
from drumbeat.plan.bill import bill

WORKERS = 1000
RUN = "bench/2026-01-01T00:00:00Z"
SHAPES = {"100 items a chunk": 100, "1,000 items a chunk": 1000}


def settle(chunks: int, again: int) -> Figures:
    """Seal a run and settle all its chunks; each `again`th is delivered twice."""
    memory = MemoryTable()
    began = time.process_time()
    count.seal(memory, RUN, chunks, expires_at=1)  # type: ignore[arg-type]
    ends = 0
    for number, chunk in enumerate(_order(chunks)):
        for _ in range(2 if again and number % again == 0 else 1):
            done = count.settle(memory, RUN, chunk, Totals(succeeded=100, attempts=100), expires_at=1)  # type: ignore[arg-type]
            ends += done.accepted and done.run_totals is not None
    seconds = time.process_time() - began
    totals = count.totals_of(memory, RUN, chunks)  # type: ignore[arg-type]
    return {
        "chunks": chunks,
        "exact": totals == Totals(succeeded=100 * chunks, attempts=100 * chunks) and ends == 1,
        "writes": memory.calls["UpdateItem"],
        "reads": memory.calls["GetItem"],
        "write_units": memory.write_units,
        "keys": len(memory.writes),
        "hottest": max(memory.writes.values()),
        "largest_bytes": memory.largest,
        "us_per_settle": seconds / chunks * 1e6,
    }


def _order(chunks: int) -> Iterator[int]:
    """Chunks in the order in which a thousand workers settle what they took in turn."""
    draw = random.Random(11)
    held = list(range(min(WORKERS, chunks)))
    for following in range(len(held), chunks + len(held)):
        at = draw.randrange(len(held))
        yield held[at]
        if following < chunks:
            held[at] = following
        else:
            held[at] = held[-1]
            held.pop()


CONTESTANTS = {"settle": settle}


def main() -> None:
    """Both, a table, a picture."""
    given = options(__doc__)
    chunks = 2000 if given.quick else 1_000_000
    found = {
        "each once": turn(__file__, "settle", {"chunks": chunks, "again": 0}),
        "2 % twice": turn(__file__, "settle", {"chunks": chunks, "again": 50}),
    }
    rows = []
    for name, figures in found.items():
        if "error" in figures:
            raise SystemExit(f"{name}: {figures['error']}")
        rows.append(
            (
                f"{chunks:,} chunks, {name}",
                "exact" if figures["exact"] else "WRONG",
                f"{figures['writes']:,}",
                f"{figures['write_units'] / chunks:.4f}",
                f"{figures['hottest']:,} of {figures['keys']:,} keys",
                f"{figures['largest_bytes']:,}",
                f"{figures['us_per_settle']:.1f}",
            )
        )
    heads = (
        "",
        "count",
        "writes",
        "units a chunk",
        "writes to the hottest key",
        "largest record",
        "us a chunk, simulated",
    )
    text = table(machine(), heads, rows)
    per_million = {name: 1e6 / size * found["each once"]["write_units"] / chunks for name, size in SHAPES.items()}
    for name, units in per_million.items():
        text += (
            f"\na million items, {name}: {units:,.0f} write units, ${bill({'dynamodb_write_units': units}).dollars:.5f}"
        )
    picture = bars(
        "Write units for a million items",
        "counted exactly; Powertools' idempotency and a counter by their documentation",
        [
            *((f"drumbeat, {name}", units, "ours") for name, units in per_million.items()),
            ("a counter for each item", 1e6, "theirs"),
            ("Powertools, an item at a time", 2e6, "theirs"),
        ],
    )
    keep(given, "ledger", {"machine": machine(), "measures": found}, text, picture)


if __name__ == "__main__" and not one(CONTESTANTS):
    main()
