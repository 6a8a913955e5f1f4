"""What work returned, kept chunk by chunk until the fan-in has read it: in the ledger, or in S3 where it is large.

An object in S3 costs eight write units to write, and three reads of the ledger to read: so what fits into a few units
stays in the ledger, compressed if that makes it shorter.
"""

import base64
import heapq
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from functools import partial
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, TypeVar

from drumbeat.chunk import Chunk, utf8_size
from drumbeat.errors import RecordInvalid
from drumbeat.ledger.count import settled_chunks
from drumbeat.ledger.record import Round, RunRecord
from drumbeat.ledger.table import ANY, Key, Value
from drumbeat.untrusted import write_json

from .services import Services

KEPT_BYTES = 4000
"""Of results in the ledger: four write units, half the price of an object in S3."""
_UNIT = 900  # a write unit, without the names of the record
_WORTH_TRYING = 64 * 1024
_Name = TypeVar("_Name")
_Found = TypeVar("_Found", bound=Sized)
_ALONE, _AT_A_TIME, _WINDOW = 4, 10, 40  # botocore's pool has ten connections
_HELD_BYTES = 64 * 1024 * 1024  # of what was fetched ahead, about: a chunk may hold a thousand results
Results = Mapping[int, Any]
"""By the item's number in its run."""


def write(services: Services, chunk: Chunk, results: Results, *, kind: str, expires_at: int) -> None:
    """Keep the results of a chunk that is about to be settled as one of this kind.

    Of two twins that come to different ends, the ledger accepts one: the name tells which of what they kept is its.
    """
    text = write_json(dict(results))
    short = _short(text)
    if utf8_size(short) <= KEPT_BYTES:
        kept: dict[str, Value] = {"results": short, "expires_at": expires_at}
        services.table.put(_record_key(chunk.tree, chunk.number, kind), kept, ANY)
    else:
        _put(services, chunk, _key(chunk.tree, chunk.number, kind), text)


def write_part(services: Services, chunk: Chunk, results: Results, *, token: str) -> None:
    """Keep what one pass over a chunk has got so far."""
    _put(services, chunk, _part_key(chunk, token), write_json(dict(results)))


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
    return _each(partial(_body, services), keys)


def _body(services: Services, key: str) -> bytes:
    return services.s3.get_object(Bucket=services.settings.bucket, Key=key)["Body"].read()


def _each(fetch: Callable[[_Name], _Found], names: Iterable[_Name]) -> Iterator[_Found]:
    """Fetch in order, a window ahead of what is taken: a narrower one, where what comes is large."""
    names, largest = iter(names), 1
    for name in islice(names, _ALONE):
        found = fetch(name)
        largest = max(largest, len(found))
        yield found
    window = list(islice(names, _ahead(largest)))
    if not window:
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  (only for large runs: it costs init time)

    with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="results") as pool:
        while window:
            for found in pool.map(fetch, window):
                largest = max(largest, len(found))
                yield found
            window = list(islice(names, _ahead(largest)))


def _ahead(largest: int) -> int:
    return max(1, min(_WINDOW, _HELD_BYTES // largest))


def _of_round(services: Services, found: Round) -> Iterator[tuple[int, Any]]:
    for tree, chunks in found.trees:
        yield from _of_chunks(services, tree, settled_chunks(services.table, tree, chunks))


def _of_chunks(services: Services, tree: str, chunks: Iterable[tuple[int, str]]) -> Iterator[tuple[int, Any]]:
    for body in _each(partial(_kept, services, tree), chunks):
        kept = {int(number): result for number, result in json.loads(body).items()}
        yield from sorted(kept.items(), key=itemgetter(0))


def _kept(services: Services, tree: str, settled: tuple[int, str]) -> str | bytes:
    """The results of a chunk that was settled as one of this kind, as JSON."""
    found = services.table.get(_record_key(tree, *settled))
    if found is None:
        return _body(services, _key(tree, *settled))
    short: str = found["results"]
    if short.startswith("{"):
        return short
    stream = zlib.decompressobj()
    text = stream.decompress(base64.b64decode(short), _WORTH_TRYING + 1)
    if stream.unconsumed_tail:
        raise RecordInvalid(f"the results of chunk {settled[0]} of {tree} unpack to more than drumbeat keeps there")
    return text


def _short(text: str) -> str:
    """JSON as it is, or compressed if it is longer than a write unit and that helps."""
    size = utf8_size(text)
    if size <= _UNIT or size > _WORTH_TRYING:
        return text
    packed = base64.b64encode(zlib.compress(text.encode(), level=6)).decode()
    return packed if len(packed) < size else text


def _put(services: Services, chunk: Chunk, key: str, text: str) -> None:
    services.s3.put_object(Bucket=chunk.run.bucket, Key=key, Body=text.encode(), ContentType="application/json")


def _get(services: Services, bucket: str, key: str) -> dict[int, Any]:
    body = services.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return {int(number): result for number, result in json.loads(body).items()}


def _record_key(tree: str, chunk: int, kind: str) -> Key:
    """A partition for each chunk, so that none is hot."""
    return Key(f"results#{tree}#{chunk}", kind)


def _key(tree: str, chunk: int, kind: str) -> str:
    return f"runs/{tree}/results/{chunk:09d}.{kind}.json"


def _part_key(chunk: Chunk, token: str) -> str:
    return f"runs/{chunk.tree}/parts/{chunk.number:09d}.{token}.json"
