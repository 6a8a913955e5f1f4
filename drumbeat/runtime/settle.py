"""Give up items and settle chunks: what a worker and the keeper both do at a chunk's end."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from drumbeat.chunk import Chunk
from drumbeat.errors import MalformedMessage
from drumbeat.ledger import count, letters
from drumbeat.ledger.count import Settled, Totals
from drumbeat.ledger.letters import INLINE_BYTES, DeadLetter
from drumbeat.ledger.progress import Progress
from drumbeat.ledger.runs import RETENTION
from drumbeat.run import format_time
from drumbeat.signal import Finish

from . import results
from .observability import count as metric
from .observability import logger
from .services import Services


def load_items(chunk: Chunk, services: Services) -> Sequence[Any]:
    """The items of a chunk, from its message or from S3."""
    if chunk.items is not None:
        return chunk.items
    body = services.s3.get_object(Bucket=chunk.run.bucket, Key=str(chunk.key))["Body"].read()
    items = json.loads(body)
    if not isinstance(items, list) or len(items) != chunk.count:
        raise MalformedMessage(f"{chunk.run.id}#{chunk.number}: {chunk.key} doesn't hold its {chunk.count} items")
    return items


def bury(
    chunk: Chunk, services: Services, *, index: int, item: Any, error: BaseException, attempts: int, token: str
) -> None:
    """Record an item as a dead letter; it counts when the pass of this token is accepted and the chunk settled."""
    now = services.now()
    number = chunk.first + index
    text = json.dumps(item, ensure_ascii=False, separators=(",", ":"))
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
    letters.write(services.table, chunk.run.id, letter, expires_at=expiry(now))


def settle(
    chunk: Chunk, state: Progress, services: Services, *, keeps_results: bool, values: Mapping[int, Any] | None = None
) -> Settled:
    """Count a chunk of which nothing is pending; `values` are its results unless the passes have stored them."""
    run, number = chunk.run, chunk.number
    if keeps_results:
        found = results.read_parts(services, run, number, state.parts) if values is None else values
        results.write(services, run, number, found, bad=state.failed > 0)
    totals = Totals(state.ok, state.failed, state.attempts)
    done = count.settle(services.table, run.id, number, totals, expires_at=expiry(services.now()))
    if done.accepted:
        metric("ChunksSettled", task=run.task)
        metric("ItemsSucceeded", totals.succeeded, task=run.task)
        metric("ItemsFailed", totals.failed, task=run.task)
        logger.info("chunk settled", succeeded=totals.succeeded, failed=totals.failed)
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
