"""Whether ten million items are as ordinary as a thousand: requests an item, memory, time.

    python benchmarks/growth.py            10^3 to 10^7 items, the items in the messages and by reference
    python benchmarks/growth.py --quick    10^3 and 10^4

The real dispatcher opens, expands, packs, sends and seals, over services that only count; a run that is large enough is
divided, and its parts are expanded one after the other here.  Requests an item and memory must be flat, time linear.
"""

import json
import resource
import sys
from datetime import UTC, datetime

from measure import Figures, cpu, keep, lines, machine, one, options, table, turn

from benchmarks import sample
from benchmarks.accounting import START, Context, Counting
from drumbeat import Range, Task
from drumbeat.run import Run
from drumbeat.runtime.dispatch import Dispatcher
from drumbeat.runtime.services import Settings
from drumbeat.signal import Fire

WAYS = ("inline", "reference")


def dispatch(way: str, count: int) -> Figures:
    """Dispatch one run and count."""
    if way == "inline":
        task = sample.bench
    else:
        task = Task("bench", chunk_size=100)
        task.expand(Range(0, count))
        task.work(sample.work)
    services = Counting(Settings(task="bench", bucket="bucket", queue_url="queue", dispatcher="bench"))
    before = _resident_kib()
    run = Run("bench", START, params={"items": count})
    each = [cpu(lambda: Dispatcher(task, services)(Fire(run).event(), Context()))]  # type: ignore[arg-type]
    for call in services.invoked:
        event = json.loads(call["Payload"])
        if "part" in event:
            each.append(cpu(lambda event=event: Dispatcher(task, services)(event, Context())))  # type: ignore[misc]
    record = next(item for key, item in services.table.items.items() if key.sk.startswith("run#"))
    assert (record["items"], record["sealed"], services.messages) == (count, True, record["chunks"]), record
    calls = sum(services.calls.values()) + sum(services.table.calls.values())
    return {
        "items": count,
        "seconds": sum(each),
        "dispatchers": len(each),
        "slowest_s": max(each),
        "requests": calls,
        "sends": services.calls["SendMessageBatch"],
        "sqs_units": services.sqs_units,
        "sent_bytes": services.sent_bytes,
        "resident_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "grown_mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
    }


def _resident_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


CONTESTANTS = {"dispatch": dispatch}


def main() -> None:
    """All sizes, both ways, a table, a picture."""
    given = options(__doc__)
    sizes = [10**power for power in (range(3, 5) if given.quick else range(3, 8))]
    found: dict[str, list[Figures]] = {}
    rows = []
    for way in WAYS:
        for size in sizes:
            figures = turn(__file__, "dispatch", {"way": way, "count": size})
            if "error" in figures:
                raise SystemExit(f"{way}, {size:,} items: {figures['error']}")
            found.setdefault(way, []).append(figures)
            print(f"{way} {size:,}", file=sys.stderr)
            rows.append(
                (
                    f"{way}, {size:,} items",
                    f"{figures['requests'] / size * 1e6:,.0f}",
                    f"{figures['sqs_units'] / size * 1e6:,.0f}",
                    f"{figures['resident_mib']:.1f}",
                    f"{figures['dispatchers']}",
                    f"{figures['seconds']:.3f}",
                    f"{figures['slowest_s']:.3f}",
                    f"{figures['seconds'] / size * 1e6:.3f}",
                )
            )
    heads = ("", "requests a million items", "SQS units", "MiB", "dispatchers", "CPU s", "the slowest", "us an item")
    where = machine()
    text = table(where, heads, rows)
    curves = {
        f"{measure}, {way}": [(figures["items"], figures[name]) for figures in found[way]]
        for way in WAYS
        for measure, name in (("CPU s", "seconds"), ("MiB", "resident_mib"))
    }
    said = f"{sample.SIZE} bytes an item, 100 a chunk, {datetime.now(UTC):%Y-%m-%d}"
    picture = lines("Time and memory by the number of items", said, curves)
    keep(given, "growth", {"machine": where, "measures": found}, text, picture)


if __name__ == "__main__" and not one(CONTESTANTS):
    main()
