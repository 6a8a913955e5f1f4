"""The parts of a run that several dispatchers expand side by side: a record each, held and moved on like a run's own.

Which parts there are is fixed in the run's record before any of them begins.  Each numbers its chunks by itself and is
counted in a tree of its own; a part that is full counts as one child of the run's tree.  The run is sealed when all of
its parts are: whoever seals one looks at the others afterwards, so the last one sees it.
"""

import json
from dataclasses import replace
from typing import Any

from drumbeat.run import Run

from .record import RUNNING, RunRecord, key_of, part_key, run_key
from .table import Table

ITEMS = 1_000_000_000
"""Items of part p are numbered from p times this, where the source doesn't tell how many come before."""


def begin(table: Table, record: RunRecord) -> None:
    """Write the records of a divided run's parts, unless they are there."""
    plan = json.loads(record.plan)
    for part, (span, first) in enumerate(zip(plan["spans"], plan["firsts"], strict=True)):
        fresh = replace(
            record,
            part=part,
            first=first,
            span=json.dumps(span),
            pin=plan["pin"],
            parts=0,
            plan="",
            owner="",
            epoch=0,
            tries=0,
            takeovers=0,
        )
        table.put(key_of(fresh), vars(fresh))


def plan(spans: list[Any], *, firsts: list[int] | None = None, pin: str = "") -> str:
    """Write down how a run is divided: the spans of its parts, the number of the first item of each, the source's ETag.

    Without `firsts`, which only some sources know, there is room for ITEMS items in each part.
    """
    return json.dumps({"spans": spans, "firsts": firsts or [ITEMS * part for part in range(len(spans))], "pin": pin})


def of_run(table: Table, record: RunRecord) -> list[RunRecord]:
    """The parts of a run that have a record, in their order."""
    pk = part_key(record.id, 0).pk
    return [RunRecord.of(item) for item in table.query(pk)] if record.parts else []


def seal(table: Table, record: RunRecord) -> RunRecord | None:
    """Seal a run if all its parts are sealed, else None; a repeat changes nothing."""
    found = of_run(table, record)
    if len(found) < record.parts or not all(part.sealed for part in found):
        return None
    item, _ = table.update(
        run_key(Run.parse(record.id)),
        "SET #sealed = :true, #tries = :zero, #chunks = :chunks, #items = :items, #messages = :messages, "
        "#spread = :spread, #reason = :reason, #plan = :none",
        "#state = :running AND #parts = :parts AND #sealed = :false AND #round = :first",
        true=True,
        false=False,
        zero=0,
        first=0,
        none="",
        running=RUNNING,
        parts=record.parts,
        reason=record.reason or next((part.reason for part in found if part.reason), ""),
        **_sums(found),
    )
    return RunRecord.of(item)


def so_far(table: Table, record: RunRecord) -> RunRecord:
    """The record of a run with what its parts have come to, if it is being expanded in parts."""
    if not record.parts or record.sealed:
        return record
    return replace(record, **_sums(of_run(table, record)))


def _sums(found: list[RunRecord]) -> dict[str, Any]:
    return {
        "chunks": sum(part.chunks for part in found),
        "items": sum(part.items for part in found),
        "messages": sum(part.messages for part in found),
        "spread": json.dumps([part.chunks for part in found]),
    }
