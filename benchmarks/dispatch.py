"""How many items a second a core hands out, in how many calls: drumbeat against boto3 loops and Celery.

    python benchmarks/dispatch.py            needs benchmarks/requirements.txt; `make bench` installs them
    python benchmarks/dispatch.py --quick

All send to a stub of SQS on loopback, in a process of its own; what is measured is the client's CPU.  drumbeat runs its
whole expansion: it encodes, packs, sends through its own client and moves its cursor in a table in memory.

What SQS bills is counted with receives and deletes, as Lambda makes them for a function that takes ten messages at a
time (drumbeat chooses that for chunks that are done in half a second, and five messages for chunks of a second):
each call is billed for each 64 KiB of what it carries.  Celery receives ten at a time at best, and deletes one by one.
"""

# ruff: noqa: PLC0415  a contestant's process imports what it measures, and no more

import json
import os
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from measure import Figures, bars, cpu, keep, machine, median, one, options, table, take_turns
from stub import rate, running

from benchmarks import sample

UNIT = 64 * 1024


def drumbeat(url: str, count: int) -> Figures:
    """The items in the messages, 100 in each."""
    return _expanded(url, sample.bench, count)


def drumbeat_thousands(url: str, count: int) -> Figures:
    """The items in the messages, 1,000 in each."""
    return _expanded(url, sample.thousands, count)


def drumbeat_reference(url: str, count: int, chunk: int = 100) -> Figures:
    """Messages that say where their items are: a range of numbers."""
    from drumbeat import Range, Task

    task = Task("bench", chunk_size=chunk, item_s=0.001)
    task.expand(Range(0, count))
    task.work(sample.work)
    return _expanded(url, task, count)


def drumbeat_reference_thousands(url: str, count: int) -> Figures:
    """The same, 1,000 in each."""
    return drumbeat_reference(url, count, chunk=1000)


def _expanded(url: str, task: Any, count: int) -> Figures:
    from benchmarks.accounting import START, Context, Counting
    from drumbeat.run import Run
    from drumbeat.runtime.dispatch import Dispatcher
    from drumbeat.runtime.services import Services, Settings
    from drumbeat.signal import Fire

    os.environ["AWS_ENDPOINT_URL"] = url
    client = Services(Settings()).sqs

    class Sending(Counting):
        """Counts, and sends as a deployed dispatcher does."""

        @property
        def sqs(self) -> Any:
            return self

        def send_message_batch(self, **call: Any) -> Any:
            self._send(**call)
            return client.send_message_batch(**call)

    client.send_message(QueueUrl=f"{url}/000000000000/bench", MessageBody="warm")
    services = Sending(Settings(task=task.name, bucket="bucket", queue_url=f"{url}/000000000000/bench"))
    run = Run(task.name, START, params={"items": count})
    dispatcher = Dispatcher(task, services)  # type: ignore[arg-type]
    seconds = cpu(lambda: dispatcher(Fire(run).event(), Context()))
    for call in services.invoked:  # the dispatchers of its parts: here they come one after the other
        event = json.loads(call["Payload"])
        if "part" in event:
            seconds += cpu(lambda event=event: dispatcher(event, Context()))  # type: ignore[misc]
    received = _received(services.messages, services.sent_bytes // services.messages, task.batch_size)
    return {
        "seconds": seconds,
        "items": count,
        "calls": services.calls["SendMessageBatch"],
        "billed": services.sqs_units + received,
    }


def _received(messages: int, size: int, at_once: int = 10) -> int:
    """What SQS bills for receiving messages of this size, so many at once, and for deleting them."""
    calls = -(-messages // at_once)
    return calls * -(-size * min(at_once, messages) // UNIT) + calls


def naive(url: str, count: int) -> Figures:
    """A loop of SendMessage, an item in each."""
    client = _client(url)

    def send(found: list[str]) -> int:
        for body in found:
            client.send_message(QueueUrl=f"{url}/000000000000/bench", MessageBody=body)
        return len(found)

    return _sent(send, count, received=_received(count, sample.SIZE))


def tens(url: str, count: int) -> Figures:
    """SendMessageBatch, an item in each of ten messages."""
    client = _client(url)

    def send(found: list[str]) -> int:
        calls = 0
        bodies = iter(found)
        while ten := list(islice(bodies, 10)):
            entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(ten)]
            client.send_message_batch(QueueUrl=f"{url}/000000000000/bench", Entries=entries)
            calls += 1
        return calls

    return _sent(send, count, received=_received(count, sample.SIZE))


def packed(url: str, count: int) -> Figures:
    """By hand: 100 items in each of ten messages, packed with json.dumps."""
    client = _client(url)
    found = sample.items(count)
    calls = 0

    def bodies() -> Iterator[str]:
        while hundred := list(islice(found, 100)):
            yield json.dumps(hundred, separators=(",", ":"))

    def run() -> None:
        nonlocal calls
        texts = bodies()
        while ten := list(islice(texts, 10)):
            entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(ten)]
            client.send_message_batch(QueueUrl=f"{url}/000000000000/bench", Entries=entries)
            calls += 1

    client.send_message(QueueUrl=f"{url}/000000000000/bench", MessageBody="warm")
    seconds = cpu(run)
    messages = -(-count // 100)
    sent = -(-10 * 100 * sample.SIZE // UNIT) * calls
    received = _received(messages, 100 * sample.SIZE)
    return {"seconds": seconds, "items": count, "calls": calls, "billed": sent + received}


def celery_delay(url: str, count: int) -> Figures:
    """Celery's `delay`, an item in each task."""
    task = _celery(url)

    def send(found: list[str]) -> int:
        for body in found:
            task.delay(body)
        return len(found)

    return _sent(send, count, received=-(-count // 10) + count)


def celery_chunks(url: str, count: int) -> Figures:
    """Celery's `chunks(100)`: a task of 100 items."""
    task = _celery(url)

    def send(found: list[str]) -> int:
        task.chunks(((body,) for body in found), 100).apply_async()
        return -(-len(found) // 100)

    messages = -(-count // 100)
    return _sent(send, count, received=-(-messages // 10) + messages)


def _sent(send: Callable[[list[str]], int], count: int, *, received: int) -> Figures:
    """Send so many items, made within the time, after a warm-up."""
    send([json.dumps(item) for item in sample.items(10)])
    calls = 0

    def run() -> None:
        nonlocal calls
        calls = send([json.dumps(item, separators=(",", ":")) for item in sample.items(count)])

    seconds = cpu(run)
    return {"seconds": seconds, "items": count, "calls": calls, "billed": calls + received}


def _client(url: str) -> Any:
    import boto3

    return boto3.client("sqs", endpoint_url=url)


def _celery(url: str) -> Any:
    from celery import Celery

    app = Celery("bench", broker=f"sqs://bench:bench@{url.removeprefix('http://')}")
    queue = {"url": f"{url}/000000000000/celery", "access_key_id": "bench", "secret_access_key": "bench"}
    app.conf.update(
        broker_transport_options={"region": "us-east-1", "is_secure": False, "predefined_queues": {"celery": queue}},
        task_ignore_result=True,
        broker_connection_retry_on_startup=False,
    )
    return app.task(_nothing, name="bench.nothing")


def _nothing(item: str) -> None:
    del item


CONTESTANTS = {
    function.__name__: function
    for function in (
        *(naive, tens, packed, celery_delay, celery_chunks),
        *(drumbeat, drumbeat_thousands, drumbeat_reference, drumbeat_reference_thousands),
    )
}
COUNTS = {
    "naive": 3_000,
    "celery_delay": 1_500,
    "tens": 20_000,
    "celery_chunks": 50_000,
    "drumbeat_reference": 10**6,
    "drumbeat_reference_thousands": 10**7,
}
NAMES = {
    "naive": "boto3, SendMessage in a loop",
    "tens": "boto3, batches of ten",
    "packed": "boto3, 100 packed by hand",
    "celery_delay": "Celery, delay",
    "celery_chunks": "Celery, chunks(100)",
    "drumbeat": "drumbeat, 100 a chunk",
    "drumbeat_thousands": "drumbeat, 1,000 a chunk",
    "drumbeat_reference": "drumbeat, by reference, 100",
    "drumbeat_reference_thousands": "drumbeat, by reference, 1,000",
}


def main() -> None:
    """All contestants in turns, a table, a picture."""
    given = options(__doc__)
    with running() as url:
        sustained = rate(url)
        counts = {name: 200 if given.quick else COUNTS.get(name, 100_000) for name in CONTESTANTS}
        arguments = {name: {"url": url, "count": count} for name, count in counts.items()}
        found = take_turns(__file__, arguments, rounds=given.rounds)
    rows, drawn = [], []
    base = _rate(found["tens"])
    for name, turns in found.items():
        wrong = next((figures["error"] for figures in turns if "error" in figures), "")
        if wrong:
            rows.append((NAMES[name], wrong[:60], "", "", "", ""))
            continue
        here, scale = _rate(turns), 1e6 / turns[0]["items"]
        calls, billed = turns[0]["calls"] * scale, turns[0]["billed"] * scale
        rows.append(
            (NAMES[name], f"{here:,.0f}", f"{here / base:.2f}", f"{1e6 / here:,.2f}", f"{calls:,.0f}", f"{billed:,.0f}")
        )
        drawn.append((NAMES[name], here, "ours" if name.startswith("drumbeat") else "theirs"))
    heads = (
        "",
        "items a second and core",
        "to batches of ten",
        "us an item",
        "sends a million",
        "SQS requests a million",
    )
    where = {**machine("boto3", "celery", "kombu", "pycurl"), "stub": f"{sustained:,.0f} requests/s at least"}
    text = table(where, heads, rows)
    picture = bars("Items handed out a second, by one core", f"{sample.SIZE} bytes an item; client CPU only", drawn)
    keep(given, "dispatch", {"machine": where, "measures": found}, text, picture)


def _rate(turns: list[Figures]) -> float:
    seconds = median(turns, "seconds")
    return turns[0]["items"] / seconds if seconds else float("nan")


if __name__ == "__main__" and not one(CONTESTANTS):
    main()
