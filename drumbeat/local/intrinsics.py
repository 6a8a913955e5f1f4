"""Evaluate CloudFormation's intrinsic functions, strictly: what cannot be resolved is an error, never dropped.

Source: the "Intrinsic function reference" of the AWS CloudFormation template reference guide.
"""

import base64
import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from .errors import TemplateError

NO_VALUE = object()
_PLACEHOLDER = re.compile(r"\$\{(!?)([^{}]*)\}")
_ZONES = "abc"


class Scope(Protocol):
    """What the functions look things up in: one stack under deployment."""

    def ref(self, name: str) -> Any: ...

    def attribute(self, logical_id: str, name: str) -> Any: ...

    def condition(self, name: str) -> bool: ...

    def mapping(self, name: str) -> Mapping[str, Any]: ...

    def imported(self, export: str) -> Any: ...

    def stack_output(self, stack: str, output: str) -> Any: ...


def resolve(value: Any, scope: Scope) -> Any:
    """Return `value` with every function in it evaluated; AWS::NoValue removes its property or list entry."""
    if isinstance(value, Mapping):
        function = _function(value)
        if function is not None:
            return _FUNCTIONS[function](value[function], scope)
        pairs = ((key, resolve(item, scope)) for key, item in value.items())
        return {key: item for key, item in pairs if item is not NO_VALUE}
    if isinstance(value, list):
        items = (resolve(item, scope) for item in value)
        return [item for item in items if item is not NO_VALUE]
    return value


def references(value: Any) -> Iterator[str]:
    """Yield each name that `value` refers to by Ref, GetAtt or Sub; what a nested Sub names itself is left out."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    if not isinstance(value, Mapping):
        return
    match _function(value):
        case "Ref":
            yield value["Ref"]
        case "Fn::GetAtt":
            yield _split_attribute(value["Fn::GetAtt"])[0]
        case "Fn::Sub":
            text, own = _sub_parts(value["Fn::Sub"])
            yield from references(own)
            yield from (name.split(".")[0] for literal, name in _names(text) if not literal and name not in own)
        case _:
            for item in value.values():
                yield from references(item)


def _function(value: Mapping[str, Any]) -> str | None:
    if len(value) != 1:
        return None
    (key,) = value
    if key == "Condition" and not isinstance(value[key], str):
        return None  # the Condition of a policy statement that has nothing else
    if key in _FUNCTIONS:
        return str(key)
    if key.startswith("Fn::"):
        raise TemplateError(f"the local cloud knows no function {key}; it has {', '.join(sorted(_FUNCTIONS))}")
    return None


def _sub_parts(argument: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(argument, str):
        return argument, {}
    text, own = argument
    return text, own


def _names(text: str) -> list[tuple[str, str]]:
    return [(literal, name.strip()) for literal, name in _PLACEHOLDER.findall(text)]


def _split_attribute(argument: Any) -> tuple[str, str]:
    logical_id, _, name = argument.partition(".") if isinstance(argument, str) else (argument[0], "", argument[1])
    return logical_id, name


def _ref(argument: str, scope: Scope) -> Any:
    return NO_VALUE if argument == "AWS::NoValue" else scope.ref(argument)


def _get_att(argument: Any, scope: Scope) -> Any:
    logical_id, name = _split_attribute(argument)
    return scope.attribute(logical_id, resolve(name, scope))


def _sub(argument: Any, scope: Scope) -> str:
    text, own = _sub_parts(argument)

    def replacement(found: re.Match[str]) -> str:
        literal, name = found[1], found[2].strip()
        if literal:
            return "${" + found[2] + "}"
        if name in own:
            return _text(resolve(own[name], scope))
        if "." in name:
            return _text(scope.attribute(*name.split(".", 1)))
        return _text(scope.ref(name))

    return _PLACEHOLDER.sub(replacement, text)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _join(argument: Any, scope: Scope) -> str:
    delimiter, parts = argument
    return str(delimiter).join(_text(part) for part in resolve(parts, scope))


def _split(argument: Any, scope: Scope) -> list[str]:
    delimiter, text = argument
    return str(resolve(text, scope)).split(delimiter)


def _select(argument: Any, scope: Scope) -> Any:
    index, items = resolve(argument, scope)
    try:
        return items[int(index)]
    except IndexError:
        raise TemplateError(f"Fn::Select: no index {index} in {items!r}") from None


def _if(argument: Any, scope: Scope) -> Any:
    condition, then, otherwise = argument
    return resolve(then if scope.condition(condition) else otherwise, scope)


def _find_in_map(argument: Any, scope: Scope) -> Any:
    name, first, second, *options = resolve(argument, scope)
    default = options[0].get("DefaultValue", NO_VALUE) if options else NO_VALUE
    found = scope.mapping(name).get(first, {}).get(str(second), default)
    if found is NO_VALUE:
        raise TemplateError(f"Fn::FindInMap: mapping {name!r} has no {first!r}, {second!r}")
    return found


def _stack_output(argument: Any, scope: Scope) -> Any:
    """Read another stack's output; its Region and RoleArn don't matter, as all stacks are in one place."""
    given = resolve(argument, scope)
    return scope.stack_output(given["StackName"], given["OutputName"])


def _zones(argument: Any, scope: Scope) -> list[str]:
    region = resolve(argument, scope) or scope.ref("AWS::Region")
    return [f"{region}{zone}" for zone in _ZONES]


def _cidr(argument: Any, scope: Scope) -> list[str]:
    block, count, bits = [*resolve(argument, scope), 8][:3]
    network = ipaddress.ip_network(block)
    subnets = network.subnets(new_prefix=network.max_prefixlen - int(bits))
    return [str(next(subnets)) for _ in range(int(count))]


def _equals(argument: Any, scope: Scope) -> bool:
    left, right = resolve(argument, scope)
    return _text(left) == _text(right)


def _contains(argument: Any, scope: Scope) -> bool:
    values, wanted = resolve(argument, scope)
    return wanted in values


_FUNCTIONS: dict[str, Callable[[Any, Scope], Any]] = {
    "Ref": _ref,
    "Condition": lambda name, scope: scope.condition(name),
    "Fn::And": lambda parts, scope: all(resolve(part, scope) for part in parts),
    "Fn::Base64": lambda text, scope: base64.b64encode(str(resolve(text, scope)).encode()).decode(),
    "Fn::Cidr": _cidr,
    "Fn::Contains": _contains,
    "Fn::Equals": _equals,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": _zones,
    "Fn::GetAtt": _get_att,
    "Fn::GetStackOutput": _stack_output,
    "Fn::If": _if,
    "Fn::ImportValue": lambda name, scope: scope.imported(resolve(name, scope)),
    "Fn::Join": _join,
    "Fn::Length": lambda items, scope: len(resolve(items, scope)),
    "Fn::Not": lambda parts, scope: not resolve(parts[0], scope),
    "Fn::Or": lambda parts, scope: any(resolve(part, scope) for part in parts),
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
    "Fn::ToJsonString": lambda value, scope: json.dumps(resolve(value, scope), separators=(",", ":")),
}
