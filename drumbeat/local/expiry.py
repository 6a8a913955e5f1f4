"""DynamoDB's time to live: an expired item is deleted some time after its moment, and may be read until then.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html: within a few days; here at the end of the
virtual day. The stream's record says that the service did it. What expired more than five years ago stays:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html.
"""

from collections.abc import Iterator
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from .clock import SECOND
from .items import plain
from .world import World

DAY_S = 24 * 3600
OLDEST_S = 5 * 365 * DAY_S
_BY_SERVICE = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


class Expiry:
    """Sweeps the tables that have a time to live, from `open` on."""

    def __init__(self, world: World) -> None:
        self._world = world

    def open(self) -> None:
        if self._tables():
            self._world.loop.after(DAY_S * SECOND, self._sweep)

    def close(self) -> None:
        """Nothing is left behind: the loop ends with the cloud."""

    def _tables(self) -> list[Any]:
        deployment = self._world.deployment
        return list(dynamodb_backends[deployment.account][deployment.region].tables.values())

    def _sweep(self) -> None:
        now = self._world.clock.ns // SECOND
        for table in self._tables():
            name = _attribute(table)
            if not name:
                continue
            for item in [item for item in _items(table) if now - OLDEST_S < _moment(item, name) <= now]:
                table.delete_item(item.hash_key, item.range_key)
                if table.stream_shard is not None:
                    table.stream_shard.items[-1].record["userIdentity"] = dict(_BY_SERVICE)
                self._world.log.add("item.expired", table.name)
        self._world.loop.after(DAY_S * SECOND, self._sweep)


def _attribute(table: Any) -> str:
    """The attribute with the moment; "" if the table keeps its items."""
    enabled = table.ttl.get("TimeToLiveStatus") == "ENABLED"
    return str(table.ttl.get("AttributeName", "")) if enabled else ""


def _items(table: Any) -> Iterator[Any]:
    for held in table.items.values():
        if table.range_key_attr is None:
            yield held
        else:
            yield from held.values()


def _moment(item: Any, name: str) -> float:
    """Seconds since 1970; what is no number never comes."""
    if name not in item.attrs:
        return float("inf")
    return float(plain(item.attrs[name]).get("N", "inf"))
