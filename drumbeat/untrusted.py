"""What others may have written, read strictly: JSON without NaN, and no deeper than it can be walked; whole numbers.

A key that is there twice counts by its last value, as everywhere in Python.
"""

import json
from itertools import chain
from typing import Any

ITEM_DEPTH = 100
"""Ours: how deep an item's lists and objects may be nested.  Python's own limit depends on how deep the caller stands,
and what was read must be written, too."""
MAX_DEPTH = ITEM_DEPTH + 10
"""With what messages, manifests and results put around an item."""


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} isn't JSON")


_NESTS = (list, tuple, dict)
_DECODER = json.JSONDecoder(parse_constant=_refuse)


def read_json(text: str, *, depth: int = MAX_DEPTH) -> Any:
    """Read a JSON text; raises ValueError for NaN and Infinity, for what is nested deeper, and for no JSON."""
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text.count("[") + text.count("{") > depth and is_too_deep(value, depth):
        raise ValueError("nested too deeply")
    return value


def is_too_deep(value: Any, depth: int) -> bool:
    """Whether lists and objects are nested deeper."""
    level: list[Any] = [value]
    for _ in range(depth + 1):
        kinds = set(map(type, level))  # a message has many values, and few kinds of them
        if not any(issubclass(kind, _NESTS) for kind in kinds):
            return False
        held = [inner for inner in level if isinstance(inner, _NESTS)]
        level = list(chain.from_iterable(outer.values() if isinstance(outer, dict) else outer for outer in held))
    return True


def write_json(value: Any) -> str:
    """Write compact JSON that any UTF-8 can carry: half of a surrogate pair, which no encoding has, stays escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def is_whole(value: Any, *, most: int = 10**18, least: int = 0) -> bool:
    """Whether a value is a whole number in a range; True and 1.0 aren't."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


SAID_CHARACTERS = 1000
"""Of an error's text are kept: a record of the ledger takes 400 KB in all."""


def said(error: BaseException) -> str:
    """The text of an author's error, whatever that is: one that is endless, can't be written or raises ends no run."""
    try:
        return str(error)[:SAID_CHARACTERS].encode(errors="replace").decode()
    except Exception as another:  # noqa: BLE001  (an author's __str__)
        return f"(its text can't be had: {type(another).__name__})"
