"""What a redrive does again: the lines of its manifest, without those that it gave back when it was halted.

An item that was given back is again what it was before the redrive: the dead letter of an earlier round, or dropped.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from drumbeat.untrusted import write_json

from . import progress
from .count import settled_chunks
from .record import Round
from .table import Table

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_READ_BYTES = 256 * 1024
"""How much of a file of lines is read at a time: with botocore's 1,024, long lines take very long."""


def line(number: int, item: Any, *, was_dropped: bool) -> str:
    """One line of a manifest: the item's number in the run, and `d` if it was dropped rather than failed."""
    told = {"n": number, "item": item} | ({"d": 1} if was_dropped else {})
    return write_json(told)


def lines(s3: "S3Client", bucket: str, key: str) -> Iterator[Any]:
    """The lines of a file of items, streamed."""
    body = s3.get_object(Bucket=bucket, Key=key)["Body"]
    return (json.loads(text) for text in body.iter_lines(chunk_size=_READ_BYTES) if text)


def taken_up(table: Table, s3: "S3Client", bucket: str, found: Round) -> Iterator[int]:
    """The numbers of the items that a redrive has done, does, or has failed at, in their order."""
    given_back = _given_back(table, s3, bucket, found) if found.halt else iter(())
    back = next(given_back, None)
    for told in lines(s3, bucket, found.manifest):
        if told["n"] == back:
            back = next(given_back, None)
        else:
            yield told["n"]


def back_key(tree: str, chunk: int, token: str) -> str:
    """Where the numbers are kept that one pass over a chunk gave back."""
    return f"runs/{tree}/back/{chunk:09d}.{token}.json"


def _given_back(table: Table, s3: "S3Client", bucket: str, found: Round) -> Iterator[int]:
    for chunk, _ in settled_chunks(table, found.tree, found.chunks, kinds=("gone",)):
        state = progress.read(table, found.tree, chunk)
        if state.gave_back:
            key = back_key(found.tree, chunk, state.passes[-1])
            yield from json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
