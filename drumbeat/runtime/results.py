"""What work returned, kept in S3 chunk by chunk until the fan-in has read it."""

import heapq
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from drumbeat.chunk import Chunk
from drumbeat.ledger.count import settled_chunks
from drumbeat.ledger.record import Round, RunRecord
from drumbeat.untrusted import write_json

from .services import Services

_ALONE, _AT_A_TIME, _WINDOW = 4, 10, 40  # botocore's pool has ten connections
Results = Mapping[int, Any]
"""By the item's number in its run."""


def write(services: Services, chunk: Chunk, results: Results, *, kind: str) -> None:
    """Keep the results of a chunk that is about to be settled as one of this kind.

    Of two twins that come to different ends, the ledger accepts one: the name tells which of the objects is its.
    """
    _put(services, chunk, _key(chunk.tree, chunk.number, kind), results)


def write_part(services: Services, chunk: Chunk, results: Results, *, token: str) -> None:
    """Keep what one pass over a chunk has got so far."""
    _put(services, chunk, _part_key(chunk, token), results)


def read_parts(services: Services, chunk: Chunk, tokens: Iterable[str]) -> dict[int, Any]:
    """What the accepted passes over a chunk have got."""
    found: dict[int, Any] = {}
    for token in tokens:
        found.update(_get(services, chunk.run.bucket, _part_key(chunk, token)))
    return found


def read(services: Services, record: RunRecord) -> Iterator[Any]:
    """All results of a run in the order of items, those of its redrives among them; None is no result.

    Of an item that a redrive has done although it had a result, which nobody had counted, the latest one.
    """
    rounds = (_of_round(services, found) for found in record.rounds)
    for _, found in groupby(heapq.merge(*rounds, key=itemgetter(0)), key=itemgetter(0)):
        *_, (_, result) = found
        yield result


def of_leaf(services: Services, tree: str, chunks: int, leaf: int) -> Iterator[Any]:
    """The results of the chunks that one leaf of a counting tree of so many chunks holds."""
    for _, result in _of_chunks(services, tree, settled_chunks(services.table, tree, chunks, only=leaf)):
        yield result


def bodies(services: Services, keys: Iterable[str]) -> Iterator[bytes]:
    """The objects under these keys in the app's bucket, in their order, several fetched at a time."""
    bucket, keys = services.settings.bucket, iter(keys)

    def fetch(key: str) -> bytes:
        return services.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    first = list(islice(keys, _ALONE))
    yield from map(fetch, first)
    if len(first) < _ALONE:
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  (only for large runs: it costs init time)

    with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="results") as pool:
        while window := list(islice(keys, _WINDOW)):
            yield from pool.map(fetch, window)


def _of_round(services: Services, found: Round) -> Iterator[tuple[int, Any]]:
    for tree, chunks in found.trees:
        yield from _of_chunks(services, tree, settled_chunks(services.table, tree, chunks))


def _of_chunks(services: Services, tree: str, chunks: Iterable[tuple[int, str]]) -> Iterator[tuple[int, Any]]:
    for body in bodies(services, (_key(tree, chunk, kind) for chunk, kind in chunks)):
        kept = {int(number): result for number, result in json.loads(body).items()}
        yield from sorted(kept.items(), key=itemgetter(0))


def _put(services: Services, chunk: Chunk, key: str, results: Results) -> None:
    body = write_json(dict(results)).encode()
    services.s3.put_object(Bucket=chunk.run.bucket, Key=key, Body=body, ContentType="application/json")


def _get(services: Services, bucket: str, key: str) -> dict[int, Any]:
    body = services.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return {int(number): result for number, result in json.loads(body).items()}


def _key(tree: str, chunk: int, kind: str) -> str:
    return f"runs/{tree}/results/{chunk:09d}.{kind}.json"


def _part_key(chunk: Chunk, token: str) -> str:
    return f"runs/{chunk.tree}/parts/{chunk.number:09d}.{token}.json"
