"""Match names, ARNs and policy variables the way IAM does.

Source: "IAM JSON policy elements" (Action, Resource, variables) in the IAM user guide: `*` is any run of characters,
colons and slashes included, `?` is one; actions ignore case, resources don't; `${*}`, `${?}` and `${$}` stand for the
characters themselves.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_TOKEN = re.compile(r"\0(.)|(\*)|(\?)|([^*?\0]+)", re.DOTALL)
_ARN_PARTS = 6


@functools.lru_cache(maxsize=4096)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    def part(found: re.Match[str]) -> str:
        literal, run, one, text = found.groups()
        return ".*" if run else "." if one else re.escape(literal or text)

    return re.compile(_TOKEN.sub(part, pattern), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def like(value: str, pattern: str, *, ignore_case: bool = False) -> bool:
    """Tell whether `value` matches a pattern of `*` and `?`."""
    return pattern == "*" or _compiled(pattern, ignore_case).fullmatch(value) is not None


def arn_like(value: str, pattern: str) -> bool:
    """Match two ARNs part by part: in a condition on ARNs, no wildcard reaches over one of the first five colons."""
    parts, patterns = value.split(":", _ARN_PARTS - 1), pattern.split(":", _ARN_PARTS - 1)
    if len(parts) != len(patterns):
        return pattern == "*"
    return all(like(part, wanted) for part, wanted in zip(parts, patterns, strict=True))


def fill(text: str, keys: Mapping[str, tuple[str, ...]]) -> str | None:
    """Return `text` with its policy variables filled in; None if one has no value, and so matches nothing."""
    if "${" not in text:
        return text
    values = {name: _value(name, keys) for name in _VARIABLE.findall(text)}
    if None in values.values():
        return None
    return _VARIABLE.sub(lambda found: str(values[found[1]]), text)


def _value(variable: str, keys: Mapping[str, tuple[str, ...]]) -> str | None:
    name, _, default = (part.strip() for part in variable.partition(","))
    if name in {"*", "?", "$"}:
        return f"\0{name}"  # a character that no longer is a wildcard
    values = keys.get(name.lower(), ())
    if len(values) == 1:
        return values[0]
    return default.strip("'") if default else None


def several(value: Any) -> Sequence[Any]:
    """Return one or many values of a policy element as many."""
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)
