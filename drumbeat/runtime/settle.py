"""Give up items and settle chunks: what a worker and the keeper both do at a chunk's end."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from drumbeat.chunk import Chunk
from drumbeat.errors import DeadlineExceeded, MalformedMessage, RunHalted
from drumbeat.ledger import count, letters
from drumbeat.ledger.count import Settled, Totals
from drumbeat.ledger.letters import INLINE_BYTES, DeadLetter
from drumbeat.ledger.progress import Progress
from drumbeat.ledger.record import DEADLINE, FAILING, RETENTION
from drumbeat.run import format_time
from drumbeat.signal import Finish

from . import results
from .lines import Unreadable, read_reference
from .observability import count as metric
from .observability import logger
from .services import Services


def load_items(chunk: Chunk, services: Services) -> dict[int, tuple[int, Any]]:
    """The items of a chunk, from its message or from S3: by their index in it, each with its number in the run."""
    found = chunk.items if chunk.reference is None else read_reference(chunk, services)
    if found is None:
        body = services.s3.get_object(Bucket=chunk.run.bucket, Key=str(chunk.key))["Body"].read()
        found = json.loads(body)
    if not isinstance(found, list | tuple) or len(found) != chunk.count:
        raise MalformedMessage(f"{chunk.run.id}#{chunk.number}: its {chunk.count} items aren't where they should be")
    if not chunk.round:
        return {index: (chunk.first + index, item) for index, item in enumerate(found)}
    if any(isinstance(item, Unreadable) for item in found):
        return {index: (chunk.first + index, item) for index, item in enumerate(found)}
    try:
        return {index: (int(line["n"]), line["item"]) for index, line in enumerate(found)}
    except (KeyError, TypeError, ValueError):
        raise MalformedMessage(f"{chunk.tree}#{chunk.number}: an item of a redrive has a number") from None


def bury(
    chunk: Chunk, services: Services, *, item: tuple[int, Any], error: BaseException, attempts: int, token: str
) -> None:
    """Record an item as a dead letter; it counts when the pass of this token is accepted and the chunk settled."""
    now = services.now()
    number, payload = item
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    key = ""
    if len(text.encode()) > INLINE_BYTES:
        key, body, text = f"runs/{chunk.run.id}/dead/{number:012d}.json", text.encode(), ""
        services.s3.put_object(Bucket=chunk.run.bucket, Key=key, Body=body)
    letter = DeadLetter(
        number=number,
        chunk=chunk.number,
        item=text,
        key=key,
        error_type=type(error).__name__,
        error=str(error),
        attempts=attempts,
        died_at=format_time(now),
        token=token,
    )
    letters.write(services.table, chunk.tree, letter, expires_at=expiry(now))


def drop(
    chunk: Chunk, state: Progress, items: Mapping[int, tuple[int, Any]], services: Services, *, halt: str, token: str
) -> Progress:
    """The progress of a chunk of a halted run, of which nothing more is to be done.

    Items that weren't done are counted as dropped, and kept for a redrive; or as failed, when the deadline has come,
    the run was lost, or in a redrive, where they stay the dead letters that they were.
    """
    pending = state.left(chunk.count)
    if halt in FAILING or chunk.round:
        error = DeadlineExceeded() if halt == DEADLINE else RunHalted()
        for index, attempts in pending.items():
            bury(chunk, services, item=items[index], error=error, attempts=attempts, token=token)
        after = replace(state, failed=state.failed + len(pending), passes=(*state.passes, token))
    else:
        lines = (json.dumps({"n": items[index][0], "item": items[index][1]}, ensure_ascii=False) for index in pending)
        key = f"runs/{chunk.tree}/dropped/{chunk.number:09d}.jsonl"
        services.s3.put_object(Bucket=chunk.run.bucket, Key=key, Body="\n".join(lines).encode())
        after = replace(state, dropped=state.dropped + len(pending))
    logger.info("chunk dropped", items=len(pending), halt=halt)
    return replace(after, pending={}, due={}, entered=0, doing=None, final=True)


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
    totals = Totals(state.ok, state.failed, state.attempts, state.dropped)
    kind = "gone" if swept else totals.kind
    if keeps_results:
        found = results.read_parts(services, chunk, state.parts) if values is None else values
        results.write(services, chunk, found, kind=kind)
    done = count.settle(services.table, chunk.tree, chunk.number, totals, expires_at=expiry(services.now()), kind=kind)
    if done.accepted:
        metric("ChunksSettled", task=chunk.run.task)
        metric("ItemsSucceeded", totals.succeeded, task=chunk.run.task)
        metric("ItemsFailed", totals.failed, task=chunk.run.task)
        if totals.dropped:
            metric("ItemsDropped", totals.dropped, task=chunk.run.task)
        logger.info("chunk settled", succeeded=totals.succeeded, failed=totals.failed, dropped=totals.dropped)
    return done


def reject(body: str, message_id: str, problem: MalformedMessage, services: Services) -> None:
    """Put aside a message that isn't a chunk, where it can be looked at, and say so."""
    key = f"runs/{services.settings.task or 'keeper'}/malformed/{message_id}"
    services.s3.put_object(Bucket=services.settings.bucket, Key=key, Body=body.encode())
    metric("MalformedMessages")
    logger.error("malformed message", problem=str(problem), kept_in=f"s3://{services.settings.bucket}/{key}")


def finish_event(chunk: Chunk) -> dict[str, Any]:
    """What to tell the dispatcher when a chunk was the last of its run."""
    return Finish(chunk.run).event()


def expiry(now: datetime) -> int:
    """When DynamoDB may forget what is written now (seconds since the epoch)."""
    return int((now + RETENTION).timestamp())
