"""Condition blocks of policies.

Source: "IAM JSON policy elements: Condition operators" and "Single-valued and multivalued context keys" in the IAM
user guide. A key that the request hasn't is unmet, except to a negated operator, IfExists, Null and ForAllValues; a key
that the local cloud doesn't model is unmet whatever the operator, and noted.
"""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from .patterns import arn_like, fill, like, several

Keys = Mapping[str, tuple[str, ...]]  # lower-case key -> its values; no values: known, and absent
Test = Callable[[str, str], bool]


def _date(text: str) -> float:
    if text.replace(".", "", 1).isdigit():
        return float(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _in_network(address: str, network: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)


def _ordered(name: str, parse: Callable[[str], float]) -> dict[str, Test]:
    return {
        f"{name}Equals": lambda value, wanted: parse(value) == parse(wanted),
        f"{name}LessThan": lambda value, wanted: parse(value) < parse(wanted),
        f"{name}LessThanEquals": lambda value, wanted: parse(value) <= parse(wanted),
        f"{name}GreaterThan": lambda value, wanted: parse(value) > parse(wanted),
        f"{name}GreaterThanEquals": lambda value, wanted: parse(value) >= parse(wanted),
    }


_TESTS: dict[str, Test] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == wanted.lower(),
    "StringLike": like,
    "ArnEquals": arn_like,
    "ArnLike": arn_like,
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "BinaryEquals": lambda value, wanted: value == wanted,
    "IpAddress": _in_network,
    **_ordered("Numeric", float),
    **_ordered("Date", _date),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
}


def met(block: Mapping[str, Mapping[str, Any]], keys: Keys, *, note: Callable[[str], None]) -> bool:
    """Tell whether every operator of a Condition block holds for every key it names."""
    return all(
        _holds(operator, key, several(wanted), keys, note)
        for operator, tests in block.items()
        for key, wanted in tests.items()
    )


def _holds(operator: str, key: str, wanted: Sequence[Any], keys: Keys, note: Callable[[str], None]) -> bool:
    values = keys.get(key.lower())
    if values is None:
        note(f"the local cloud doesn't know the condition key {key}, so {operator} on it is taken as unmet")
        return False
    quantifier, _, name = operator.rpartition(":")
    name, optional = name.removesuffix("IfExists"), name.endswith("IfExists")
    patterns = [filled for filled in (fill(_text(one), keys) for one in wanted) if filled is not None]
    if name == "Null":
        return (not values) == (_text(wanted[0]) == "true")
    if not values:
        return optional or quantifier == "ForAllValues" or (name in _NEGATED and quantifier != "ForAnyValue")
    test = _TESTS.get(_NEGATED.get(name, name))
    if test is None:
        note(f"the local cloud doesn't know the condition operator {operator}, which is taken as unmet")
        return False
    negated = name in _NEGATED
    each = (any(_passes(test, value, pattern) for pattern in patterns) != negated for value in values)
    return all(each) if quantifier == "ForAllValues" or (negated and not quantifier) else any(each)


def _passes(test: Test, value: str, pattern: str) -> bool:
    try:
        return test(value, pattern)
    except ValueError:  # no number, date or address
        return False


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
