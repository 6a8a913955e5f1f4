"""Condition and update expressions of DynamoDB, compiled once and evaluated fast.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html.

What is wrong or unusual raises Unusual: moto then parses it again and answers with its error.
"""

# ruff: noqa: ARG005, C419  all operands are evaluated, so that a wrong one is always noticed

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from .comparisons import COMPARE, between, equal, given, holds, ordered, size
from .items import Unusual, Value, kind_of

Path = tuple[str | int, ...]
Values = Mapping[str, Value]
Look = Callable[[Path], Value | None]
Operand = Callable[[Look, Values], Value | None]
Condition = Callable[[Look, Values], bool]

_TOKEN = re.compile(r"\s*(<>|<=|>=|[=<>(),.\[\]+\-]|[#:]?\w+)")
_RESERVED = frozenset(word.upper() for word in ReservedKeywords.get_reserved_keywords())


class Parser:
    """Recursive descent over the tokens of one expression; notes which names and values it used."""

    def __init__(self, text: str, names: Mapping[str, str]) -> None:
        self.tokens: list[str] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise Unusual(text)
            self.tokens.append(match.group(1))
            at = match.end()
        self.at = 0
        self.names = names
        self.used: set[str] = set()

    # -- tokens --------------------------------------------------------------------------------------------

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def word(self) -> str:
        return self.peek().upper()

    def take(self, expected: str | None = None) -> str:
        token = self.peek()
        if not token or (expected is not None and token.upper() != expected):
            raise Unusual(token)
        self.at += 1
        return token

    def done(self) -> None:
        if self.at != len(self.tokens):
            raise Unusual(self.peek())

    # -- operands ------------------------------------------------------------------------------------------

    def path(self) -> Path:
        steps: list[str | int] = [self._name()]
        while self.peek() in (".", "["):
            if self.take() == ".":
                steps.append(self._name())
            else:
                index = self.take()
                if not index.isdigit():
                    raise Unusual(index)
                steps.append(int(index))
                self.take("]")
        return tuple(steps)

    def _name(self) -> str:
        token = self.take()
        if token.startswith("#"):
            self.used.add(token)
            if token not in self.names:
                raise Unusual(token)
            return self.names[token]
        if not (token[0].isalpha() or token[0] == "_") or token.upper() in _RESERVED:
            raise Unusual(token)
        return token

    def value(self) -> str:
        token = self.take()
        if not token.startswith(":"):
            raise Unusual(token)
        self.used.add(token)
        return token

    def operand(self) -> Operand:
        if self.peek().startswith(":"):
            name = self.value()
            return lambda look, values: given(values, name)
        if self.word() == "SIZE" and self.tokens[self.at + 1 : self.at + 2] == ["("]:
            self.at += 2
            path = self.path()
            self.take(")")
            return lambda look, values: size(look(path))
        path = self.path()
        return lambda look, values: look(path)

    # -- conditions ----------------------------------------------------------------------------------------

    def condition(self) -> Condition:
        parts = [self._and()]
        while self.word() == "OR":
            self.at += 1
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else lambda look, values: any([part(look, values) for part in parts])

    def _and(self) -> Condition:
        parts = [self._not()]
        while self.word() == "AND":
            self.at += 1
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else lambda look, values: all([part(look, values) for part in parts])

    def _not(self) -> Condition:
        if self.word() == "NOT":
            self.at += 1
            inner = self._not()
            return lambda look, values: not inner(look, values)
        if self.peek() == "(":
            self.at += 1
            inner = self.condition()
            self.take(")")
            return inner
        name = self.peek().lower()
        if name in _FUNCTIONS and self.tokens[self.at + 1 : self.at + 2] == ["("]:
            self.at += 2
            made = getattr(self, f"_{name}")()
            self.take(")")
            return made  # type: ignore[no-any-return]
        return self._comparison()

    def _attribute_exists(self) -> Condition:
        path = self.path()
        return lambda look, values: look(path) is not None

    def _attribute_not_exists(self) -> Condition:
        path = self.path()
        return lambda look, values: look(path) is None

    def _attribute_type(self) -> Condition:
        path = self.path()
        self.take(",")
        name = self.value()

        def has_type(look: Look, values: Values) -> bool:
            found = look(path)
            return found is not None and kind_of(found) == given(values, name).get("S")

        return has_type

    def _begins_with(self) -> Condition:
        path = self.path()
        self.take(",")
        start = self.operand()

        def begins(look: Look, values: Values) -> bool:
            found, wanted = look(path), start(look, values)
            if wanted is None or kind_of(wanted) not in ("S", "B"):
                raise Unusual("begins_with")
            kind = kind_of(wanted)
            return found is not None and kind in found and found[kind].startswith(wanted[kind])

        return begins

    def _contains(self) -> Condition:
        path = self.path()
        self.take(",")
        member = self.operand()
        return lambda look, values: holds(look(path), member(look, values))

    def _comparison(self) -> Condition:
        left = self.operand()
        sign = self.take().upper()
        if sign == "BETWEEN":
            low = self.operand()
            self.take("AND")
            high = self.operand()
            return lambda look, values: between(left(look, values), low(look, values), high(look, values))
        if sign == "IN":
            self.take("(")
            members = [self.operand()]
            while self.peek() == ",":
                self.at += 1
                members.append(self.operand())
            self.take(")")
            return lambda look, values: any([equal(left(look, values), member(look, values)) for member in members])
        right = self.operand()
        if sign == "=":
            return lambda look, values: equal(left(look, values), right(look, values))
        if sign == "<>":
            return lambda look, values: not equal(left(look, values), right(look, values))
        if sign not in COMPARE:
            raise Unusual(sign)
        compare = COMPARE[sign]
        return lambda look, values: ordered(compare, left(look, values), right(look, values))


_FUNCTIONS = ("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains")


@lru_cache(maxsize=1_024)
def condition(text: str, names: tuple[tuple[str, str], ...]) -> tuple[Condition, frozenset[str]]:
    """Compile a condition; with the `#names` and `:values` that it uses."""
    parser = Parser(text, dict(names))
    made = parser.condition()
    parser.done()
    return made, frozenset(parser.used)


def walk(attributes: Mapping[str, Value] | None, path: Sequence[str | int]) -> Value | None:
    """What is at a path of an item."""
    if attributes is None:
        return None
    found = attributes.get(str(path[0]))
    for step in path[1:]:
        if found is None:
            return None
        kind, inner = next(iter(found.items()))
        if isinstance(step, int):
            found = inner[step] if kind == "L" and step < len(inner) else None
        else:
            found = inner.get(step) if kind == "M" else None
    return found
