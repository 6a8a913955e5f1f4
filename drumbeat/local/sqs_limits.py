"""What SQS refuses of a call for its size, its entries or its characters, whatever the queue.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from .message import size_of
from .services import Params, ServiceError

ENTRIES = 10
CALL_BYTES = 1024 * 1024  # of a message, and of a SendMessageBatch in all
ATTRIBUTES = 10
PREFIX = "AWS.SimpleQueueService."
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_REFUSED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ATTRIBUTE = re.compile(r"(?!(?i:aws|amazon)\.)(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)")
_TYPE = re.compile(r"(String|Number|Binary)(\..{1,249})?")


def check_message(entry: Mapping[str, Any]) -> None:
    """Raise what AWS answers to one message that it doesn't take; in a batch, this one fails and the others don't.

    The characters: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html; the
    rules for attributes: .../SQSDeveloperGuide/sqs-message-metadata.html.
    """
    body, attributes = entry["MessageBody"], entry.get("MessageAttributes") or {}
    if not body:
        raise ServiceError("MissingParameter", "The request must contain the parameter MessageBody.")
    if size_of(body, attributes) > CALL_BYTES:
        raise _invalid(f"One or more parameters are invalid. Reason: Message must be shorter than {CALL_BYTES} bytes.")
    if _REFUSED.search(body):
        raise ServiceError("InvalidMessageContents", "Invalid characters found in the message body.")
    delay = entry.get("DelaySeconds")
    if delay is not None and not 0 <= delay <= 900:  # noqa: PLR2004
        raise _invalid(
            f"Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
        )
    if len(attributes) > ATTRIBUTES:
        raise _invalid(f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{ATTRIBUTES}].")
    for name, attribute in attributes.items():
        _check_attribute(name, attribute)


def _check_attribute(name: str, attribute: Mapping[str, Any]) -> None:
    if not _ATTRIBUTE.fullmatch(name):
        raise _invalid(f"The message attribute name '{name}' is invalid.")
    if not _TYPE.fullmatch(attribute.get("DataType", "")):
        raise _invalid(f"The message attribute '{name}' has an invalid message attribute type.")
    value = attribute.get("StringValue") or attribute.get("BinaryValue")
    if not value:
        raise _invalid(f"The message attribute '{name}' must contain non-empty message attribute value.")
    if isinstance(value, str) and _REFUSED.search(value):
        raise ServiceError("InvalidMessageContents", f"Invalid characters found in the message attribute '{name}'.")


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterValue", message)


def _check_entries(params: Params) -> None:
    entries = params["Entries"]
    if not entries:
        raise ServiceError(f"{PREFIX}EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > ENTRIES:
        raise ServiceError(
            f"{PREFIX}TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are {ENTRIES}. You have sent {len(entries)}.",
        )
    ids = [entry["Id"] for entry in entries]
    for entry_id in ids:
        if not _ENTRY_ID.fullmatch(entry_id):
            raise ServiceError(
                f"{PREFIX}InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
                "It can be at most 80 letters long.",
            )
    if len(set(ids)) < len(ids):
        twice = next(entry_id for entry_id in ids if ids.count(entry_id) > 1)
        raise ServiceError(f"{PREFIX}BatchEntryIdsNotDistinct", f"Id {twice} repeated.")


def _check_batch(params: Params) -> None:
    _check_entries(params)
    size = sum(size_of(entry["MessageBody"], entry.get("MessageAttributes")) for entry in params["Entries"])
    if size > CALL_BYTES:
        raise ServiceError(
            f"{PREFIX}BatchRequestTooLong",
            f"Batch requests cannot be longer than {CALL_BYTES} bytes. You have sent {size} bytes.",
        )


CHECKS: dict[str, Callable[[Params], None]] = {
    "SendMessage": check_message,
    "SendMessageBatch": _check_batch,
    "DeleteMessageBatch": _check_entries,
    "ChangeMessageVisibilityBatch": _check_entries,
}
