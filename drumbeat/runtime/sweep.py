"""End a halted run now: count what isn't settled as dropped, without waiting for its messages.

Of a redrive, the manifest tells what that is: it is again what it was before.
Whatever comes of its chunks later is refused by the ledger, as they are settled.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from drumbeat.chunk import Chunk
from drumbeat.errors import Fenced
from drumbeat.ledger import count, progress
from drumbeat.ledger.count import Totals
from drumbeat.ledger.progress import Progress
from drumbeat.ledger.record import ABANDON, FAILING, LOST, RunRecord
from drumbeat.task import Task

from .load import Loaded
from .observability import logger
from .redriven import of_chunks
from .services import Services
from .settle import drop, settle

Items = Mapping[int, Loaded] | None


def sweep(services: Services, task: Task, record: RunRecord, *, owner: str) -> bool:
    """Settle each unsettled chunk of a sealed, halted run as it stands; whether the run is now complete."""
    table, run = services.table, record.run(services.settings.bucket)
    complete, swept = False, 0
    for part, (tree, chunks) in enumerate(record.rounds[-1].trees):
        settled = {chunk for chunk, _ in count.settled_chunks(table, tree, chunks)}
        unsettled = [chunk for chunk in range(chunks) if chunk not in settled]
        items = of_chunks(services, task, record, unsettled) if record.round else None
        if record.round and items is None and record.halt != LOST:
            return False  # their messages will tell
        left: Iterable[tuple[int, Items]] = dict.fromkeys(unsettled).items() if items is None else items
        for number, known in left:
            of_part = part if record.parts else None
            chunk = Chunk(run, number, 0, len(known or ()), (), round=record.round, part=of_part)
            state = _fence(services, record, chunk, known, token=f"swept.{owner}")
            end = settle(chunk, state, services, keeps_results=record.keeps_results, swept=not state.final)
            complete, swept = complete or end.run_totals is not None, swept + 1
    logger.warning("run swept", run=record.id, chunks=swept)
    return complete or count.totals_of(table, *record.top) is not None


def _fence(services: Services, record: RunRecord, chunk: Chunk, items: Items, *, token: str) -> Progress:
    """The progress of a chunk that no worker will change any more: one that is still at it is refused.

    What isn't done of it is given back, if that is known; what the sweep counts as dropped otherwise is what a worker
    that gets the message later keeps for a redrive.
    """
    table, tree = services.table, chunk.tree
    while True:
        state = progress.read(table, tree, chunk.number)
        if state.final:
            return state
        if items is None:
            after = replace(state, entered=0, doing=None)
        else:
            after = drop(chunk, state, items, services, halt=ABANDON, token=token)
        try:
            return progress.write(table, tree, chunk.number, after, token=token, expires_at=record.expires_at)
        except Fenced:
            continue


def with_rest(record: RunRecord, counted: Totals) -> Totals:
    """What a halted run has counted, with the items of swept chunks, which nobody has counted.

    The ledger doesn't know how many items such a chunk has, only how many all of them have together.
    """
    rest = max(0, record.items - counted.items) if record.halt else 0
    fails = record.halt in FAILING or record.round
    return Totals(
        counted.succeeded,
        counted.failed + (rest if fails else 0),
        counted.attempts,
        counted.dropped + (0 if fails else rest),
        counted.worked_ms,
    )
