"""The queues of the deployment, and those made while it runs, by name, URL and ARN."""

from dataclasses import replace
from typing import Any

from .deployment import Queue
from .sqs import Store
from .world import World, name_of


class Queues:
    """Stores by name. A queue that was created through the API is found in moto at its first use."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.stores: dict[str, Store] = {}
        self._rng = world.seeds.stream("sqs")
        for queue in world.deployment.queues:
            self._add(queue)

    def _add(self, queue: Queue) -> Store:
        store = Store(
            queue,
            len(self.stores) + 1,
            loop=self._world.loop,
            rng=self._rng,
            find=self.by_arn,
            faults=self._world.faults,
            depth=self._world.timeline.depth,
        )
        self.stores[queue.name] = store
        return store

    def by_arn(self, arn: str) -> Store | None:
        return self.by_name(name_of(arn))

    def by_url(self, url: str) -> Store | None:
        return self.by_name(url.rpartition("/")[2])

    def by_name(self, name: str) -> Store | None:
        found = self.stores.get(name)
        if found is None and name:
            known = self._moto().get(name)
            if known is not None:
                found = self._add(_queue(known, Queue(logical_id="", name=name, url="", arn=known.queue_arn)))
        return found

    def refresh(self, name: str) -> None:
        """Take over attributes that SetQueueAttributes has changed in moto."""
        store, known = self.stores.get(name), self._moto().get(name)
        if store is not None and known is not None:
            store.queue = _queue(known, store.queue)

    def forget(self, name: str) -> None:
        store = self.stores.pop(name, None)
        if store is not None:
            store.purge()

    def _moto(self) -> dict[str, Any]:
        from moto.sqs.models import sqs_backends  # noqa: PLC0415  slow to import, and only for queues made at run time

        deployment = self._world.deployment
        queues: dict[str, Any] = sqs_backends[deployment.account][deployment.region].queues
        return queues


def _queue(known: Any, queue: Queue) -> Queue:
    """What moto knows of a queue, over what we knew."""
    redrive = getattr(known, "redrive_policy", None) or {}
    return replace(
        queue,
        arn=known.queue_arn,
        url=queue.url or f"https://sqs.{known.region}.amazonaws.com/{known.account_id}/{known.name}",
        fifo=known.fifo_queue,
        content_based_deduplication=known.content_based_deduplication,
        visibility_timeout_s=known.visibility_timeout,
        delay_s=known.delay_seconds,
        retention_s=known.message_retention_period,
        max_message_bytes=known.maximum_message_size,
        receive_wait_s=known.receive_message_wait_time_seconds,
        dead_letter_arn=redrive.get("deadLetterTargetArn"),
        max_receive_count=redrive.get("maxReceiveCount"),
    )
