"""Event source mappings on DynamoDB streams: what changed in a table, in order, to a function.

https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html and, for errors,
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html: a failed batch is tried again, before any
later one, until it succeeds, has no retries left or is too old; it may be cut in two, which costs no retry; a partial
response moves the checkpoint to its lowest sequence number. Shards are polled four times a second.
A table has one shard here, so that the changes of all its items keep their order; with a ParallelizationFactor several
batches run side by side, each item's changes in order.
The pauses between retries aren't documented; here they double from one second to a minute.
"""

import json
from collections import deque
from datetime import UTC, datetime
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import StreamShard

from .clock import SECOND, seconds, to_datetime
from .deployment import EventSourceMapping
from .errors import ResourceRejected
from .functions import Recursive, Throttled
from .patterns import matches
from .responses import failed_ids
from .sandbox import Outcome
from .world import World, function_name

POLL_EVERY_S = 0.25
RETENTION_S = 24 * 3600
LONGEST_PAUSE_S = 60
PAYLOAD_BYTES = 6 * 1024 * 1024
_CALLS = ("DescribeStream", "GetRecords", "GetShardIterator")

Record = dict[str, Any]


def table_of(stream_arn: str) -> str:
    return stream_arn.partition(":table/")[2].partition("/")[0]


class Lane:
    """What one of a shard's parallel batches has before it: of one key, all goes through one lane."""

    def __init__(self) -> None:
        self.waiting: deque[Record] = deque()
        self.batches: deque[list[Record]] = deque()  # cut or to be tried again, before what waits
        self.active = False
        self.polling = False
        self.first_ns = 0


class StreamMapping:
    """One mapping at work."""

    def __init__(self, world: World, mapping: EventSourceMapping) -> None:
        self.mapping = mapping
        self._world = world
        self._rng = world.seeds.stream(f"mapping {mapping.uuid}")
        self._name = function_name(mapping.function_arn)
        self._table = table_of(mapping.source_arn)
        self._lanes = [Lane() for _ in range(mapping.parallel)]
        self._may_read()
        world.streams.setdefault(self._table, []).append(self)
        if mapping.starting_position == "TRIM_HORIZON":
            for one in self._shard().items:
                self.push(one.record)

    def _shard(self) -> Any:
        deployment = self._world.deployment
        return dynamodb_backends[deployment.account][deployment.region].tables[self._table].stream_shard

    def _may_read(self) -> None:
        world = self._world
        function = world.functions.function(self._name)
        if world.authorizer is None or function is None:
            return
        for call in _CALLS:
            params = {"StreamArn": self.mapping.source_arn}
            decision = world.authorizer.check(function.role_arn, "dynamodbstreams", call, params, session=function.name)
            if not decision.allowed:
                raise ResourceRejected(
                    f"event source mapping of table {self._table!r} and function {function.name!r}: the function's "
                    f"role may not call {call} on the stream; {decision.message}"
                )

    # -- batches -------------------------------------------------------------------------------------------

    def push(self, record: Record) -> None:
        """Take a change of the table."""
        key = json.dumps(record["dynamodb"]["Keys"], sort_keys=True)
        lane = self._lanes[sum(key.encode()) % len(self._lanes)]
        if not lane.waiting:
            lane.first_ns = self._world.clock.ns
        lane.waiting.append(record)
        self._wake(lane)

    def _wake(self, lane: Lane) -> None:
        if lane.polling or lane.active or not self.mapping.enabled or not (lane.waiting or lane.batches):
            return
        lane.polling = True
        wait = seconds(POLL_EVERY_S * self._rng.random())
        if not lane.batches and len(lane.waiting) < self.mapping.batch_size:
            wait = max(wait, lane.first_ns + self.mapping.window_s * SECOND - self._world.clock.ns)
            if self.mapping.window_s:  # it may fill up before
                wait = min(wait, SECOND)
        self._world.loop.after(wait, self._poll, lane)

    def _poll(self, lane: Lane) -> None:
        lane.polling = False
        if lane.active or not self.mapping.enabled:
            return
        full = len(lane.waiting) >= self.mapping.batch_size
        if not lane.batches and not full and self._world.clock.ns < lane.first_ns + self.mapping.window_s * SECOND:
            self._wake(lane)
            return
        batch = lane.batches.popleft() if lane.batches else self._take(lane)
        if batch:
            self._invoke(lane, batch, 0, 0)
        else:
            self._wake(lane)

    def _take(self, lane: Lane) -> list[Record]:
        batch: list[Record] = []
        size = 0
        shard = self._shard()
        while lane.waiting and len(batch) < self.mapping.batch_size:
            record = lane.waiting[0]
            size += record["dynamodb"]["SizeBytes"]
            if size > PAYLOAD_BYTES and batch:
                break
            lane.waiting.popleft()
            if _happened(shard, record) and self._passes(record):
                batch.append(record)
        lane.first_ns = self._world.clock.ns
        return batch

    def _passes(self, record: Record) -> bool:
        shown = self._shown(record)
        return not self.mapping.filters or any(matches(pattern, shown) for pattern in self.mapping.filters)

    def _shown(self, record: Record) -> dict[str, Any]:
        """https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html."""
        change = record["dynamodb"]
        return {
            **record,
            "eventVersion": "1.1",
            "awsRegion": self._world.deployment.region,
            "eventSourceARN": self.mapping.source_arn,
            "dynamodb": {**change, "ApproximateCreationDateTime": float(int(_moment(record).timestamp()))},
        }

    # -- invocations ---------------------------------------------------------------------------------------

    def _invoke(self, lane: Lane, batch: list[Record], retries: int, throttles: int) -> None:
        world = self._world
        lane.active = True
        if self._too_old(batch):
            self._give_up(lane, batch, retries, None, "MaximumRecordAgeExceeded")
            return
        try:
            world.functions.start(
                self.mapping.function_arn,
                {"Records": [self._shown(record) for record in batch]},
                lambda outcome: self._done(lane, batch, retries, outcome),
                source=f"dynamodb {self._table}",
            )
        except Throttled:
            world.log.add("mapping.throttled", self._name, messages=len(batch))
            world.loop.after(self._pause(throttles), self._invoke, lane, batch, retries, throttles + 1)
        except Recursive:  # not detected for streams
            self._next(lane)

    def _pause(self, times: int) -> int:
        return seconds(min(2**times, LONGEST_PAUSE_S) * (0.5 + 0.5 * self._rng.random()))

    def _too_old(self, batch: list[Record]) -> bool:
        limit = min(self.mapping.max_record_age_s or RETENTION_S, RETENTION_S)
        age = to_datetime(self._world.clock.ns) - _moment(batch[0])
        return bool(age.total_seconds() > limit)

    def _done(self, lane: Lane, batch: list[Record], retries: int, outcome: Outcome) -> None:
        rest = batch
        if outcome.ok:
            numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
            failed = failed_ids(outcome, numbers) if self.mapping.report_batch_item_failures else set()
            if not failed:
                self._next(lane)
                return
            first = min(map(numbers.index, failed))
            retries, rest = (retries, batch) if first == 0 else (0, batch[first:])
        self._world.log.add("mapping.failed", self._name, messages=len(rest), of=len(batch))
        if self.mapping.bisect and len(rest) > 1 and len(rest) == len(batch):
            middle = len(rest) // 2
            lane.batches.appendleft(rest[middle:])
            self._world.loop.after(self._pause(0), self._invoke, lane, rest[:middle], retries, 0)
        elif self.mapping.max_retries is not None and retries >= self.mapping.max_retries:
            self._give_up(lane, rest, retries, outcome, "RetryAttemptsExhausted")
        else:
            self._world.loop.after(self._pause(retries), self._invoke, lane, rest, retries + 1, 0)

    def _give_up(self, lane: Lane, batch: list[Record], retries: int, outcome: Outcome | None, why: str) -> None:
        """https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html has the record."""
        world, destination = self._world, self.mapping.on_failure_arn
        function = world.functions.function(self._name)
        world.log.add("mapping.discarded", self._name, messages=len(batch), condition=why)
        if destination is not None and function is not None:
            first, last = batch[0]["dynamodb"], batch[-1]["dynamodb"]
            context = {"requestId": world.uuid(self._rng), "functionArn": function.arn, "condition": why}
            record: dict[str, Any] = {
                "requestContext": {**context, "approximateInvokeCount": retries + 1},
                "version": "1.0",
                "timestamp": _stamp(to_datetime(world.clock.ns)),
                "DDBStreamBatchInfo": {
                    "shardId": self._shard().id,
                    "startSequenceNumber": first["SequenceNumber"],
                    "endSequenceNumber": last["SequenceNumber"],
                    "approximateArrivalOfFirstRecord": _stamp(_moment(batch[0])),
                    "approximateArrivalOfLastRecord": _stamp(_moment(batch[-1])),
                    "batchSize": len(batch),
                    "streamArn": self.mapping.source_arn,
                },
            }
            if outcome is not None:
                status = {"statusCode": 200, "executedVersion": "$LATEST"}
                record["responseContext"] = {**status, "functionError": outcome.error} if outcome.error else status
            world.delivery.destination(destination, record, role_arn=function.role_arn)
        self._next(lane)

    def _next(self, lane: Lane) -> None:
        lane.active = False
        self._wake(lane)

    # -- pausing, counting ---------------------------------------------------------------------------------

    def set(self, mapping: EventSourceMapping) -> None:
        """Take over a change of the mapping; what happens while it is disabled is read when it is enabled again."""
        self.mapping = mapping
        for lane in self._lanes:
            self._wake(lane)

    def close(self) -> None:
        self._world.streams[self._table].remove(self)

    @property
    def busy(self) -> bool:
        waits = any(lane.waiting or lane.batches for lane in self._lanes)
        return any(lane.active for lane in self._lanes) or (self.mapping.enabled and waits)

    def empty_receives(self) -> int:
        """None: reading a stream for Lambda isn't billed."""
        return 0


class StreamSource:
    """Tells the mappings of a table's changes, in place of moto's own trigger, between `open` and `close`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._real = StreamShard.add

    def open(self) -> None:
        world, real = self._world, self._real

        def add(shard: Any, old: Any, new: Any) -> None:
            if old is not None and new is not None and old.to_json() == new.to_json():
                return  # "no stream record is written" for a change that changes nothing
            shard.table.lambda_event_source_mappings.clear()
            real(shard, old, new)
            for mapping in world.streams.get(shard.table.name, ()):
                mapping.push(shard.items[-1].record)

        setattr(StreamShard, "add", add)  # noqa: B010  a method, to mypy

    def close(self) -> None:
        setattr(StreamShard, "add", self._real)  # noqa: B010


def _happened(shard: Any, record: Record) -> bool:
    """Whether a change is still there: one of a transaction that failed isn't."""
    place = int(record["dynamodb"]["SequenceNumber"]) - shard.starting_sequence_number
    return bool(place < len(shard.items) and shard.items[place].record["eventID"] == record["eventID"])


def _moment(record: Record) -> datetime:
    made: datetime = record["dynamodb"]["ApproximateCreationDateTime"]  # moto's are UTC, and don't say so
    return made.replace(tzinfo=UTC)


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
