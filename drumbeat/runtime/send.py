"""Send chunks to a queue: ten messages and 1 MiB a call, what SQS refuses again, what is too large through S3."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from drumbeat import limits
from drumbeat.chunk import Packed, stored_key, utf8_size
from drumbeat.errors import DrumbeatError
from drumbeat.retry import Backoff
from drumbeat.run import Run

from .services import Services

_BACKOFF = Backoff(first_s=0.2, cap_s=20)
_TRIES = 8


class SendRefused(DrumbeatError):
    """SQS has refused a message again and again."""


class Message(NamedTuple):
    """A chunk and the body it travels as."""

    chunk: Packed
    body: str
    size: int


def messages(chunks: Iterable[Packed], run: Run, services: Services) -> Iterator[Message]:
    """The message of each chunk; a chunk above SQS's limit is kept in S3 and the message points to it."""
    for chunk in chunks:
        body = chunk.body(run.id)
        size = utf8_size(body)
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
