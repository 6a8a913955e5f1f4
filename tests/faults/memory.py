"""The few AWS calls that the runtime makes, answered in memory: milliseconds a run instead of seconds.

Every answer comes through one seam, `World.call`, where a call may be refused, repeated or be the last one of its
process.  What each call does is DynamoDB's or SQS's own behaviour, by the expressions of the local cloud.
"""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError

from drumbeat.local.expressions import condition, walk
from drumbeat.local.updates import update
from drumbeat.runtime.services import Services, Settings
from tests.ceilings import check_answer, check_request

Params = dict[str, Any]


class Crash(BaseException):
    """The process of the invocation is no more."""


class ConditionalCheckFailedException(ClientError):
    """A condition of DynamoDB's doesn't hold."""


@dataclass
class Message:
    """A message of a queue; `visible` is when it may be received."""

    body: str
    id: str
    visible: datetime
    receives: int = 0
    handle: str = ""


@dataclass
class World:
    """All state of AWS, and the time.  `answer` decides on each call of a function's; `actor` is who is at work."""

    now: datetime
    answer: Callable[[str, str, Params, Callable[[], Any]], Any]
    records: dict[tuple[str, str], Params] = field(default_factory=dict)
    queues: dict[str, list[Message]] = field(default_factory=lambda: {"live": [], "backfill": [], "dead": []})
    objects: dict[str, bytes] = field(default_factory=dict)
    invoked: list[tuple[datetime, str, Any]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def call(self, service: str, operation: str, params: Params, apply: Callable[[], Any]) -> Any:
        """One call, within the limits of its service."""
        check_request(service, operation, params)
        found = self.answer(service, operation, params, apply)
        if service == "dynamodb":
            check_answer(operation, found)
        return found

    def put_message(self, queue: str, body: str, *, delay_s: float = 0) -> None:
        """Put a message into a queue."""
        self.sent.append(body)
        self.queues[queue].append(Message(body, f"m{len(self.sent)}", self.now + timedelta(seconds=delay_s)))


class Dynamo:
    """Records by their two keys; only consistent reads are answered, for what they'd decide on may be old else."""

    exceptions = SimpleNamespace(ConditionalCheckFailedException=ConditionalCheckFailedException)

    def __init__(self, world: World) -> None:
        self._world = world

    def get_item(self, **params: Any) -> Params:
        return self._world.call("dynamodb", "GetItem", params, lambda: self._get(params))

    def put_item(self, **params: Any) -> Params:
        return self._world.call("dynamodb", "PutItem", params, lambda: self._write(params, params["Item"]))

    def update_item(self, **params: Any) -> Params:
        return self._world.call("dynamodb", "UpdateItem", params, lambda: self._update(params))

    def get_paginator(self, _: str) -> Any:
        def paginate(**params: Any) -> Iterator[Params]:
            yield self._world.call("dynamodb", "Query", params, lambda: self._query(params))

        return SimpleNamespace(paginate=paginate)

    def _get(self, params: Params) -> Params:
        assert params["ConsistentRead"] is True
        found = self._world.records.get(_key(params["Key"]))
        return {} if found is None else {"Item": dict(found)}

    def _update(self, params: Params) -> Params:
        change = update(params["UpdateExpression"], tuple(params["ExpressionAttributeNames"].items()))
        old = self._world.records.get(_key(params["Key"]))
        self._check(params, old)
        after, _ = change.apply(old or dict(params["Key"]), params["ExpressionAttributeValues"])
        self._world.records[_key(params["Key"])] = after
        return {"Attributes": dict(after)}

    def _write(self, params: Params, item: Params) -> Params:
        self._check(params, self._world.records.get(_key(item)))
        self._world.records[_key(item)] = dict(item)
        return {}

    def _check(self, params: Params, old: Params | None) -> None:
        if "ConditionExpression" not in params:
            return
        names = tuple(params["ExpressionAttributeNames"].items())
        holds, _ = condition(params["ConditionExpression"], names)
        if not holds(lambda path: walk(old, path), params.get("ExpressionAttributeValues") or {}):
            answer = {"Error": {"Code": "ConditionalCheckFailedException"}, **({"Item": dict(old)} if old else {})}
            raise ConditionalCheckFailedException(answer, "UpdateItem")

    def _query(self, params: Params) -> Params:
        assert params["ConsistentRead"] is True
        values = {name: value["S"] for name, value in params["ExpressionAttributeValues"].items()}
        low, high = values.get(":low", values.get(":prefix", "")), values.get(":high")
        found = [
            item
            for (pk, sk), item in sorted(self._world.records.items())
            if pk == values[":pk"] and sk >= low and (sk <= high if high else sk.startswith(values.get(":prefix", "")))
        ]
        return {"Items": found if params.get("ScanIndexForward", True) else found[::-1]}


class Sqs:
    """Queues by the last part of their URL."""

    def __init__(self, world: World) -> None:
        self._world = world

    def send_message_batch(self, **params: Any) -> Params:
        refused: set[str] = set()
        params["refuse"] = refused  # the seam may name some

        def apply() -> Params:
            taken = [entry for entry in params["Entries"] if entry["Id"] not in refused]
            for entry in taken:
                self._world.put_message(_name(params), entry["MessageBody"])
            failed = [{"Id": id_, "SenderFault": False, "Code": "InternalError"} for id_ in sorted(refused)]
            refused.clear()
            return {"Successful": taken, "Failed": failed}

        return self._world.call("sqs", "SendMessageBatch", params, apply)

    def send_message(self, **params: Any) -> Params:
        def apply() -> Params:
            self._world.put_message(_name(params), params["MessageBody"], delay_s=params.get("DelaySeconds", 0))
            return {}

        return self._world.call("sqs", "SendMessage", params, apply)

    def change_message_visibility(self, **params: Any) -> Params:
        def apply() -> Params:
            for message in self._world.queues[_name(params)]:
                if message.handle == params["ReceiptHandle"]:
                    message.visible = self._world.now + timedelta(seconds=params["VisibilityTimeout"])
            return {}

        return self._world.call("sqs", "ChangeMessageVisibility", params, apply)


class S3:
    """One bucket."""

    def __init__(self, world: World) -> None:
        self._world = world

    def put_object(self, **params: Any) -> Params:
        def apply() -> Params:
            self._world.objects[params["Key"]] = params["Body"]
            return {}

        return self._world.call("s3", "PutObject", params, apply)

    def get_object(self, **params: Any) -> Params:
        def apply() -> Params:
            if params["Key"] not in self._world.objects:
                raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
            body = self._world.objects[params["Key"]]
            if given := params.get("Range"):
                first, last = given.removeprefix("bytes=").split("-")
                body = body[int(first) : int(last) + 1 if last else None]
            return {"Body": Body(body), "ETag": '"e"'}

        return self._world.call("s3", "GetObject", params, apply)


class Body(io.BytesIO):
    """What botocore's StreamingBody offers."""

    def iter_lines(self, **_: Any) -> Iterator[bytes]:
        return iter(self.read().splitlines())

    def iter_chunks(self, _: int = 0) -> Iterator[bytes]:
        return iter((self.read(),))


class Functions:
    """Asynchronous invokes, taken down."""

    def __init__(self, world: World) -> None:
        self._world = world

    def invoke(self, **params: Any) -> Params:
        def apply() -> Params:
            event = json.loads(params["Payload"])
            self._world.invoked.append((self._world.now, params["FunctionName"], event))
            return {"StatusCode": 202}

        return self._world.call("lambda", "Invoke", params, apply)


class Events:
    """What was announced."""

    def __init__(self, world: World) -> None:
        self._world = world

    def put_events(self, **params: Any) -> Params:
        params["refuse"] = refused = set()

        def apply() -> Params:
            if refused:
                refused.clear()
                return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalException"}]}
            self._world.told += [json.loads(entry["Detail"]) for entry in params["Entries"]]
            return {"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]}

        return self._world.call("events", "PutEvents", params, apply)


class InMemory(Services):
    """Services whose AWS and time are a world's; skew_s: by how much this function's clock is wrong."""

    def __init__(self, settings: Settings, world: World, draw: Callable[[], float], *, skew_s: float = 0) -> None:
        super().__init__(settings, session=None, sleep=self._pass, draw=draw)
        clients = {"dynamodb": Dynamo, "sqs": Sqs, "s3": S3, "functions": Functions, "events": Events}
        self.__dict__.update({name: client(world) for name, client in clients.items()})
        self.__dict__.update(world=world, skew=timedelta(seconds=skew_s))

    def now(self) -> datetime:  # type: ignore[override]
        return self.__dict__["world"].now + self.__dict__["skew"]

    def _pass(self, seconds: float) -> None:
        self.__dict__["world"].now += timedelta(seconds=seconds)


def unreachable() -> EndpointConnectionError:
    """What the SDK raises when it has lost its patience."""
    return EndpointConnectionError(endpoint_url="https://aws")


def _key(typed: Params) -> tuple[str, str]:
    return typed["pk"]["S"], typed["sk"]["S"]


def _name(params: Params) -> str:
    return str(params["QueueUrl"]).rpartition("/")[2]
