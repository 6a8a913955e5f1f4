"""Values as JSON, with what JSON lacks under a name with a dollar: bytes, instants, infinity."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .errors import CannotKeep


def text(value: Any) -> str:
    """One line of JSON."""
    return json.dumps(encode(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def value(line: str) -> Any:
    """What `text` was made from; tuples come back as lists."""
    return decode(json.loads(line))


def encode(found: Any) -> Any:  # noqa: PLR0911  one per type
    """Make a value that JSON can hold; raises CannotKeep for one that can't be read back."""
    if found is None or isinstance(found, bool | int | str):
        return found
    if isinstance(found, float):
        return {"$number": str(found)} if found in (float("inf"), float("-inf")) else found
    if isinstance(found, bytes | bytearray):
        return {"$bytes": base64.b64encode(found).decode()}
    if isinstance(found, datetime):
        return {"$time" if found.tzinfo else "$naive": (found.astimezone(UTC) if found.tzinfo else found).isoformat()}
    if isinstance(found, Mapping):
        if all(isinstance(key, str) and not key.startswith("$") for key in found):
            return {key: encode(one) for key, one in found.items()}
        return {"$pairs": [[encode(key), encode(one)] for key, one in found.items()]}
    if isinstance(found, list | tuple):
        return [encode(one) for one in found]
    if hasattr(found, "to_json"):  # moto's DynamoDB values
        return encode(found.to_json())
    raise CannotKeep(f"a value of type {type(found).__name__} can't be kept: {found!r:.80}; the cloud stays as it was")


def decode(found: Any) -> Any:  # noqa: PLR0911  one per type
    """The value that `encode` was given."""
    if isinstance(found, list):
        return [decode(one) for one in found]
    if not isinstance(found, dict):
        return found
    if len(found) == 1:
        (kind, inner), *_ = found.items()
        match kind:
            case "$bytes":
                return base64.b64decode(inner)
            case "$time" | "$naive":
                return datetime.fromisoformat(inner)
            case "$number":
                return float(inner)
            case "$pairs":
                return {_key(decode(key)): decode(one) for key, one in inner}
    return {key: decode(one) for key, one in found.items()}


def _key(found: Any) -> Any:
    return tuple(found) if isinstance(found, list) else found
