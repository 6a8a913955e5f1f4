"""Whether a call's parameters are plainly right, in a tenth of the time that botocore's own validator takes.

One check is made for each operation, from the same model.  It says True only of what botocore would find no fault
with; of everything else botocore is asked, and words the error.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

Check = Callable[[Any], bool]
_SCALARS: dict[str, Any] = {
    "string": str,
    "boolean": bool,
    "blob": (bytes, bytearray, str),
    "timestamp": datetime,
    "integer": int,
    "long": int,
    "float": (float, Decimal, int),
    "double": (float, Decimal, int),
}
_LISTS = (list, tuple)
_RANGED = ("integer", "long", "float", "double")
_made: dict[tuple[str, str], Check] = {}


def plainly_valid(model: Any, params: dict[str, Any]) -> bool:
    """Whether parameters fit an operation's model; False may also mean that only botocore can tell."""
    name = (model.service_model.service_name, model.name)
    check = _made.get(name)
    if check is None:
        check = _made[name] = _check(model.input_shape, {})
    return check(params)


def _check(shape: Any, made: dict[str, Check]) -> Check:
    """The check of a shape; `made` has those that are already there, as shapes contain each other."""
    if shape.serialization.get("hostLabel") or shape.serialization.get("jsonvalue") or shape.metadata.get("document"):
        return lambda _: False
    if shape.name not in made:
        made[shape.name] = lambda value: made[shape.name](value)  # noqa: PLW0108  for itself: it is made below
        made[shape.name] = _of_kind(shape, made)
    return made[shape.name]


def _of_kind(shape: Any, made: dict[str, Check]) -> Check:
    least = shape.metadata.get("min", 0)
    match shape.type_name:
        case "structure":
            return _structure(shape, made)
        case "list":
            member = _check(shape.member, made)
            return lambda value: isinstance(value, _LISTS) and len(value) >= least and all(map(member, value))
        case "map":
            return _map(_check(shape.key, made), _check(shape.value, made))
        case "string" if least:
            return lambda value: isinstance(value, str) and len(value) >= least
        case kind if kind in _RANGED and "min" in shape.metadata:
            return lambda value: isinstance(value, _SCALARS[kind]) and value >= least
    kinds = _SCALARS[shape.type_name]
    return lambda value: isinstance(value, kinds)


def _map(key: Check, inner: Check) -> Check:
    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return False
        for name, found in value.items():  # noqa: SIM110  half the time of `all`
            if not key(name) or not inner(found):
                return False
        return True

    return check


def _structure(shape: Any, made: dict[str, Check]) -> Check:
    members = {name: _check(member, made) for name, member in shape.members.items()}
    required, alone = shape.metadata.get("required", ()), shape.is_tagged_union

    def check(value: Any) -> bool:
        if not isinstance(value, dict) or (alone and len(value) != 1):
            return False
        for name, found in value.items():
            member = members.get(name)
            if member is None or not member(found):
                return False
        for name in required:  # noqa: SIM110  half the time of `all`
            if name not in value:
                return False
        return True

    return check
