"""What work returned, kept in S3 chunk by chunk until the fan-in has read it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from drumbeat.ledger.count import settled_chunks
from drumbeat.ledger.runs import RunRecord
from drumbeat.run import Run

from .services import Services

Results = Mapping[int, Any]
"""By the item's index in its chunk."""


def write(services: Services, run: Run, chunk: int, results: Results, *, bad: bool) -> None:
    """Keep the results of a chunk that is about to be settled; `bad` says that some of its items have failed.

    Of two twins that come to different ends, the ledger accepts one: the name tells which of the objects is its.
    """
    _put(services, run, _key(run.id, chunk, bad=bad), results)


def write_part(services: Services, run: Run, chunk: int, results: Results, *, token: str) -> None:
    """Keep what one pass over a chunk has got so far."""
    _put(services, run, _part_key(run.id, chunk, token), results)


def read_parts(services: Services, run: Run, chunk: int, tokens: Iterable[str]) -> dict[int, Any]:
    """What the accepted passes over a chunk have got."""
    found: dict[int, Any] = {}
    for token in tokens:
        found.update(_get(services, run, _part_key(run.id, chunk, token)))
    return found


def read(services: Services, record: RunRecord) -> Iterator[Any]:
    """All results of a run in the order of items; items whose work returned None have none."""
    run = Run.parse(record.id, bucket=services.settings.bucket)
    for chunk, bad in sorted(settled_chunks(services.table, record.id, record.chunks)):
        found = _get(services, run, _key(run.id, chunk, bad=bad))
        for index in sorted(found):
            yield found[index]


def _put(services: Services, run: Run, key: str, results: Results) -> None:
    body = json.dumps(dict(results), ensure_ascii=False, separators=(",", ":")).encode()
    services.s3.put_object(Bucket=run.bucket, Key=key, Body=body, ContentType="application/json")


def _get(services: Services, run: Run, key: str) -> dict[int, Any]:
    body = services.s3.get_object(Bucket=run.bucket, Key=key)["Body"].read()
    return {int(index): result for index, result in json.loads(body).items()}


def _key(run_id: str, chunk: int, *, bad: bool) -> str:
    return f"runs/{run_id}/results/{chunk:09d}.{'bad' if bad else 'done'}.json"


def _part_key(run_id: str, chunk: int, token: str) -> str:
    return f"runs/{run_id}/parts/{chunk:09d}.{token}.json"
