"""The accounting layer: AWS as plain Python values that only count, so that ten million items take a minute.

`MemoryTable` is a ledger's table in a dictionary: the same conditional writes, atomic, each counted with the units it
would be billed.  `Counting` is what `drumbeat.runtime` calls its services.  No botocore, no moto, no clock.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any

from drumbeat.ledger.table import ABSENT, Key, Written
from drumbeat.runtime.services import Settings

Item = dict[str, Any]
START = datetime(2026, 1, 1, tzinfo=UTC)
_FUNCTION = re.compile(r"(NOT )?(attribute_not_exists|attribute_exists|contains|size)\(#(\w+)(?:, :(\w+))?\)")
_BETWEEN = re.compile(r"#(\w+) BETWEEN :(\w+) AND :(\w+)")
_COMPARED = re.compile(r"([#:])(\w+) (=|<>|<=|>=|<|>) :(\w+)")


class MemoryTable:
    """What `drumbeat.ledger.table.Table` is on DynamoDB."""

    def __init__(self) -> None:
        self.items: dict[Key, Item] = {}
        self.calls: Counter[str] = Counter()
        self.write_units = 0
        self.read_units = 0
        self.writes: Counter[str] = Counter()
        self.largest = 0

    def get(self, key: Key) -> Item | None:
        """Read one record."""
        self.calls["GetItem"] += 1
        self.read_units += 1
        return self.items.get(key)

    def put(self, key: Key, item: Mapping[str, Any], condition: str = ABSENT, **values: Any) -> Written:
        """Write one record if the condition holds."""
        self.calls["PutItem"] += 1
        old = self.items.get(key)
        if not _compiled(condition)(old or {}, values):
            self._bill(key, old or {})
            return Written(old or {}, accepted=False)
        self.items[key] = {**key._asdict(), **item}
        self._bill(key, self.items[key])
        return Written({}, accepted=True)

    def update(self, key: Key, expression: str, condition: str | None = None, **values: Any) -> Written:
        """Change one record if the condition holds."""
        self.calls["UpdateItem"] += 1
        old = self.items.get(key)
        if condition and not _compiled(condition)(old or {}, values):
            self._bill(key, old or {})
            return Written(old or {}, accepted=False)
        if old is None:
            old = self.items[key] = dict(key._asdict())
        for kind, name, value in _changes(expression):
            _CHANGE[kind](old, name, values[value])
        self._bill(key, old)
        return Written(old, accepted=True)

    def query(self, pk: str, **_: Any) -> Iterator[Item]:
        """Read the records of a partition."""
        self.calls["Query"] += 1
        self.read_units += 1
        return iter([item for key, item in self.items.items() if key.pk == pk])

    def _bill(self, key: Key, item: Item) -> None:
        size = sum(len(name) + _size(value) for name, value in item.items())
        self.write_units += max(1, -(-size // 1024))
        self.writes[key.pk] += 1
        self.largest = max(self.largest, size)


def _size(value: Any) -> int:
    """What DynamoDB bills for a value, from above: 3 bytes a small number."""
    if isinstance(value, str):
        return len(value)
    return 3 * len(value) + 3 if isinstance(value, set) else 8


@cache
def _compiled(condition: str) -> Callable[[Item, Mapping[str, Any]], bool]:
    """A condition in DynamoDB's words as a Python function of the item and the values."""
    words = {
        "attribute_not_exists": "({0!r} not in item)",
        "attribute_exists": "({0!r} in item)",
        "contains": "(values[{1!r}] in item.get({0!r}, ()))",
        "size": "len(item.get({0!r}, ()))",
    }
    text = _BETWEEN.sub(r"('\1' in item and values['\2'] <= item['\1'] <= values['\3'])", condition)
    text = _COMPARED.sub(_comparison, text)
    text = _FUNCTION.sub(lambda found: ("not " if found[1] else "") + words[found[2]].format(found[3], found[4]), text)
    text = re.sub(r"\) < :(\w+)", r") < values['\1']", text)  # after size(...)
    text = text.replace(" AND ", " and ").replace(" OR ", " or ")
    made: Callable[[Item, Mapping[str, Any]], bool] = eval(f"lambda item, values: bool({text})")
    return made


def _comparison(found: "re.Match[str]") -> str:
    kind, name, sign, value = found.groups()
    sign = {"=": "==", "<>": "!="}.get(sign, sign)
    left = f"values[{name!r}]" if kind == ":" else f"item[{name!r}]"
    exists = "" if kind == ":" else f"{name!r} in item and "
    return f"({exists}{left} {sign} values[{value!r}])"


@cache
def _changes(expression: str) -> tuple[tuple[str, str, str], ...]:
    """An update's changes: SET, ADD or DELETE, attribute, value."""
    found, kind = [], ""
    for word, name, value in re.findall(r"(SET|ADD|DELETE)?\s*#(\w+)(?: =)? :(\w+)", expression):
        kind = word or kind
        found.append((kind, name, value))
    return tuple(found)


def _set(item: Item, name: str, value: Any) -> None:
    item[name] = value


def _add(item: Item, name: str, value: Any) -> None:
    if isinstance(value, set):
        item.setdefault(name, set()).update(value)
    else:
        item[name] = item.get(name, 0) + value


def _delete(item: Item, name: str, value: Any) -> None:
    left = item.get(name, set()) - value
    item[name] = left
    if not left:
        del item[name]


_CHANGE = {"SET": _set, "ADD": _add, "DELETE": _delete}


@dataclass
class Counting:
    """What the runtime calls its services: each call is counted, its bytes too."""

    settings: Settings
    table: MemoryTable = field(default_factory=MemoryTable)
    calls: Counter[str] = field(default_factory=Counter)
    sqs_units: int = 0
    sent_bytes: int = 0
    messages: int = 0
    invoked: list[Any] = field(default_factory=list)

    @staticmethod
    def now() -> datetime:
        """The time stands still."""
        return START

    @staticmethod
    def draw() -> float:
        """Nothing is drawn."""
        return 0.5

    @staticmethod
    def sleep(seconds: float) -> None:
        """Nothing is waited for."""

    @property
    def sqs(self) -> Any:
        """SQS."""
        return SimpleNamespace(send_message_batch=self._send)

    @property
    def functions(self) -> Any:
        """Lambda."""
        return SimpleNamespace(invoke=lambda **call: (self._count("Invoke"), self.invoked.append(call))[0])

    @property
    def events(self) -> Any:
        """EventBridge."""
        return SimpleNamespace(put_events=lambda **_: self._count("PutEvents") or {"FailedEntryCount": 0})

    @property
    def s3(self) -> Any:
        """S3."""
        return SimpleNamespace(put_object=lambda **_: self._count("PutObject") or {"ETag": '"e"'})

    def _send(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        del QueueUrl
        self._count("SendMessageBatch")
        size = sum(len(entry["MessageBody"].encode()) for entry in Entries)
        self.messages += len(Entries)
        self.sent_bytes += size
        self.sqs_units += -(-size // 65536)
        return {"Successful": []}

    def _count(self, operation: str) -> None:
        self.calls[operation] += 1


@dataclass(frozen=True)
class Context:
    """A Lambda context with as much time as one ever has."""

    aws_request_id: str = "bench"
    function_name: str = "bench"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:bench"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """It never gets less: an expansion isn't cut here."""
        return 900_000
