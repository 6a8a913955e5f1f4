"""A message of the queue store: its identity, digests and sizes."""

import hashlib
import struct
from collections.abc import Mapping
from typing import Any

READY, DELAYED, IN_FLIGHT, GONE = range(4)


class Message:
    """A message in a queue. Times: `sent_ms` as AWS shows it, `visible_ns` on the loop's clock."""

    __slots__ = (
        "attributes",
        "body",
        "deduplication",
        "first_received_ms",
        "group",
        "id",
        "lineage",
        "number",
        "receipt",
        "receive_count",
        "sender",
        "sent_ms",
        "sequence",
        "size",
        "source_arn",
        "state",
        "trace",
        "visible_ns",
    )

    def __init__(self, *, number: int, message_id: str, body: str, sent_ms: int, sender: str) -> None:
        self.number, self.id, self.body, self.sent_ms, self.sender = number, message_id, body, sent_ms, sender
        self.attributes: Mapping[str, Any] = {}
        self.size = 0
        self.state = READY
        self.visible_ns = 0
        self.receive_count = 0
        self.first_received_ms: int | None = None
        self.receipt: str | None = None
        self.group: str | None = None
        self.deduplication: str | None = None
        self.sequence: int = 0
        self.trace: str | None = None
        self.source_arn: str | None = None
        self.lineage: Mapping[str, int] = {}

    def md5(self) -> str:
        return hashlib.md5(self.body.encode(), usedforsecurity=False).hexdigest()

    def system_attributes(self) -> dict[str, str]:
        """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html."""
        found = {
            "ApproximateReceiveCount": str(self.receive_count),
            "SentTimestamp": str(self.sent_ms),
            "SenderId": self.sender,
            "ApproximateFirstReceiveTimestamp": str(self.first_received_ms or 0),
        }
        if self.group is not None:
            found["MessageGroupId"] = self.group
        if self.deduplication is not None:
            found["MessageDeduplicationId"] = self.deduplication
        if self.sequence:
            found["SequenceNumber"] = sequence_text(self.sequence)
        if self.trace is not None:
            found["AWSTraceHeader"] = self.trace
        if self.source_arn is not None:
            found["DeadLetterQueueSourceArn"] = self.source_arn
        return found


def sequence_text(number: int) -> str:
    return f"{18_850_000_000_000_000_000 + number:020d}"


def size_of(body: str, attributes: Mapping[str, Any] | None) -> int:
    """Bytes that count against the limit: the body, and name, type and value of each attribute, in UTF-8.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
    """
    size = len(body) if body.isascii() else len(body.encode())
    for name, attribute in (attributes or {}).items():
        size += len(name.encode()) + len(attribute.get("DataType", "").encode())
        size += len(attribute.get("StringValue", "").encode()) + len(attribute.get("BinaryValue", b""))
    return size


def attributes_md5(attributes: Mapping[str, Any]) -> str:
    """The digest of message attributes, as the SDKs check it.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
    """
    digest = hashlib.md5(usedforsecurity=False)

    def add(value: bytes) -> None:
        digest.update(struct.pack("!I", len(value)) + value)

    for name in sorted(attributes):
        attribute = attributes[name]
        add(name.encode())
        add(attribute["DataType"].encode())
        if "BinaryValue" in attribute:
            digest.update(b"\x02")
            add(bytes(attribute["BinaryValue"]))
        else:
            digest.update(b"\x01")
            add(attribute.get("StringValue", "").encode())
    return digest.hexdigest()
