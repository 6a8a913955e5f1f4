"""The hook that watches all tests sees what is too large, in whatever way it is sent."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from drumbeat import limits
from drumbeat.ledger import progress
from drumbeat.ledger.progress import Progress
from drumbeat.ledger.table import Table
from tests import ceilings
from tests.conftest import _within_the_limits_of_aws as watched
from tests.faults.memory import Dynamo, World

MIB = 1024 * 1024
RUN_ID = f"{'t' * 48}/2026-11-22T00:00:00Z/{'n' * 64}"
QUEUE = {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/q"}
TABLE = {"TableName": "t"}
KEY = {"Key": {"pk": {"S": "a"}}}


def entries(*bodies: str) -> list[dict[str, str]]:
    return [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]


def attributes(**named: Any) -> dict[str, dict[str, Any]]:
    return {name: {"DataType": "String", "StringValue": value} for name, value in named.items()}


def texts(size: int) -> dict[str, dict[str, str]]:
    return {"pk": {"S": "a"}, "text": {"S": "x" * size}}


TOO_MUCH: list[tuple[str, str, dict[str, Any], str]] = [
    ("sqs", "SendMessage", {**QUEUE, "MessageBody": "ü" * (MIB // 2 + 1)}, "shorter than 1048576 bytes"),
    (
        "sqs",
        "SendMessage",
        {**QUEUE, "MessageBody": "x" * (MIB - 7), "MessageAttributes": attributes(a="b")},
        "shorter than 1048576 bytes",
    ),
    ("sqs", "SendMessage", {**QUEUE, "MessageBody": "a\x00"}, "Invalid characters"),
    ("sqs", "SendMessage", {**QUEUE, "MessageBody": "a\uffff"}, "Invalid characters"),
    ("sqs", "SendMessage", {**QUEUE, "MessageBody": "a", "DelaySeconds": 901}, "DelaySeconds"),
    ("sqs", "SendMessage", {**QUEUE, "MessageBody": "a", "MessageAttributes": attributes(a="")}, "non-empty"),
    ("sqs", "SendMessage", {**QUEUE, "MessageBody": "a", "MessageAttributes": {"AWS.a": {}}}, "name 'AWS.a'"),
    (
        "sqs",
        "SendMessage",
        {**QUEUE, "MessageBody": "a", "MessageAttributes": attributes(**{f"a{n}": "b" for n in range(11)})},
        "exceeds the allowed maximum",
    ),
    ("sqs", "SendMessageBatch", {**QUEUE, "Entries": entries(*"abcdefghijk")}, "Maximum number of entries"),
    ("sqs", "SendMessageBatch", {**QUEUE, "Entries": entries("ü" * 300_000, "ü" * 300_000)}, "cannot be longer"),
    ("sqs", "SendMessageBatch", {**QUEUE, "Entries": entries("a", "b\x0b")}, "Invalid characters"),
    ("sqs", "SendMessageBatch", {**QUEUE, "Entries": entries("a")[:1] * 2}, "repeated"),
    ("sqs", "DeleteMessageBatch", {**QUEUE, "Entries": [{"Id": "a b", "ReceiptHandle": "r"}]}, "batch entry id"),
    ("dynamodb", "PutItem", {**TABLE, "Item": texts(400 * 1024)}, "Item size"),
    ("dynamodb", "UpdateItem", {**TABLE, **KEY, "UpdateExpression": f"SET {'a' * 4096} = b"}, "Expression size"),
    ("dynamodb", "Query", {**TABLE, "KeyConditionExpression": "a" * 4097}, "Expression size"),
    (
        "dynamodb",
        "UpdateItem",
        {**TABLE, **KEY, "ExpressionAttributeValues": {":a": {"S": "x" * (2 * MIB + 1)}}},
        "ExpressionAttributeValues",
    ),
    ("dynamodb", "GetItem", {**TABLE, "Key": {"pk": {"S": "x" * 2049}}}, "Size of hashkey"),
    (
        "dynamodb",
        "TransactWriteItems",
        {"TransactItems": [{"Put": {**TABLE, "Item": {"pk": {"S": str(n)}}}} for n in range(101)]},
        "less than or equal to 100",
    ),
    (
        "dynamodb",
        "TransactWriteItems",
        {"TransactItems": [{"Put": {**TABLE, "Item": texts(399 * 1024)}}] * 11},
        "cannot exceed 4 MB",
    ),
    ("dynamodb", "BatchGetItem", {"RequestItems": {"t": {"Keys": [KEY["Key"]] * 101}}}, "Too many items"),
    (
        "dynamodb",
        "BatchWriteItem",
        {"RequestItems": {"t": [{"PutRequest": {"Item": texts(400 * 1024)}}]}},
        "Item size",
    ),
    ("lambda", "Invoke", {"FunctionName": "f", "Payload": b"x" * (6 * MIB + 1)}, "smaller than"),
    ("lambda", "Invoke", {"FunctionName": "f", "InvocationType": "Event", "Payload": b"x" * (MIB + 1)}, "smaller than"),
    (
        "lambda",
        "UpdateFunctionConfiguration",
        {"FunctionName": "f", "Environment": {"Variables": {"A": "x" * 4096}}},
        "4KB limit",
    ),
    ("events", "PutEvents", {"Entries": [{"Source": "a", "DetailType": "b", "Detail": "x" * MIB}]}, "over the limit"),
    ("events", "PutEvents", {"Entries": [{"Source": "a"}] * 11}, "less than or equal to 10"),
    ("s3", "PutObject", {"Bucket": "b", "Key": "ü" * 513}, "too long"),
    (
        "scheduler",
        "CreateSchedule",
        {"Name": "s", "Target": {"Arn": "a", "RoleArn": "r", "Input": "x" * (256 * 1024 + 1)}},
        "longer than",
    ),
]


@pytest.mark.parametrize(
    ("service", "operation", "params", "words"), TOO_MUCH, ids=[f"{each[1]} {each[3]}" for each in TOO_MUCH]
)
def test_a_request_over_a_limit_is_taken_down(service: str, operation: str, params: Any, words: str) -> None:
    with ceilings.over_the_limit():
        ceilings.check_request(service, operation, params)

        assert [f"{service}.{operation}"] == [text.partition(":")[0] for text in ceilings.found]
        assert words in ceilings.found[0]


def test_a_record_that_grew_and_a_page_that_is_too_long_are_taken_down() -> None:
    with ceilings.over_the_limit():
        ceilings.check_answer("UpdateItem", {"Attributes": texts(400 * 1024)})
        ceilings.check_answer("Query", {"Items": [texts(300 * 1024)] * 4})

        assert ["UpdateItem", "Query"] == [text.partition(":")[0].partition(".")[2] for text in ceilings.found]


def test_what_is_recorded_of_the_largest_chunk_item_by_item_fits_into_a_record() -> None:
    """After a death each item is done by itself, and leaves a token of its pass, or when it may be tried again."""
    table: Any = Table(Dynamo(World(datetime.now(UTC), lambda *call: call[-1]())), "ledger")  # type: ignore[arg-type]
    count, id_ = limits.CHUNK_ITEMS, str(UUID(int=2**127))
    tokens = tuple(f"{id_}.16.{index}" for index in range(count))
    waiting = dict.fromkeys(range(count), 1800000000)
    for number, state in enumerate(
        (
            Progress(parts=tokens, passes=(f"{id_}.died",), ok=count, pending={}, final=True),
            Progress(pending=dict.fromkeys(range(count), 3), due=waiting),
        )
    ):
        progress.write(table, RUN_ID, number, state, token=tokens[-1], expires_at=1_800_000_000)

        assert state.parts == progress.read(table, RUN_ID, number).parts


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("sqs", region_name="us-east-1")


def test_a_test_that_sends_too_much_fails_though_its_code_swallows_the_error(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    watching = watched.__wrapped__()
    next(watching)
    sqs.send_message(QueueUrl=url, MessageBody="fits")
    with suppress(ClientError):
        sqs.send_message(QueueUrl=url, MessageBody="ü" * 600_000)

    with pytest.raises(AssertionError, match="shorter than 1048576 bytes"):
        next(watching)
    ceilings.found.clear()


def test_what_is_said_to_be_over_a_limit_must_be() -> None:
    with pytest.raises(AssertionError, match="nothing in here"), ceilings.over_the_limit():
        pass
