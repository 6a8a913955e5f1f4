"""Event source mappings: Lambda's pollers between a queue and a function.

Batching, windows and concurrency: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html (a standard
queue starts with five concurrent batches and adds up to 300 a minute, to 1,250, "if messages are still available";
"when traffic is low" it goes back to five; a FIFO queue has as many as it has groups; provisioned mode gives ten per
poller) and https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html.
How fast it goes back isn't documented; here it is as fast as it came.

Errors: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html: a failed batch becomes visible
again after the visibility timeout; a throttled one is tried again until then; both have been received once more.
The poller waits for no clock: it acts when its queue tells of a message, so an idle queue costs nothing.
"""

from .clock import SECOND, seconds
from .deployment import EventSourceMapping
from .errors import ResourceRejected
from .functions import Recursive, Throttled
from .message import Message
from .patterns import matches
from .records import filter_view, record
from .responses import failed_ids
from .sandbox import Outcome
from .sqs import Store
from .streams import StreamMapping
from .world import World, function_name, service_of

START, PER_SECOND, MOST = 5, 5, 1_250
PROVISIONED_PER_POLLER, PROVISIONED_PER_SECOND, DEFAULT_POLLERS = 10, 1_000 / 60, (2, 200)
PAYLOAD_BYTES = 6 * 1024 * 1024
RECORD_BYTES = 1_024  # of a record beyond body and attributes, about
POLL_BATCH = 10  # messages of one ReceiveMessage or DeleteMessageBatch
IDLE_POLLERS, LONG_POLL_S = 5, 20


class Mapping_:  # noqa: N801  `Mapping` is collections.abc's
    """One mapping at work."""

    def __init__(self, world: World, mapping: EventSourceMapping, store: Store) -> None:
        self.mapping, self.store = mapping, store
        self.active = 0
        self._world = world
        self._rng = world.seeds.stream(f"mapping {mapping.uuid}")
        self._poll_due = False
        self._ramp_due = False  # not the same: while the ramp waits, an invocation that ends makes room at once
        self._backlog = False
        self._level = 0.0  # concurrent batches that the pollers have come to, at `_noted_ns`
        self._noted_ns = world.clock.ns
        self._created = world.clock.ns
        self._slowed = 0  # concurrent batches fewer, after errors
        self._first_seen: int | None = None
        self._name = function_name(mapping.function_arn)
        self._may_poll()
        if mapping.enabled:
            store.watch(self.wake)
            self.wake()

    def _may_poll(self) -> None:
        """Lambda refuses a mapping whose function's role may not read the queue."""
        world = self._world
        function = world.functions.function(self._name)
        if world.authorizer is None or function is None:
            return
        for operation in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
            params = {"QueueUrl": self.store.queue.url}
            decision = world.authorizer.check(function.role_arn, "sqs", operation, params, session=function.name)
            if not decision.allowed:
                raise ResourceRejected(
                    f"event source mapping of queue {self.store.queue.name!r} and function {function.name!r}: the "
                    f"function's role may not call {operation} on the queue; {decision.message}"
                )

    # -- how many batches at once --------------------------------------------------------------------------

    def capacity(self) -> int:
        start, per_second, most = self._bounds()
        if self.store.queue.fifo:
            return most
        now = self._world.clock.ns
        change = (now - self._noted_ns) / SECOND * per_second
        self._noted_ns = now
        if self._backlog:
            self._level = min(most, max(start, self._level + change))
        else:
            self._level = min(most, max(start, self.active, self._level - change))
        return max(start, int(self._level) - self._slowed)

    def _bounds(self) -> tuple[int, float, int]:
        """Concurrent batches at first, how many more a second while messages wait, and at most."""
        mapping = self.mapping
        if mapping.min_pollers is not None or mapping.max_pollers is not None:
            low = (mapping.min_pollers or DEFAULT_POLLERS[0]) * PROVISIONED_PER_POLLER
            high = (mapping.max_pollers or DEFAULT_POLLERS[1]) * PROVISIONED_PER_POLLER
            return low, PROVISIONED_PER_SECOND, high
        most = min(MOST, mapping.max_concurrency or MOST)
        return min(START, most), PER_SECOND, most

    def _note_backlog(self, backlog: bool) -> None:
        """Whether messages wait that all pollers are too busy to take: that, and nothing else, brings more pollers."""
        self.capacity()  # up to now it was as it was
        self._backlog = backlog

    # -- polling -------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """A message may be there: look soon."""
        if self._poll_due or not self.mapping.enabled or not self.store.visible:
            return
        self._poll_due = True
        wait = self._world.latency.draw(self._world.latency.poll, self._rng)
        window = self.mapping.window_s * SECOND
        if window and self.store.visible < self.mapping.batch_size:
            if self._first_seen is None:
                self._first_seen = self._world.clock.ns
            wait = max(wait, min(self._first_seen + window - self._world.clock.ns, SECOND))
        self._world.loop.after(wait, self._poll)

    def _poll(self) -> None:
        self._poll_due = False
        if not self.mapping.enabled:
            return
        now, waiting = self._world.clock.ns, self.store.visible
        if not waiting:
            self._first_seen = None
            self._note_backlog(False)
            return
        window_open = self._first_seen is not None and now < self._first_seen + self.mapping.window_s * SECOND
        if window_open and waiting < self.mapping.batch_size:
            self.wake()
            return
        self._first_seen = None
        room = self.capacity()
        while self.active < room and self.store.visible:
            if not self._one_batch():
                break
        waits = self.store.visible > 0
        self._note_backlog(waits and self.active >= room)
        if waits and self.active < MOST and not self._ramp_due:  # the ramp lets more in later
            self._ramp_due = True
            self._world.loop.after(SECOND, self._ramp)

    def _ramp(self) -> None:
        self._ramp_due = False
        if not self.store.visible:
            self._note_backlog(False)
        self.wake()

    def _one_batch(self) -> bool:
        messages: list[Message] = []
        left = PAYLOAD_BYTES
        while len(messages) < self.mapping.batch_size:
            got = self.store.receive(min(POLL_BATCH, self.mapping.batch_size - len(messages)), bytes_left=left)
            size = sum(message.size for message in got)
            left -= size + RECORD_BYTES * len(got)
            self._world.meter.poll("ReceiveMessage", size)
            messages += got
            if len(got) < POLL_BATCH or left <= 0:
                break
        if not messages:
            return False
        kept = self._filtered(messages)
        if kept:
            self.active += 1
            until = min(message.visible_ns for message in kept)
            self._invoke(kept, [message.receipt or "" for message in kept], until, 0)
        return True

    def _filtered(self, messages: list[Message]) -> list[Message]:
        """What passes one of the filters; the rest is deleted unseen.

        https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
        """
        if not self.mapping.filters:
            return messages
        kept = [
            message
            for message in messages
            if any(
                matches(pattern, filter_view(message, self.store.queue.arn, self._world.deployment.region))
                for pattern in self.mapping.filters
            )
        ]
        self._delete([message.receipt or "" for message in messages if message not in kept])
        return kept

    def _invoke(self, messages: list[Message], receipts: list[str], until: int, tries: int) -> None:
        world = self._world
        lineage: dict[str, int] = {}
        for message in messages:
            for name, turns in message.lineage.items():
                lineage[name] = max(turns, lineage.get(name, 0))
        ids = [message.id for message in messages]
        event = {
            "Records": [record(message, self.store.queue.arn, self._world.deployment.region) for message in messages]
        }
        try:
            world.functions.start(
                self.mapping.function_arn,
                event,
                lambda outcome: self._done(outcome, ids, receipts),
                source=f"sqs {self.store.queue.name}",
                lineage=lineage,
            )
        except Throttled:
            pause = seconds(min(2**tries, 60) * (0.5 + self._rng.random()))
            world.log.add("mapping.throttled", self._name, messages=len(messages))
            if world.clock.ns + pause >= until:
                self._release()
            else:
                world.loop.after(pause, self._invoke, messages, receipts, until, tries + 1)
        except Recursive:
            self._stop_recursion(messages, receipts)
            self._release()

    def _stop_recursion(self, messages: list[Message], receipts: list[str]) -> None:
        target = self.store.queue.dead_letter_arn
        store = self._world.queues.by_arn(target) if target else None
        self._delete(receipts)
        for message in messages:
            if store is not None:
                store.accept(message, self.store.queue.arn)

    def _done(self, outcome: Outcome, ids: list[str], receipts: list[str]) -> None:
        failed = set(ids)
        if outcome.ok:
            failed = failed_ids(outcome, ids) if self.mapping.report_batch_item_failures else set()
        elif not self.mapping.report_batch_item_failures:
            self._slowed = min(MOST, max(1, self._slowed * 2, self.active // 2))
        if not failed and self._slowed:
            self._slowed -= 1
        self._delete([receipt for message_id, receipt in zip(ids, receipts, strict=True) if message_id not in failed])
        if failed:
            self._world.log.add("mapping.failed", self._name, messages=len(failed), of=len(ids))
        self._release()

    def _release(self) -> None:
        self.active -= 1
        self.wake()

    def _delete(self, receipts: list[str]) -> None:
        for start in range(0, len(receipts), POLL_BATCH):
            self._world.meter.poll("DeleteMessageBatch", 1)
            for receipt in receipts[start : start + POLL_BATCH]:
                self.store.delete(receipt)

    # -- pausing, counting ---------------------------------------------------------------------------------

    def set(self, mapping: EventSourceMapping) -> None:
        """Take over a change of the mapping: enabled or not, its sizes."""
        was, self.mapping = self.mapping.enabled, mapping
        if mapping.enabled and not was:
            self.store.watch(self.wake)
            self.wake()
        elif was and not mapping.enabled:
            self.store.unwatch(self.wake)

    def close(self) -> None:
        self.store.unwatch(self.wake)

    @property
    def busy(self) -> bool:
        return self.active > 0 or (self.mapping.enabled and len(self.store) > 0)

    def empty_receives(self) -> int:
        """What the pollers' long polls on an empty queue come to; computed, they are no events."""
        pollers = self.mapping.min_pollers or IDLE_POLLERS
        return (self._world.clock.ns - self._created) // (LONG_POLL_S * SECOND) * pollers if self.mapping.enabled else 0


class Mappings:
    """All mappings, by UUID."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.all: dict[str, Mapping_ | StreamMapping] = {}
        for mapping in world.deployment.mappings:
            self.add(mapping)

    def add(self, mapping: EventSourceMapping) -> None:
        if service_of(mapping.source_arn) == "dynamodb":
            self.all[mapping.uuid] = StreamMapping(self._world, mapping)
            return
        store = self._world.queues.by_arn(mapping.source_arn)
        if store is not None:
            self.all[mapping.uuid] = Mapping_(self._world, mapping, store)

    def remove(self, uuid: str) -> None:
        found = self.all.pop(uuid, None)
        if found is not None:
            found.close()

    @property
    def busy(self) -> bool:
        return any(mapping.busy for mapping in self.all.values())
