"""Update expressions of DynamoDB: SET, REMOVE, ADD and DELETE, on an item's attributes in DynamoDB's JSON."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from .expressions import Look, Operand, Parser, Path, Values, walk
from .items import SETS, Unusual, Value, added, copied, kind_of

Attributes = dict[str, Value]
Change = Callable[[Look, Values], Value | None]  # the new value; None removes


@dataclass(frozen=True, slots=True)
class Update:
    """A compiled update: what happens at which path, and the names and values used."""

    changes: tuple[tuple[Path, Change], ...]
    used: frozenset[str]

    def apply(self, attributes: Attributes, values: Values) -> tuple[Attributes, tuple[str, ...]]:
        """Return the item after the update, and the top-level names that it touched; the old item stays as it is."""

        def look(path: Path) -> Value | None:
            return walk(attributes, path)

        results = [(path, change(look, values)) for path, change in self.changes]
        after = dict(attributes)
        for path, value in results:
            if len(path) == 1:
                if value is None:
                    after.pop(str(path[0]), None)
                else:
                    after[str(path[0])] = value
            else:
                _put_deep(after, path, value)
        return after, tuple(dict.fromkeys(str(path[0]) for path, _ in results))


def _put_deep(after: Attributes, path: Path, value: Value | None) -> None:
    """Change inside a map; the parent has to be there."""
    top = str(path[0])
    if top not in after:
        raise Unusual("path")
    after[top] = copied(after[top])
    parent = walk(after, path[:-1])
    last = path[-1]
    if parent is None or isinstance(last, int) or kind_of(parent) != "M":
        raise Unusual("path")
    if value is None:
        parent["M"].pop(last, None)
    else:
        parent["M"][last] = value


class _UpdateParser(Parser):
    def update(self) -> Update:
        changes: list[tuple[Path, Change]] = []
        seen: set[str] = set()
        clauses = {"SET": self._set, "REMOVE": self._remove, "ADD": self._add, "DELETE": self._delete}
        while self.at < len(self.tokens):
            word = self.take().upper()
            if word not in clauses or word in seen:
                raise Unusual(word)
            seen.add(word)
            while True:
                changes.append(clauses[word]())
                if self.peek() != ",":
                    break
                self.at += 1
        paths = [path for path, _ in changes]
        if any(
            one[: len(other)] == other for n, one in enumerate(paths) for m, other in enumerate(paths) if n != m
        ) or any(isinstance(step, int) for path in paths for step in path):
            raise Unusual("overlapping paths, or a place in a list")
        return Update(tuple(changes), frozenset(self.used))

    def _set(self) -> tuple[Path, Change]:
        path = self.path()
        self.take("=")
        left = self._set_operand()
        if self.peek() not in ("+", "-"):
            return path, lambda look, values: copied(_there(left(look, values)))
        sign = 1 if self.take() == "+" else -1
        right = self._set_operand()

        def total(look: Look, values: Values) -> Value:
            one, other = _there(left(look, values)), _there(right(look, values))
            if kind_of(one) != "N" or kind_of(other) != "N":
                raise Unusual("arithmetic")
            return {"N": added(one["N"], other["N"], sign)}

        return path, total

    def _set_operand(self) -> Operand:
        name = self.peek().lower()
        if name not in ("if_not_exists", "list_append") or self.tokens[self.at + 1 : self.at + 2] != ["("]:
            return self.operand()
        self.at += 2
        if name == "if_not_exists":
            path = self.path()
            self.take(",")
            default = self._set_operand()
            self.take(")")

            def kept(look: Look, values: Values) -> Value | None:
                found = look(path)
                return found if found is not None else default(look, values)

            return kept
        one = self._set_operand()
        self.take(",")
        other = self._set_operand()
        self.take(")")

        def appended(look: Look, values: Values) -> Value:
            first, second = _there(one(look, values)), _there(other(look, values))
            if kind_of(first) != "L" or kind_of(second) != "L":
                raise Unusual("list_append")
            return {"L": [*first["L"], *second["L"]]}

        return appended

    def _remove(self) -> tuple[Path, Change]:
        return self.path(), lambda _look, _values: None

    def _add(self) -> tuple[Path, Change]:
        path, name = self.path(), self.value()

        def add(look: Look, values: Values) -> Value:
            old, more = look(path), _there(values.get(name))
            kind = kind_of(more)
            if kind not in ("N", *SETS) or (old is not None and kind_of(old) != kind):
                raise Unusual("ADD")
            if old is None:
                return copied(more)
            if kind == "N":
                return {"N": added(old["N"], more["N"], 1)}
            copied(more)
            return {kind: list(dict.fromkeys([*old[kind], *more[kind]]))}

        return path, add

    def _delete(self) -> tuple[Path, Change]:
        path, name = self.path(), self.value()

        def delete(look: Look, values: Values) -> Value | None:
            old, less = look(path), _there(values.get(name))
            kind = kind_of(less)
            if kind not in SETS or (old is not None and kind_of(old) != kind):
                raise Unusual("DELETE")
            gone = set(less[kind])
            left = [member for member in (old or {kind: []})[kind] if member not in gone]
            return {kind: left} if left else None

        return path, delete


def _there(value: Value | None) -> Value:
    if value is None:
        raise Unusual("missing operand")
    return value


@lru_cache(maxsize=1_024)
def update(text: str, names: tuple[tuple[str, str], ...]) -> Update:
    """Compile an update expression."""
    parser = _UpdateParser(text, dict(names))
    return parser.update()
