"""What a run that has ended must be found to have done, reckoned from what its items are and what the witness saw."""

import json
from collections.abc import Sequence
from dataclasses import replace

from drumbeat.errors import RunRefused
from drumbeat.ledger import count
from drumbeat.ledger.record import RunRecord
from drumbeat.runtime.sweep import with_rest
from drumbeat.testing import RunView
from tests.faults import witness
from tests.faults.scenes import Stage

OWN_ERRORS = {"broken": "RuntimeError", "hopeless": "Dead", "killer": "WorkerDied"}
"""By the beginning of its name, with what an item fails that fails by itself."""
DIED = "the dispatcher died "
AGAIN_AND_AGAIN = ("complete ", DIED, "items failed; ", "messages with ")
"""Why a run that nobody halted may fail: what goes wrong often enough is given up, and says so."""


def reckon(stage: Stage, record: RunRecord, items: Sequence[str]) -> list[str]:
    """Check a run of these items; returns the errors of items that failed though there is nothing wrong with them."""
    view = stage.cloud.show(record.id)
    _recount(stage, record)
    undone = _can_be_done_again(stage, record)
    untried = {item for item in items[: view.all_items] if not witness.attempts_of(record.id, item)}
    untried -= {letter.item for letter in view.dead_letters}
    assert len(untried) <= record.dropped, f"{record.id}: neither tried nor given up: {sorted(untried)}"
    counted_done = {item for number, item in enumerate(items[: view.all_items]) if number not in undone}
    assert counted_done <= witness.done_of(record.id), f"{record.id}: counted as done: {sorted(counted_done)}"
    assert record.succeeded <= len(witness.done_of(record.id)), record
    if record.state == "SUCCEEDED":
        failed = {letter.item for letter in view.dead_letters}
        published = json.loads(stage.cloud.published(record)["all.json"])
        assert [item.upper() for item in items if item not in failed] == published, record
    elif record.state == "FAILED" and not record.halt:
        assert any(words in record.reason for words in AGAIN_AND_AGAIN), record
    if not record.halt and DIED not in record.reason:
        assert len(items) == view.all_items, record
    return _blameless(view, record)


def _recount(stage: Stage, record: RunRecord) -> None:
    """All chunks were settled when the run ended, and what came later is in no count."""
    trees = record.rounds[-1].trees
    for tree, chunks in trees:
        settled = {chunk for chunk, _ in count.settled_chunks(stage.table, tree, chunks)}
        assert set(range(chunks)) <= settled, f"{tree} has ended without some of its {chunks} chunks: {settled}"
    if record.started_at:
        sent = record.again_failed + record.again_dropped if record.round else record.items
        rest = with_rest(replace(record, items=sent), count.counted(stage.table, trees))
        counted = record.with_redrive(rest)
        assert counted == record.totals, f"{record.id} ended with {record.totals}; now there are {counted}"


def _can_be_done_again(stage: Stage, record: RunRecord) -> set[int]:
    """The numbers of what wasn't done: all of it is there for a redrive."""
    if not record.failed + record.dropped:
        return set()
    try:
        found = stage.control.redrive(record.id, dry_run=True)
        failed, dropped, awaited = found.failed, found.dropped, found.awaited_chunks
    except RunRefused as refused:
        found, failed, dropped, awaited = None, 0, 0, str(refused).count("still to come")
    assert not awaited, f"{record.id}: {awaited} chunks are in nobody's hands"
    assert record.failed == failed, f"{record.id} has {record.failed} failed items; {failed} can be done again"
    assert record.dropped == dropped, f"{record.id} has dropped {record.dropped} items; {dropped} can be done again"
    return set(found.numbers) if found is not None else set()


def _blameless(view: RunView, record: RunRecord) -> list[str]:
    """What fails by itself has failed with its own error; the errors of the others, which something must have done."""
    others = []
    for letter in view.dead_letters:
        own = next((error for name, error in OWN_ERRORS.items() if name in letter.item.lower()), "")
        if letter.error_type != own:
            others.append(letter.error_type)
    halted = {"DeadlineExceeded", "RunHalted"} if any(found.halt for found in record.rounds) else set()
    assert set(others) <= {"WorkerDied"} | halted, f"{record.id}: {view.dead_letters}"
    return [error for error in others if error not in halted]
