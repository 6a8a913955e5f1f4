"""What a worker gets: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from .message import Message


def record(message: Message, queue_arn: str, region: str) -> dict[str, Any]:
    """A received message as an element of the event's Records."""
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": message.system_attributes(),
        "messageAttributes": {name: _attribute(value) for name, value in message.attributes.items()},
        "md5OfBody": message.md5(),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }


def filter_view(message: Message, queue_arn: str, region: str) -> dict[str, Any]:
    """The record as filters see it: a JSON body is taken apart."""
    view = record(message, queue_arn, region)
    try:
        view["body"] = json.loads(message.body)
    except ValueError:
        view["body"] = message.body
    return view


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"dataType": value["DataType"], "stringListValues": [], "binaryListValues": []}
    if "StringValue" in value:
        shown["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        shown["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return shown
