"""End a halted run now: count what isn't settled as dropped, without waiting for its messages.

Whatever comes of its chunks later is refused by the ledger, as they are settled.
"""

from dataclasses import replace

from drumbeat.chunk import Chunk
from drumbeat.errors import Fenced
from drumbeat.ledger import count, progress
from drumbeat.ledger.count import Totals
from drumbeat.ledger.progress import Progress
from drumbeat.ledger.record import FAILING, RunRecord

from .observability import logger
from .services import Services
from .settle import settle


def sweep(services: Services, record: RunRecord, *, owner: str) -> bool:
    """Settle each unsettled chunk of a sealed, halted run as it stands; whether the run is now complete."""
    table, run = services.table, record.run(services.settings.bucket)
    settled = {chunk for chunk, _ in count.settled_chunks(table, record.tree, record.chunks)}
    unsettled = [chunk for chunk in range(record.chunks) if chunk not in settled]
    complete = False
    for chunk in unsettled:
        bare = Chunk(run, chunk, 0, 0, (), round=record.round)
        state = _fence(services, record, chunk, token=f"swept.{owner}")
        end = settle(bare, state, services, keeps_results=record.keeps_results, swept=not state.final)
        complete = complete or end.run_totals is not None
    logger.warning("run swept", run=record.id, chunks=len(unsettled))
    return complete or count.totals_of(table, record.tree, record.chunks) is not None


def _fence(services: Services, record: RunRecord, chunk: int, *, token: str) -> Progress:
    """The progress of a chunk that no worker will change any more: one that is still at it is refused.

    So what the sweep counts as dropped is what a worker that gets the message later keeps for a redrive.
    """
    while True:
        state = progress.read(services.table, record.tree, chunk)
        if state.final:
            return state
        still = replace(state, entered=0, doing=None)
        try:
            return progress.write(services.table, record.tree, chunk, still, token=token, expires_at=record.expires_at)
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
    )
