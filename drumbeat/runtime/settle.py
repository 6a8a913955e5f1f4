"""Give up items and settle chunks: what a worker and the keeper both do at a chunk's end."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from drumbeat.chunk import Chunk
from drumbeat.errors import DeadlineExceeded, MalformedMessage, RunHalted
from drumbeat.ledger import count, manifest, progress
from drumbeat.ledger.count import Settled, Totals
from drumbeat.ledger.progress import Progress
from drumbeat.ledger.record import DEADLINE, FAILING, RETENTION
from drumbeat.run import format_time
from drumbeat.untrusted import said, write_json

from . import results
from .lines import Unreadable
from .load import Loaded
from .observability import count as metric
from .observability import logger, settled
from .services import Services


def bury(chunk: Chunk, services: Services, *, item: Loaded, error: BaseException, attempts: int, token: str) -> None:
    """Record an item as a dead letter; it counts when the pass of this token is accepted and the chunk settled."""
    from drumbeat.ledger import letters  # noqa: PLC0415  (only where an item fails: it costs init time)

    now = services.now()
    number = item.number
    text = write_json(item.item)
    error = item.item.why if isinstance(item.item, Unreadable) else error
    key = ""
    if len(text.encode()) > letters.INLINE_BYTES:
        key, body, text = f"runs/{chunk.run.id}/dead/{number:012d}.json", text.encode(), ""
        services.s3.put_object(Bucket=chunk.run.bucket, Key=key, Body=body)
    letter = letters.DeadLetter(
        number=number,
        chunk=chunk.number,
        item=text,
        key=key,
        error_type=type(error).__name__,
        error=said(error),
        attempts=attempts,
        died_at=format_time(now),
        token=token,
    )
    letters.write(services.table, chunk.tree, letter, expires_at=expiry(now))


def left_of_swept(services: Services, chunk: Chunk) -> Progress | None:
    """The progress of a chunk that was swept, all of it counted as dropped; None if nothing of it is left to keep."""
    state = progress.read(services.table, chunk.tree, chunk.number)
    is_left = not state.final and count.kind_of(services.table, chunk.tree, chunk.number) == "gone"
    return state if is_left else None


def drop(
    chunk: Chunk, state: Progress, items: Mapping[int, Loaded], services: Services, *, halt: str, token: str
) -> Progress:
    """The progress of a chunk of a halted run, of which nothing more is to be done.

    Items that weren't done are counted as dropped, and kept for a redrive; or as failed, when the deadline has come or
    the run was lost.  In a redrive they are again what they were.
    """
    pending = state.left(chunk.count)
    is_unknown = chunk.round and any(isinstance(item.item, Unreadable) for item in items.values())
    if halt in FAILING or is_unknown:
        error = DeadlineExceeded() if halt == DEADLINE else RunHalted()
        for index, attempts in pending.items():
            bury(chunk, services, item=items[index], error=error, attempts=attempts, token=token)
        after = replace(state, failed=state.failed + len(pending), passes=(*state.passes, token))
    elif chunk.round:
        after = _give_back(chunk, state, [items[index] for index in pending], services, token=token)
    else:
        lines = (manifest.line(items[index].number, items[index].item, was_dropped=True) for index in pending)
        key = f"runs/{chunk.tree}/dropped/{chunk.number:09d}.jsonl"
        services.s3.put_object(Bucket=chunk.run.bucket, Key=key, Body="\n".join(lines).encode())
        after = replace(state, dropped=state.dropped + len(pending))
    logger.info("chunk dropped", items=len(pending), halt=halt)
    return replace(after, pending={}, due={}, entered=0, doing=None, final=True)


def _give_back(chunk: Chunk, state: Progress, items: Sequence[Loaded], services: Services, *, token: str) -> Progress:
    """Let the items that a halted redrive hasn't done be what they were before it: failed, or dropped.

    Which they are is kept under the token of the pass: of two that come to different ends, the ledger accepts one.
    """
    body = json.dumps([item.number for item in items]).encode()
    services.s3.put_object(Bucket=chunk.run.bucket, Key=manifest.back_key(chunk.tree, chunk.number, token), Body=body)
    dropped = sum(item.was_dropped for item in items)
    return replace(
        state,
        failed=state.failed + len(items) - dropped,
        dropped=state.dropped + dropped,
        passes=(*state.passes, token),
        gave_back=True,
    )


def settle(
    chunk: Chunk,
    state: Progress,
    services: Services,
    *,
    keeps_results: bool,
    values: Mapping[int, Any] | None = None,
    swept: bool = False,
) -> Settled:
    """Count a chunk of which nothing more is to be done.

    values: its results, unless the passes have stored them; swept: whether there may be items that nobody counts.
    """
    totals = Totals(state.ok, state.failed, state.attempts, state.dropped, state.worked_ms)
    kind = "gone" if swept or state.gave_back else totals.kind
    expires_at = expiry(services.now())
    if keeps_results:
        found = results.read_parts(services, chunk, state.parts) if values is None else values
        results.write(services, chunk, found, kind=kind, expires_at=expires_at)
    done = count.settle(services.table, chunk.tree, chunk.number, totals, expires_at=expires_at, kind=kind)
    if done.accepted:
        metric("ChunksSettled", task=chunk.run.task)
        if totals.succeeded:  # a metric of zeros is billed like any other
            metric("ItemsSucceeded", totals.succeeded, task=chunk.run.task)
        if totals.failed:
            metric("ItemsFailed", totals.failed, task=chunk.run.task)
        if totals.dropped:
            metric("ItemsDropped", totals.dropped, task=chunk.run.task)
        settled(chunk, totals)
    return done


def reject(body: str, message_id: str, problem: MalformedMessage, services: Services) -> None:
    """Put aside a message that isn't a chunk, where it can be looked at, and say so."""
    key = f"runs/{services.settings.task or 'keeper'}/malformed/{message_id}"
    services.s3.put_object(Bucket=services.settings.bucket, Key=key, Body=body.encode(errors="backslashreplace"))
    metric("MalformedMessages")
    logger.error("malformed message", problem=str(problem), kept_in=f"s3://{services.settings.bucket}/{key}")


def finish_event(chunk: Chunk) -> dict[str, Any]:
    """What to tell the dispatcher when a chunk was the last of its run."""
    from drumbeat.signal import Finish  # noqa: PLC0415  (only at the end of a run: it costs init time)

    return Finish(chunk.run).event()


def expiry(now: datetime) -> int:
    """When DynamoDB may forget what is written now (seconds since the epoch)."""
    return int((now + RETENTION).timestamp())
