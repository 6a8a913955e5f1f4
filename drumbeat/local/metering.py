"""What a call of an app is billed: from the sizes of its parameters and answer."""

import json
from typing import Any

from .message import size_of
from .meter import READ_UNIT, SQS_UNIT, WRITE_UNIT, units
from .services import Call
from .sizes import item_size
from .world import World


class Metering:
    """Counts answered calls."""

    def __init__(self, world: World) -> None:
        self._world, self._meter = world, world.meter

    def count(self, call: Call, parsed: dict[str, Any]) -> None:
        if call.service == "sqs":
            self._meter.bill("sqs_requests", units(self._sqs_bytes(call, parsed), SQS_UNIT))
        elif call.service == "dynamodb":
            self._dynamodb(call, parsed)
        elif call.service == "s3":
            reads = call.operation.startswith(("Get", "Head", "Select"))
            if not call.operation.startswith("Delete"):
                self._meter.bill("s3_gets" if reads else "s3_puts", 1)

    def count_refused(self, call: Call, code: str) -> None:
        """A write whose condition fails is billed like one that succeeds (see "Conditional writes" there)."""
        if code == "ConditionalCheckFailedException":
            self._write(self._stored_size(call.params) if "Key" in call.params else 1)

    def _sqs_bytes(self, call: Call, parsed: dict[str, Any]) -> int:
        params = call.params
        if call.operation == "SendMessage":
            return size_of(params["MessageBody"], params.get("MessageAttributes"))
        if call.operation == "SendMessageBatch":
            return sum(size_of(entry["MessageBody"], entry.get("MessageAttributes")) for entry in params["Entries"])
        if call.operation == "ReceiveMessage":
            return sum(size_of(message["Body"], None) for message in parsed.get("Messages", ()))
        return 1

    def _dynamodb(self, call: Call, parsed: dict[str, Any]) -> None:  # noqa: C901, PLR0912  one per operation
        params, operation = call.params, call.operation
        if operation == "PutItem":
            self._write(call.notes.get("size") or item_size(params["Item"]))
        elif operation in ("UpdateItem", "DeleteItem"):
            self._write(call.notes.get("size") or self._stored_size(params))
        elif operation == "BatchWriteItem":
            for requests in params["RequestItems"].values():
                for request in requests:
                    self._write(item_size(request["PutRequest"]["Item"]) if "PutRequest" in request else 1)
        elif operation == "TransactWriteItems":
            for request in params["TransactItems"]:
                (inner,) = request.values()
                size = item_size(inner["Item"]) if "Item" in inner else self._stored_size(inner)
                self._write(size, 2)
        elif operation == "GetItem":
            self._read(self._answer_size(parsed.get("Item") or {}), params.get("ConsistentRead", False))
        elif operation in ("Query", "Scan"):
            size = sum(self._answer_size(item) for item in parsed.get("Items") or ())
            self._read(size, params.get("ConsistentRead", False))
        elif operation == "BatchGetItem":
            for table, items in (parsed.get("Responses") or {}).items():
                consistent = params["RequestItems"].get(table, {}).get("ConsistentRead", False)
                for item in items:
                    self._read(self._answer_size(item), consistent)
        elif operation == "TransactGetItems":
            for found in parsed.get("Responses") or ():
                self._meter.bill(
                    "dynamodb_read_units", 2 * units(self._answer_size(found.get("Item") or {}), READ_UNIT)
                )

    @staticmethod
    def _answer_size(item: dict[str, Any]) -> int:
        """An item of an answer; boto3's Table has made Python values of it by then, so its size is nearly right."""
        try:
            return item_size(item)
        except (AttributeError, TypeError, ValueError):
            return len(json.dumps(item, default=str))

    def _write(self, size: int, factor: int = 1) -> None:
        self._meter.bill("dynamodb_write_units", factor * units(size, WRITE_UNIT))

    def _read(self, size: int, consistent: bool) -> None:
        self._meter.bill("dynamodb_read_units", units(size, READ_UNIT) * (1 if consistent else 0.5))

    def _stored_size(self, params: dict[str, Any]) -> int:
        """The size of an item as it is in moto's table."""
        from moto.dynamodb.models import dynamodb_backends  # noqa: PLC0415  slow to import, and then in use
        from moto.dynamodb.models.dynamo_type import DynamoType  # noqa: PLC0415

        deployment = self._world.deployment
        table = dynamodb_backends[deployment.account][deployment.region].tables.get(
            params["TableName"].rpartition("/")[2]
        )
        if table is None:
            return 1
        key = params["Key"]
        sort = DynamoType(key[table.range_key_attr]) if table.range_key_attr is not None else None
        item = table.get_item(DynamoType(key[table.hash_key_attr]), sort)
        return int(item.size()) if item is not None else 1
