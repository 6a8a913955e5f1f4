"""The messages of an invocation from SQS, and the answer that names those which must come again.

Powertools has this too, with validation, tracing and other sources, and a tenth of a worker's start for it.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from collections.abc import Callable
from typing import Any, NamedTuple


class Message(NamedTuple):
    """One message; `receive` is SQS's count of its deliveries, `queue` the name of its queue."""

    id: str
    body: str
    receipt_handle: str
    receive: int
    queue: str

    @classmethod
    def of(cls, record: dict[str, Any]) -> "Message":
        """Read a record of the event."""
        return cls(
            id=record["messageId"],
            body=record["body"],
            receipt_handle=record["receiptHandle"],
            receive=int(record["attributes"]["ApproximateReceiveCount"]),
            queue=record["eventSourceARN"].rpartition(":")[2],
        )


def take_each(event: dict[str, Any], take: Callable[[Message], object]) -> dict[str, Any]:
    """Take the messages one by one; one whose taking raises comes again, and keeps no other from being taken.

    Whoever takes has said why it raised: nothing is logged here.
    """
    failed = []
    for record in event["Records"]:
        try:
            take(Message.of(record))
        except Exception:  # noqa: BLE001  (the message stays in the queue)
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
