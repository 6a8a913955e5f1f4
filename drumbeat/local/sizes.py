"""How AWS counts bytes: of items, events and expressions."""

from collections.abc import Mapping
from typing import Any

_EVENT_TEXTS = ("Source", "DetailType", "Detail")


def item_size(item: Mapping[str, Any]) -> int:
    """Bytes of an item in DynamoDB's JSON: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html."""
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def value_size(value: Mapping[str, Any]) -> int:  # noqa: PLR0911  one per type
    (kind, inner), *_ = value.items()
    if kind == "S":
        return len(inner.encode())
    if kind == "N":
        return len(inner.strip("-0.").replace(".", "")) // 2 + 2
    if kind == "B":
        return len(inner)
    if kind == "SS":
        return sum(len(member.encode()) for member in inner)
    if kind == "NS":
        return sum(map(len, inner)) // 2 + 2 * len(inner)
    if kind == "BS":
        return sum(map(len, inner))
    if kind == "L":
        return 3 + sum(1 + value_size(member) for member in inner)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + value_size(member) for name, member in inner.items())
    return 1


def entry_size(entry: Mapping[str, Any]) -> int:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-event-size."""
    size = 14 if "Time" in entry else 0
    size += sum(text_size(str(entry.get(key, ""))) for key in _EVENT_TEXTS)
    return size + sum(text_size(resource) for resource in entry.get("Resources", ()))


def text_size(text: str | bytes | bytearray) -> int:
    """Bytes in UTF-8."""
    return len(text) if not isinstance(text, str) or text.isascii() else len(text.encode())
