"""Write items as compact JSON, as SQS takes it: with one encoder, made once."""

import json
import json.encoder
from collections.abc import Callable, Iterable
from typing import Any

from . import limits
from .chunk import utf8_size
from .errors import ItemNotJson, ItemTooLarge
from .untrusted import ITEM_DEPTH, is_too_deep

_REFUSED_BY_SQS = (("\ufffe", "\\ufffe"), ("\uffff", "\\uffff"))
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html: all else JSON escapes."""


def encode_item(item: Any, *, task: str, number: int, room: int = 0) -> str:
    """Write one item as compact JSON; raises ItemNotJson or ItemTooLarge, naming task and item.

    room: bytes that it may be larger than allowed, for what is put around it.
    """
    try:
        text = written(item)
        size = utf8_size(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise ItemNotJson(
            f"task {task!r}, item {number}: a {type(item).__name__} that isn't JSON ({error}); yield dicts, lists, "
            "text, finite numbers, booleans or None"
        ) from None
    if size > limits.MAX_ITEM_BYTES + room:
        raise ItemTooLarge(
            f"task {task!r}, item {number}: {size:,} bytes, {limits.MAX_ITEM_BYTES:,} allowed; keep the data in S3 and "
            "yield its key"
        )
    return text


def _encoder() -> Callable[[Any, int], Iterable[str]]:
    """What JSONEncoder.encode uses for one value: made once, not for each value anew."""
    whole = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    make: Any = vars(json.encoder)["c_make_encoder"]
    if make is None:  # an interpreter without the part that is written in C
        return lambda value, _: whole.encode(value)
    encode: Callable[[Any, int], Iterable[str]] = make(
        *(None, whole.default, json.encoder.encode_basestring, None, ":", ",", False, False, False)
    )
    return encode


_encode, _join = _encoder(), "".join


def written(value: Any) -> str:
    """A value as JSON; raises TypeError, ValueError or RecursionError for what isn't."""
    text = _join(_encode(value, 0))
    if not text.isascii():
        text = _escaped(text)
    if len(text) > 2 * ITEM_DEPTH and text.count("[") + text.count("{") > ITEM_DEPTH:
        _check_depth(value)
    return text


def written_rows(rows: list[tuple[Any, ...]]) -> str:
    """Lists of values, with commas between them; raises like `written`."""
    text = _join(_encode(rows, 0))[1:-1]
    if not text.isascii():
        text = _escaped(text)
    if text.count("[") > ITEM_DEPTH + len(rows):
        _check_depth(rows)
    return text


def _check_depth(value: Any) -> None:
    if is_too_deep(value, ITEM_DEPTH + 1):
        raise ValueError(f"nested more than {ITEM_DEPTH} deep")


def _escaped(text: str) -> str:
    for character, escape in _REFUSED_BY_SQS:
        text = text.replace(character, escape)
    return text
