"""Comparisons and functions of DynamoDB's conditions, on values in its JSON; a missing attribute is None."""

from collections.abc import Callable, Mapping
from typing import Any

from .items import Unusual, Value, all_plain, canonical, is_plain, kind_of, number

Values = Mapping[str, Value]
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def given(values: Values, name: str) -> Value:
    try:
        return values[name]
    except KeyError as error:
        raise Unusual(name) from error


def size(found: Value | None) -> Value | None:
    if found is None:
        return None
    kind, inner = next(iter(found.items()))
    if kind in ("N", "BOOL", "NULL"):
        raise Unusual("size")
    return {"N": str(len(inner))}


def equal(one: Value | None, other: Value | None) -> bool:
    return one is not None and other is not None and canonical(one) == canonical(other)


def ordered(compare: Callable[[Any, Any], bool], one: Value | None, other: Value | None) -> bool:
    if one is None or other is None:
        return False
    kind = kind_of(one)
    if kind not in ("S", "N", "B") or kind_of(other) not in ("S", "N", "B"):
        raise Unusual(kind)
    if kind != kind_of(other):
        return False
    if kind == "S":
        return compare(one["S"].encode(), other["S"].encode())
    return compare(number(one["N"]), number(other["N"])) if kind == "N" else compare(one["B"], other["B"])


def between(found: Value | None, low: Value | None, high: Value | None) -> bool:
    return ordered(COMPARE[">="], found, low) and ordered(COMPARE["<="], found, high)


def holds(found: Value | None, member: Value | None) -> bool:  # noqa: PLR0911  one per type
    if member is None:
        raise Unusual("contains")
    if found is None:
        return False
    kind, inner = next(iter(found.items()))
    wanted = kind_of(member)
    if kind == "S":
        return wanted == "S" and member["S"] in inner
    if kind == "SS":
        return wanted == "S" and member["S"] in inner
    if kind == "NS":
        if wanted != "N" or member["N"] in inner:
            return wanted == "N"
        if is_plain(member["N"]) and all_plain(inner):
            return False
        return number(member["N"]) in set(map(number, inner))
    if kind == "L":
        return any(equal(one, member) for one in inner)
    return False
