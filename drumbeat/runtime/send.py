"""Send chunks to a queue: ten messages and 1 MiB a call, what SQS refuses again, what is too large through S3."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from drumbeat import limits
from drumbeat.chunk import COMPRESSED_ABOVE, Packed, stored_key, utf8_size
from drumbeat.errors import DrumbeatError
from drumbeat.retry import Backoff
from drumbeat.run import Run

from .services import Services

if TYPE_CHECKING:
    from concurrent.futures import Future

_BACKOFF = Backoff(first_s=0.2, cap_s=20)
_TRIES = 8
_PAUSES = (31, 255)  # chunks
_ALONE, _AT_A_TIME = 8, 4  # calls: threads cost a small run more than they save, and whatever is answered at once
_MUCH = 2  # below, four at a time save little time, and cost a third more CPU
_ODD = 2  # of the last _ALONE calls: the first one makes the client


class SendRefused(DrumbeatError):
    """SQS has refused a message again and again."""


class Message(NamedTuple):
    """A chunk and the body it travels as."""

    chunk: Packed
    body: str
    size: int


def messages(chunks: Iterable[Packed], run: Run, services: Services) -> Iterator[Message]:
    """The message of each chunk; a chunk above SQS's limit is kept in S3 and the message points to it.

    Where compression wasn't worth it, it is tried again only some chunks later, the later the more often it wasn't:
    neighbours are alike, and it takes as long as all the rest.
    """
    shortest, longest = _PAUSES
    pause, next_pause = 0, shortest
    for chunk in chunks:
        body = chunk.plain(run.id)
        size = utf8_size(body)
        if size > COMPRESSED_ABOVE and (not pause or size > limits.SQS_MESSAGE_BYTES):
            short = chunk.shorter(run.id, body)
            pause, next_pause = (0, shortest) if short else (next_pause, min(longest, 2 * next_pause + 1))
            body = short or body
            size = utf8_size(body)
        elif pause:
            pause -= 1
        if size > limits.SQS_MESSAGE_BYTES:
            key = stored_key(chunk.tree(run.id), chunk.number)
            services.s3.put_object(Bucket=run.bucket, Key=key, Body=chunk.stored().encode())
            body = chunk.pointer(run.id, key)
            size = utf8_size(body)
        yield Message(chunk, body, size)


def batches(found: Iterable[Message]) -> Iterator[list[Message]]:
    """Group messages into the entries of one SendMessageBatch call: ten and 1 MiB at most, in order."""
    held: list[Message] = []
    size = 0
    for message in found:
        if held and (len(held) == limits.SQS_BATCH_ENTRIES or size + message.size > limits.SQS_MESSAGE_BYTES):
            yield held
            held, size = [], 0
        held.append(message)
        size += message.size
    if held:
        yield held


def sent(found: Iterator[list[Message]], *, queue_url: str, services: Services) -> Iterator[list[Message]]:
    """Send batches, some at the same time; yields each, in order, when it and all before it are sent.

    One call follows the other until calls are seen to wait for their answers, mostly: only then do threads save more
    than they cost.  What can't be sent raises in its turn; what `found` raises, when all before it are sent.
    """
    step = partial(send, queue_url=queue_url, services=services)
    waits: deque[bool] = deque(maxlen=_ALONE)
    for batch in found:
        waits.append(_waits(step, batch))
        yield batch
        if len(waits) == _ALONE and sum(waits) >= _ALONE - _ODD:
            break
    first = next(found, None)
    if first is None:
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  (only for large runs: it costs init time)

    with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="send") as pool:
        yield from _side_by_side(chain((first,), found), partial(pool.submit, step))


def _waits(step: Callable[[list[Message]], None], batch: list[Message]) -> bool:
    """Take a step; whether it has waited much longer than it has computed."""
    began, computed = time.monotonic(), time.thread_time()
    step(batch)
    computed = time.thread_time() - computed
    return time.monotonic() - began - computed > _MUCH * computed


def _side_by_side(
    found: Iterator[list[Message]], begin: "Callable[[list[Message]], Future[None]]"
) -> Iterator[list[Message]]:
    flying: deque[tuple[list[Message], Future[None]]] = deque()

    def landed(at_most: int) -> Iterator[list[Message]]:
        """Those that are sent, in order, until only so many are under way."""
        while len(flying) > at_most:
            batch, sending = flying.popleft()
            sending.result()
            yield batch

    while True:
        try:
            batch = next(found, None)
        except Exception:
            yield from landed(0)
            raise
        if batch is None:
            break
        flying.append((batch, begin(batch)))
        yield from landed(_AT_A_TIME - 1)
    yield from landed(0)


def send(batch: list[Message], *, queue_url: str, services: Services) -> None:
    """Send one batch, refused entries again with backoff; raises SendRefused when it is in vain."""
    entries = {str(number): message.body for number, message in enumerate(batch)}
    for attempt in range(1, _TRIES + 1):
        answer = services.sqs.send_message_batch(
            QueueUrl=queue_url, Entries=[{"Id": id_, "MessageBody": body} for id_, body in entries.items()]
        )
        refused = {failure["Id"]: failure for failure in answer.get("Failed", [])}
        entries = {id_: entries[id_] for id_ in refused}
        if not entries:
            return
        for failure in refused.values():
            if failure["SenderFault"]:
                raise SendRefused(f"SQS refuses a chunk: {failure['Code']}")
        services.sleep(_BACKOFF.delay_s(attempt, draw=services.draw()))
    raise SendRefused(f"SQS refused {len(entries)} messages {_TRIES} times")
