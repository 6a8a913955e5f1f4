"""DynamoDB: the items of all tables, and the records of their streams."""

from collections.abc import Iterator
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import StreamRecord

from drumbeat.local.items import attributes, new_item, stored

from .inside import Inside, Line


def _tables(inside: Inside) -> Iterator[tuple[str, Any]]:
    for region, backend in dict.items(dynamodb_backends[inside.world.deployment.account]):
        for table in backend.tables.values():
            yield region, table


def save(inside: Inside) -> Iterator[Line]:
    """Items in the order in which a scan finds them."""
    for region, table in _tables(inside):
        for held in table.items.values():
            for item in held.values() if table.range_key_attr is not None else (held,):
                yield {"kind": "item", "region": region, "table": table.name, "item": attributes(item)}
        if table.stream_shard is not None:
            for record in table.stream_shard.items:
                yield {"kind": "change", "region": region, "table": table.name, "record": record.record}


def empty(inside: Inside) -> None:
    """Take out what the deployment put in."""
    for _, table in _tables(inside):
        table.items.clear()
        if table.stream_shard is not None:
            table.stream_shard.items.clear()


def load(inside: Inside, line: Line) -> None:
    """Put an item or a stream's record back, without telling anybody of it."""
    tables = dynamodb_backends[inside.world.deployment.account][line["region"]].tables
    table: Any = tables.get(line["table"])
    if table is None or (line["kind"] == "change" and table.stream_shard is None):
        inside.lose(f"items of table {line['table']}" if line["kind"] == "item" else f"the stream of {line['table']}")
        return
    if line["kind"] == "change":
        record: Any = object.__new__(StreamRecord)
        record.record = line["record"]
        table.stream_shard.items.append(record)
        return
    values = line["item"]
    keys = [table.hash_key_attr, *([table.range_key_attr] if table.range_key_attr is not None else [])]
    if not all(name in values for name in keys):
        inside.lose(f"items of table {table.name} without the new key")
        return
    hash_key, *rest = (stored(values[name]) for name in keys)
    item = new_item(hash_key, rest[0] if rest else None, values)
    if rest:
        table.items[hash_key][rest[0]] = item
    else:
        table.items[hash_key] = item
