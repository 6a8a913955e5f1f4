"""Values of DynamoDB items in its JSON: comparing, copying, adding; and moto's own form of them.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

import base64
import re
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict

Value = dict[str, Any]
_NUMBERS = Context(prec=38)  # "up to 38 digits of precision"
SETS = ("SS", "NS")
_ALL_PLAIN = re.compile(r"(?:0|[1-9][0-9]*)(?:,(?:0|[1-9][0-9]*))*").fullmatch


class Unusual(Exception):
    """Not a plain case: moto shall answer, with its checks and errors."""


def kind_of(value: Value) -> str:
    return next(iter(value))


def number(text: str) -> Decimal:
    try:
        return _NUMBERS.create_decimal(text)
    except InvalidOperation as error:
        raise Unusual(text) from error


def shown(value: Decimal) -> str:
    """A number as DynamoDB shows it: no trailing zeros, no exponent."""
    if value == 0:
        return "0"
    text = format(value.normalize(_NUMBERS), "f")
    return text if len(text) <= 40 else str(value)  # noqa: PLR2004  38 digits, a sign, a point


def is_plain(text: str) -> bool:
    """Whether a number is written as DynamoDB would show it: then equal numbers are equal texts."""
    return text.isdigit() and (text[0] != "0" or len(text) == 1)


def all_plain(texts: Sequence[str]) -> bool:
    """Whether all numbers of a set are written so; a set has thousands."""
    joined = ",".join(texts)
    return _ALL_PLAIN(joined) is not None and joined.count(",") == len(texts) - 1


def added(one: str, other: str, sign: int) -> str:
    return shown(_NUMBERS.add(number(one), number(other) if sign > 0 else -number(other)))


def canonical(value: Value) -> Any:
    """Something that is equal exactly for equal values."""
    kind, inner = next(iter(value.items()))
    if kind == "N":
        return kind, number(inner)
    if kind == "NS":
        return kind, frozenset(map(number, inner))
    if kind == "SS":
        return kind, frozenset(inner)
    if kind == "L":
        return kind, [canonical(member) for member in inner]
    if kind == "M":
        return kind, {name: canonical(member) for name, member in inner.items()}
    return kind, inner


def copied(value: Value) -> Value:
    """A value that shares nothing changeable, checked for what DynamoDB takes without objection."""
    kind, inner = next(iter(value.items()))
    if kind in ("S", "N", "BOOL", "NULL"):
        if kind == "N" and not is_plain(inner):
            return {kind: shown(number(inner))}
        return {kind: inner}
    if kind == "NS" and not all_plain(inner):
        inner = [text if is_plain(text) else shown(number(text)) for text in inner]
    if kind in SETS:
        if not inner or len(set(inner)) < len(inner):
            raise Unusual(kind)
        return {kind: list(inner)}
    if kind == "L":
        return {kind: [copied(member) for member in inner]}
    if kind == "M":
        return {kind: {name: copied(member) for name, member in inner.items()}}
    if kind == "B" and isinstance(inner, bytes):
        return {kind: inner}
    raise Unusual(kind)


def plain(stored: DynamoType) -> Value:
    """What moto holds, as the client would see it."""
    kind, inner = stored.type, stored.value
    if kind in ("S", "N", "BOOL", "NULL"):
        return {kind: inner}
    if kind in SETS:
        return {kind: list(inner)}
    if kind == "L":
        return {kind: [plain(member) for member in inner]}
    if kind == "M":
        return {kind: {name: plain(member) for name, member in inner.items()}}
    if kind == "B":
        return {kind: base64.b64decode(inner) if isinstance(inner, str) else inner}
    raise Unusual(kind)


def stored(value: Value) -> DynamoType:
    """What moto would hold: binary values as the text that travels."""
    kind, inner = next(iter(value.items()))
    made: DynamoType = DynamoType.__new__(DynamoType)
    made.type = kind
    if kind == "L":
        made.value = [stored(member) for member in inner]
    elif kind == "M":
        made.value = {name: stored(member) for name, member in inner.items()}
    elif kind == "B":
        made.value = base64.b64encode(inner).decode()
    else:
        made.value = inner
    return made


def attributes(item: Item) -> dict[str, Value]:
    return {name: plain(value) for name, value in item.attrs.items()}


def new_item(hash_key: DynamoType, range_key: DynamoType | None, values: Mapping[str, Value]) -> Item:
    """An item that moto doesn't remember for ever (its models are kept until the mock ends)."""
    item: Item = object.__new__(Item)
    item.hash_key, item.range_key = hash_key, range_key
    fill_item(item, values)
    return item


def fill_item(item: Item, values: Mapping[str, Value]) -> None:
    """Replace all attributes, without measuring the item again for each of them."""
    held = LimitedSizeDict.__new__(LimitedSizeDict)
    for name, value in values.items():
        dict.__setitem__(held, name, stored(value))
    item.attrs = held
