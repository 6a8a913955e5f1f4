"""Query in its plain form: one partition of a table, whole, by the beginning or the range of a sort key that is text.

A keeper, and whoever shows runs, asks one for each task; moto takes twenty times as long for each.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item

from .items import Unusual, Value, attributes
from .sizes import item_size

KNOWN = {"TableName", "KeyConditionExpression", "ExpressionAttributeValues", "ScanIndexForward", "ConsistentRead"}
_PAGE_BYTES = 1024 * 1024
_CONDITION = re.compile(
    r"(?P<pk>\w+) = (?P<is>:\w+)"
    r"(?: AND (?:begins_with\((?P<prefixed>\w+), (?P<prefix>:\w+)\)"
    r"|(?P<ranged>\w+) BETWEEN (?P<low>:\w+) AND (?P<high>:\w+)))?"
)


def query(table: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """The answer; raises Unusual for another form, or for more than a page."""
    values: Mapping[str, Value] = params.get("ExpressionAttributeValues") or {}
    names = _parsed(params.get("KeyConditionExpression", ""))
    used = {names[part] for part in ("is", "prefix", "low", "high") if names[part]}
    sort_key = names["prefixed"] or names["ranged"] or table.range_key_attr
    if (names["pk"], sort_key) != (table.hash_key_attr, table.range_key_attr) or used != set(values):
        raise Unusual("condition")
    if (
        table.hash_key_type != "S"
        or table.range_key_type != "S"
        or any(set(value) != {"S"} for value in values.values())
    ):
        raise Unusual("key")
    wanted = _chosen({part: values[name]["S"] for part, name in names.items() if name and name in values})
    held: Mapping[DynamoType, Item] = table.items.get(DynamoType(values[names["is"]])) or {}
    chosen = ((key.value.encode(), item) for key, item in held.items())
    found = sorted(((key, item) for key, item in chosen if wanted(key)), key=itemgetter(0))
    shown = [attributes(item) for _, item in (found if params.get("ScanIndexForward", True) else reversed(found))]
    if sum(map(item_size, shown)) >= _PAGE_BYTES:
        raise Unusual("more than a page")
    return {"Items": shown, "Count": len(shown), "ScannedCount": len(shown)}


def _chosen(given: Mapping[str, str]) -> Callable[[bytes], bool]:
    if "prefix" in given:
        prefix = given["prefix"].encode()
        return lambda key: key.startswith(prefix)
    if "low" in given:
        low, high = given["low"].encode(), given["high"].encode()
        if low > high:
            raise Unusual("an empty range, which DynamoDB refuses")
        return lambda key: low <= key <= high
    return lambda _: True


@lru_cache(256)
def _parsed(condition: str) -> Mapping[str, str]:
    match = _CONDITION.fullmatch(condition)
    if match is None:
        raise Unusual(condition)
    return match.groupdict(default="")
