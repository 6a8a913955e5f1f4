"""A stub of SQS and DynamoDB on loopback: it answers what a client expects, keeps nothing, and is no bottleneck.

    with running() as url: ...      in a process of its own, so that its CPU isn't the client's

It reads whole HTTP requests from keep-alive connections and answers from canned bodies, by the operation alone.
"""

import asyncio
import json
import multiprocessing
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TARGET = re.compile(rb"\r\nx-amz-target: *([\w.]+)", re.IGNORECASE)
_ID = re.compile(rb'"Id": ?"([^"]*)"')
_MESSAGE = b"00000000-0000-0000-0000-000000000000"
LEAF = {
    "pk": {"S": "node"},
    "sk": {"S": "node"},
    "done": {"NS": [str(number) for number in range(128)]},
    **{name: {"N": "100"} for name in ("ok", "attempts", "expires_at")},
    **{name: {"N": "0"} for name in ("failed", "dropped")},
}
"""A leaf of the ledger that is half full: what an average settling write returns."""
RUN = {
    **{name: {"S": text} for name, text in (("id", "bench/2026-01-01T00:00:00Z"), ("task", "bench"))},
    **{name: {"S": text} for name, text in (("scheduled_at", "2026-01-01T00:00:00Z"), ("state", "RUNNING"))},
    "items": {"N": "1000000"},
    "sealed": {"BOOL": True},
}


class _Stub(asyncio.Protocol):
    def __init__(self) -> None:
        self._held = b""
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end]
            found = _LENGTH.search(head)
            length = int(found.group(1)) if found else 0
            if b"xpect: 100-continue" in head and len(self._held) < end + 4 + length:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if len(self._held) < end + 4 + length:
                return
            body, self._held = self._held[end + 4 : end + 4 + length], self._held[end + 4 + length :]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        found = _TARGET.search(head)
        operation = found.group(1).rpartition(b".")[2].decode() if found else ""
        text = _batch(body) if operation == "SendMessageBatch" else _CANNED.get(operation, b"{}")
        self._transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: %d\r\n\r\n%s"
            % (len(text), text)
        )


def _batch(body: bytes) -> bytes:
    # ids come in every entry; bodies have none, or theirs are escaped: \"Id\"
    entries = b",".join(b'{"Id":"%s","MessageId":"%s"}' % (id_, _MESSAGE) for id_ in _ID.findall(body))
    return b'{"Successful":[%s],"Failed":[]}' % entries


_CANNED = {
    "SendMessage": b'{"MessageId":"%s"}' % _MESSAGE,
    "UpdateItem": json.dumps({"Attributes": LEAF}).encode(),
    "GetItem": json.dumps({"Item": RUN}).encode(),
    "GetQueueUrl": b'{"QueueUrl":"http://localhost/000000000000/bench"}',
    "CreateQueue": b'{"QueueUrl":"http://localhost/000000000000/bench"}',
    "GetQueueAttributes": b'{"Attributes":{"ApproximateNumberOfMessages":"0"}}',
    "ListQueues": b'{"QueueUrls":[]}',
}


def _serve(pipe: Connection) -> None:
    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(_Stub, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await asyncio.get_running_loop().run_in_executor(None, _wait, pipe)

    asyncio.run(main())


def _wait(pipe: Connection) -> None:
    try:
        pipe.recv()
    except EOFError:  # whoever started us is gone
        return


@contextmanager
def running() -> Iterator[str]:
    """Run the stub beside this process; yields its URL, and ends it."""
    ours, its = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(its,), daemon=True)
    process.start()
    its.close()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        ours.close()
        process.join(timeout=5)
        if process.is_alive():
            process.terminate()


def rate(url: str, *, seconds: float = 0.5) -> float:
    """Requests a second that one bare socket gets answered: what the stub can sustain at least."""
    import socket  # noqa: PLC0415

    host, port = url.removeprefix("http://").split(":")
    request = b"POST / HTTP/1.1\r\nx-amz-target: AmazonSQS.SendMessage\r\ncontent-length: 2\r\n\r\n{}"
    depth, done = 50, 0
    with socket.create_connection((host, int(port))) as connection:
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            connection.sendall(request * depth)
            answered = 0
            while answered < depth:
                answered += connection.recv(1 << 20).count(b"HTTP/1.1 200")
            done += depth
    return done / seconds
