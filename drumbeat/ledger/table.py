"""The few DynamoDB calls that the ledger is made of, with plain Python values.

Every read is consistent and every decision is one conditional write: see "Counting a million chunks" in docs.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Value = str | int | bool | set[int] | set[str]
Item = dict[str, Any]

ABSENT = "attribute_not_exists(#pk)"
ANY = "attribute_not_exists(#pk) OR attribute_exists(#pk)"
"""A condition that always holds: the write is to happen, whatever is there."""


class Key(NamedTuple):
    """Partition and sort key of a record."""

    pk: str
    sk: str


class Written(NamedTuple):
    """The record after an accepted write, or as it stood when the condition refused it."""

    item: Item
    accepted: bool


class Table:
    """A table with string keys `pk` and `sk`, through the client that the caller made."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: Key) -> Item | None:
        """Read one record, consistently."""
        answer = self._client.get_item(TableName=self._name, Key=_typed(key._asdict()), ConsistentRead=True)
        return _plain(answer["Item"]) if "Item" in answer else None

    def put(self, key: Key, item: Mapping[str, Value], condition: str = ABSENT, **values: Value) -> Written:
        """Write one record if the condition holds: by default, if there is none yet."""
        arguments: dict[str, Any] = {
            "Item": _typed({**key._asdict(), **item}),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": _names(condition),
        }
        if values:
            arguments["ExpressionAttributeValues"] = {f":{name}": value for name, value in _typed(values).items()}
        return self._write(self._client.put_item, **arguments)

    def update(self, key: Key, expression: str, condition: str | None = None, **values: Value) -> Written:
        """Change one record; in both expressions `#name` is an attribute and `:name` the value given by that name."""
        arguments: dict[str, Any] = {
            "Key": _typed(key._asdict()),
            "UpdateExpression": expression,
            "ExpressionAttributeNames": _names(expression + (condition or "")),
            "ExpressionAttributeValues": {f":{name}": value for name, value in _typed(values).items()},
            "ReturnValues": "ALL_NEW",
        }
        if condition:
            arguments["ConditionExpression"] = condition
        return self._write(self._client.update_item, **arguments)

    def query(
        self, pk: str, *, prefix: str = "", between: tuple[str, str] | None = None, newest_first: bool = False
    ) -> Iterator[Item]:
        """Read the records of one partition in the order of sort keys, page by page, consistently.

        prefix: how their sort keys start; between: from and to which sort key, both included, instead of a prefix.
        """
        condition, values = "pk = :pk", {":pk": pk}
        if between is not None:
            condition, values = (
                f"{condition} AND sk BETWEEN :low AND :high",
                values | dict(zip((":low", ":high"), between, strict=True)),
            )
        elif prefix:
            condition, values = f"{condition} AND begins_with(sk, :prefix)", values | {":prefix": prefix}
        pages: Any = self._client.get_paginator("query").paginate(
            TableName=self._name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=_typed(values),
            ScanIndexForward=not newest_first,
            ConsistentRead=True,
        )
        for page in pages:
            yield from map(_plain, page["Items"])

    def _write(self, call: Any, **arguments: Any) -> Written:
        try:
            answer: Any = call(TableName=self._name, ReturnValuesOnConditionCheckFailure="ALL_OLD", **arguments)
        except self._client.exceptions.ConditionalCheckFailedException as refused:
            response: Any = refused.response
            return Written(_plain(response.get("Item", {})), accepted=False)
        return Written(_plain(answer.get("Attributes", {})), accepted=True)


def _names(expression: str) -> dict[str, str]:
    return {f"#{name}": name for name in re.findall(r"#(\w+)", expression)}


def _typed(values: Mapping[str, Value]) -> dict[str, Any]:
    return {name: _typed_value(value) for name, value in values.items()}


def _typed_value(value: Value) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, str):
        return {"S": value}
    if all(isinstance(member, int) for member in value):
        return {"NS": sorted(map(str, value))}
    return {"SS": sorted(map(str, value))}


def _plain(item: Mapping[str, Any]) -> Item:
    return {name: _plain_value(*value.items()) for name, value in item.items()}


def _plain_value(typed: tuple[str, Any]) -> Any:
    kind, value = typed
    match kind:
        case "N":
            return int(value)
        case "NS":
            return {int(number) for number in value}
        case "SS":
            return set(value)
        case _:
            return value
