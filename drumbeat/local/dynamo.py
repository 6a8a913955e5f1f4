"""The hot operations of DynamoDB, on moto's tables but without its parsing and copying.

GetItem, PutItem, UpdateItem, DeleteItem and Query in their plain forms. Whatever is unusual (old parameters, streams,
anything that DynamoDB would refuse) is left to moto: these answer only what they are sure of.
"""

from collections.abc import Mapping
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from .expressions import condition, walk
from .items import Unusual, Value, attributes, copied, fill_item, kind_of, new_item
from .limits import ITEM_BYTES
from .meter import READ_UNIT, WRITE_UNIT, units
from .queries import KNOWN, query
from .services import Answer, Call, ServiceError
from .sizes import item_size
from .updates import update
from .world import World

_COMMON = {"TableName", "Key", "Item", "ReturnConsumedCapacity"}
_EXPRESSIONS = {
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValues",
    "ReturnValuesOnConditionCheckFailure",
}
_KNOWN = {
    "GetItem": _COMMON | {"ConsistentRead"},
    "PutItem": _COMMON | _EXPRESSIONS,
    "UpdateItem": _COMMON | _EXPRESSIONS | {"UpdateExpression"},
    "DeleteItem": _COMMON | _EXPRESSIONS,
    "Query": KNOWN,
}


class DynamoApi:
    """Operations by name, for the gateway; they raise Unusual before anything has changed."""

    def __init__(self, world: World) -> None:
        self._tables = dynamodb_backends[world.deployment.account][world.deployment.region].tables
        self.answers: dict[str, Answer] = {
            "GetItem": lambda call: _with_capacity(call, self.get(call)),
            "PutItem": lambda call: _with_capacity(call, self.put(call)),
            "UpdateItem": lambda call: _with_capacity(call, self.update(call)),
            "DeleteItem": lambda call: _with_capacity(call, self.delete(call)),
            "Query": self.query,
        }

    def _table(self, call: Call) -> Any:
        params = call.params
        table = self._tables.get(params["TableName"])
        if table is None or table.stream_shard is not None or not params.keys() <= _KNOWN[call.operation]:
            raise Unusual(call.operation)
        return table

    def _keys(
        self, table: Any, key: Mapping[str, Value], *, exact: bool = True
    ) -> tuple[DynamoType, DynamoType | None]:
        names = [table.hash_key_attr, *([table.range_key_attr] if table.range_key_attr is not None else [])]
        kinds = [table.hash_key_type, table.range_key_type]
        if exact and set(key) != set(names):
            raise Unusual("key")
        made = []
        for name, kind in zip(names, kinds, strict=False):
            value = key.get(name)
            if value is None or kind not in value or not value[kind] or kind == "B":
                raise Unusual("key")
            made.append(DynamoType(value))
        return made[0], made[1] if len(made) > 1 else None

    @staticmethod
    def _held(table: Any, keys: tuple[DynamoType, DynamoType | None]) -> Item | None:
        hash_key, range_key = keys
        held = table.items.get(hash_key)
        if held is None or range_key is None:
            return held  # type: ignore[no-any-return]
        return held.get(range_key)  # type: ignore[no-any-return]

    @staticmethod
    def _keep(
        call: Call, table: Any, keys: tuple[DynamoType, DynamoType | None], item: Item | None, values: dict[str, Value]
    ) -> None:
        call.notes["size"] = size = item_size(values)
        if size > ITEM_BYTES:
            raise Unusual("too large")
        _check_indexes(table, values)
        if item is not None:
            fill_item(item, values)
            return
        made = new_item(*keys, values)
        if keys[1] is None:
            table.items[keys[0]] = made
        else:
            table.items[keys[0]][keys[1]] = made

    def get(self, call: Call) -> dict[str, Any]:
        table = self._table(call)
        item = self._held(table, self._keys(table, call.params["Key"]))
        return {} if item is None else {"Item": attributes(item)}

    def put(self, call: Call) -> dict[str, Any]:
        table, params = self._table(call), call.params
        keys = self._keys(table, params["Item"], exact=False)
        values = {name: copied(value) for name, value in params["Item"].items()}
        item = self._held(table, keys)
        old = attributes(item) if item is not None else None
        _check(params, old, frozenset())
        wanted = _returned(params, ("NONE", "ALL_OLD"))
        self._keep(call, table, keys, item, values)
        return {"Attributes": old} if wanted == "ALL_OLD" and old is not None else {}

    def update(self, call: Call) -> dict[str, Any]:
        table, params = self._table(call), call.params
        keys = self._keys(table, params["Key"])
        names = tuple((params.get("ExpressionAttributeNames") or {}).items())
        compiled = update(params["UpdateExpression"], names) if "UpdateExpression" in params else None
        item = self._held(table, keys)
        old = attributes(item) if item is not None else None
        _check(params, old, compiled.used if compiled is not None else frozenset())
        wanted = _returned(params, ("NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"))
        before = old if old is not None else {name: copied(value) for name, value in params["Key"].items()}
        touched: tuple[str, ...] = ()
        after = before
        if compiled is not None:
            if any(len(path) > 1 for path, _ in compiled.changes) and wanted.startswith("UPDATED"):
                raise Unusual("the part of a map")
            after, touched = compiled.apply(before, params.get("ExpressionAttributeValues") or {})
            if any(name in params["Key"] for name in touched):
                raise Unusual("key")
        self._keep(call, table, keys, item, after)
        if wanted == "ALL_NEW":
            return {"Attributes": {name: copied(value) for name, value in after.items()}}
        if wanted == "UPDATED_NEW":
            found = {name: copied(after[name]) for name in touched if name in after}
        elif wanted == "UPDATED_OLD":
            found = {name: copied(before[name]) for name in touched if name in before}
        else:
            found = dict(old or {}) if wanted == "ALL_OLD" else {}
        return {"Attributes": found} if found else {}

    def query(self, call: Call) -> dict[str, Any]:
        return query(self._table(call), call.params)

    def delete(self, call: Call) -> dict[str, Any]:
        table, params = self._table(call), call.params
        keys = self._keys(table, params["Key"])
        item = self._held(table, keys)
        old = attributes(item) if item is not None else None
        _check(params, old, frozenset())
        wanted = _returned(params, ("NONE", "ALL_OLD"))
        call.notes["size"] = item_size(old or {})
        if item is not None:
            table.delete_item(*keys)
        return {"Attributes": old} if wanted == "ALL_OLD" and old is not None else {}


def _with_capacity(call: Call, answer: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html."""
    wanted = call.params.get("ReturnConsumedCapacity", "NONE")
    if wanted == "NONE":
        return answer
    if call.operation == "GetItem":
        amount = units(item_size(answer.get("Item") or {}), READ_UNIT) * (
            1.0 if call.params.get("ConsistentRead") else 0.5
        )
    else:
        amount = float(units(call.notes["size"], WRITE_UNIT))
    capacity: dict[str, Any] = {"TableName": call.params["TableName"], "CapacityUnits": amount}
    if wanted == "INDEXES":
        capacity["Table"] = {"CapacityUnits": amount}
    return {**answer, "ConsumedCapacity": capacity}


def _returned(params: Mapping[str, Any], allowed: tuple[str, ...]) -> str:
    wanted: str = params.get("ReturnValues", "NONE")
    if wanted not in allowed:
        raise Unusual(wanted)
    return wanted


def _check(params: Mapping[str, Any], old: dict[str, Value] | None, used: frozenset[str]) -> None:
    """Raise what a failed condition answers; every name and value given must be used."""
    names, values = params.get("ExpressionAttributeNames"), params.get("ExpressionAttributeValues")
    test = None
    if "ConditionExpression" in params:
        test, more = condition(params["ConditionExpression"], tuple((names or {}).items()))
        used |= more
    given = {*(names or ()), *(values or ())}
    if given != used or names == {} or values == {}:
        raise Unusual("names or values")
    for value in (values or {}).values():
        copied(value)
    if test is None or test(lambda path: walk(old, path), values or {}):
        return
    fields: dict[str, Any] = {}
    if params.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and old is not None:
        fields["Item"] = old
    raise ServiceError("ConditionalCheckFailedException", "The conditional request failed", fields=fields)


def _check_indexes(table: Any, values: Mapping[str, Value]) -> None:
    """An index's key has the type that the table declares."""
    for declared in table.attr:
        value = values.get(declared["AttributeName"])
        if value is not None and (kind_of(value) != declared["AttributeType"] or value[kind_of(value)] == ""):
            raise Unusual("index key")
