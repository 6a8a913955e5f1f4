"""What an item costs a worker beyond the user's function: drumbeat against Powertools' batch and idempotency.

    python benchmarks/work.py            needs benchmarks/requirements.txt; `make bench` installs them
    python benchmarks/work.py --quick

Each contestant answers the same kind of SQS events with a function that does nothing; DynamoDB is a stub on loopback,
in a process of its own.  What is measured is the worker's CPU, an item.  drumbeat counts each item exactly, once,
whatever is delivered twice; Powertools does so only with its idempotency; the others don't.
"""

# ruff: noqa: PLC0415  a contestant's process imports what it measures, and no more

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measure import Figures, bars, cpu, keep, machine, median, one, options, table, take_turns
from stub import running

from benchmarks import sample
from benchmarks.accounting import Context

RUN = "bench/2026-01-01T00:00:00Z"


def bare(url: str, invocations: int) -> Figures:
    """A loop over a hundred messages of an item each."""
    del url

    def handler(event: Any, context: Any) -> Any:
        del context
        for record in event["Records"]:
            sample.work(json.loads(record["body"]), None)  # type: ignore[arg-type]
        return {"batchItemFailures": []}

    return _answered(handler, _single(), invocations, 100)


def bare_packed(url: str, invocations: int) -> Figures:
    """A loop over one message of a hundred items."""
    del url

    def handler(event: Any, context: Any) -> Any:
        del context
        for record in event["Records"]:
            for item in json.loads(record["body"]):
                sample.work(item, None)  # type: ignore[arg-type]
        return {"batchItemFailures": []}

    return _answered(handler, _event([json.dumps(list(sample.items(100)))]), invocations, 100)


def powertools(url: str, invocations: int) -> Figures:
    """Powertools' BatchProcessor over a hundred messages of an item each."""
    del url
    from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

    processor = BatchProcessor(EventType.SQS)

    def record_handler(record: Any) -> None:
        sample.work(record.json_body, None)  # type: ignore[arg-type]

    def handler(event: Any, context: Any) -> Any:
        return process_partial_response(event, record_handler, processor, context)

    return _answered(handler, _single(), invocations, 100)


def idempotency(url: str, invocations: int) -> Figures:
    """The same with Powertools' idempotency on DynamoDB, an item a key."""
    import boto3
    from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
    from aws_lambda_powertools.utilities.idempotency import (
        DynamoDBPersistenceLayer,
        IdempotencyConfig,
        idempotent_function,
    )

    client = boto3.client("dynamodb", endpoint_url=url)
    store = DynamoDBPersistenceLayer("table", boto3_client=client)
    config = IdempotencyConfig(event_key_jmespath="id")
    processor = BatchProcessor(EventType.SQS)

    @idempotent_function(data_keyword_argument="item", persistence_store=store, config=config)
    def once(item: Any) -> None:
        sample.work(item, None)  # type: ignore[arg-type]

    def record_handler(record: Any) -> None:
        once(item=record.json_body)

    def handler(event: Any, context: Any) -> Any:
        config.register_lambda_context(context)
        return process_partial_response(event, record_handler, processor, context)

    return _answered(handler, _single(), max(1, invocations // 20), 100)


def drumbeat(url: str, invocations: int) -> Figures:
    """A worker of drumbeat's, a chunk of a hundred in each invocation."""
    return _drumbeat(url, invocations, sample.bench)


def drumbeat_thousands(url: str, invocations: int) -> Figures:
    """A worker of drumbeat's, a chunk of a thousand in each invocation."""
    return _drumbeat(url, max(1, invocations // 5), sample.thousands)


def drumbeat_reference(url: str, invocations: int) -> Figures:
    """A worker of drumbeat's, a range of a thousand numbers in each invocation."""
    from drumbeat.chunk import Packed
    from drumbeat.reference import Numbers

    body = Packed(7, 7000, (), reference=Numbers(7000), count=1000).body(RUN)
    return _drumbeat(url, max(1, invocations // 5), sample.numbers, body, 1000)


def _drumbeat(url: str, invocations: int, task: Any, body: str = "", size: int = 0) -> Figures:
    from drumbeat.packer import Packer
    from drumbeat.runtime.observability import observed
    from drumbeat.runtime.services import Services, Settings
    from drumbeat.runtime.take import Worker

    run, size = f"{task.name}/2026-01-01T00:00:00Z", size or task.chunk_size
    if not body:
        packer = Packer(size=size, max_bytes=task.chunk_bytes, number=7, first=7 * size)
        body = next(chunk.body(run) for item in sample.items(size) for chunk in packer.add(item))
    body = body.replace(RUN, run)
    os.environ["AWS_ENDPOINT_URL"] = url
    services = Services(Settings(task=task.name, bucket="bucket", table="table"))
    handler = observed(Worker(task, services), tracing=False)
    return _answered(handler, _event([body]), invocations, size)


def _single() -> Any:
    return _event([json.dumps(item) for item in sample.items(100)])


def _event(bodies: list[str]) -> Any:
    """What SQS hands to a function."""
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": "1767225600000", "SenderId": "bench"}
    rest = {
        "receiptHandle": "r" * 100,
        "attributes": {**attributes, "ApproximateFirstReceiveTimestamp": "1767225600001"},
        "messageAttributes": {},
        "md5OfBody": "0" * 32,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:bench",
        "awsRegion": "us-east-1",
    }
    return {"Records": [{"messageId": f"id-{n}", "body": body, **rest} for n, body in enumerate(bodies)]}


def _answered(handler: Callable[[Any, Any], Any], event: Any, invocations: int, items: int) -> Figures:
    context = Context()
    with Path(os.devnull).open("w") as nowhere:
        _silence(nowhere)
        answer = handler(event, context)
        assert not answer["batchItemFailures"], answer

        def run() -> None:
            for _ in range(invocations):
                handler(event, context)

        seconds = cpu(run)
    return {"seconds": seconds, "items": invocations * items, "us_per_item": seconds / invocations / items * 1e6}


def _silence(nowhere: Any) -> None:
    """Write what Lambda would log to nowhere, at no smaller cost for the writer."""
    import logging
    import sys

    sys.stdout = nowhere
    for name in (None, *logging.root.manager.loggerDict):
        for handler in logging.getLogger(name).handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(nowhere)


CONTESTANTS = {
    function.__name__: function
    for function in (bare, bare_packed, powertools, idempotency, drumbeat, drumbeat_thousands, drumbeat_reference)
}
NAMES = {
    "bare": "a bare loop, a message an item",
    "bare_packed": "a bare loop, 100 in a message",
    "powertools": "Powertools batch",
    "idempotency": "Powertools batch, idempotency",
    "drumbeat": "drumbeat, 100 a chunk",
    "drumbeat_thousands": "drumbeat, 1,000 a chunk",
    "drumbeat_reference": "drumbeat, 1,000 numbers by reference",
}


def main() -> None:
    """All contestants in turns, a table, a picture."""
    given = options(__doc__)
    with running() as url:
        arguments = {name: {"url": url, "invocations": 2 if given.quick else 400} for name in CONTESTANTS}
        found = take_turns(__file__, arguments, rounds=given.rounds)
    rows, drawn = [], []
    base = median(found["bare"], "us_per_item") or 1
    for name, turns in found.items():
        here = median(turns, "us_per_item")
        if here is None:
            rows.append((NAMES[name], turns[0]["error"][:60], "", ""))
            continue
        own = here - (median(found["bare_packed"], "us_per_item") or 0)
        told = f"{own:.2f}" if name.startswith("drumbeat") else ""
        rows.append((NAMES[name], f"{here:.2f}", f"{here / base:.2f}", told))
        drawn.append((NAMES[name], here, "ours" if name.startswith("drumbeat") else "theirs"))
    where = machine("boto3", "aws-lambda-powertools")
    heads = ("", "us an item", "to a bare loop", "above a bare loop over 100 in a message")
    text = table(where, heads, rows)
    picture = bars("CPU microseconds an item, beyond the user's function", f"{sample.SIZE} bytes an item", drawn)
    keep(given, "work", {"machine": where, "measures": found}, text, picture)


if __name__ == "__main__" and not one(CONTESTANTS):
    main()
