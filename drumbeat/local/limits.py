"""Limits of services that moto doesn't check, answered as AWS answers them."""

from collections.abc import Callable
from typing import Any

from .services import Call, ServiceError

EVENT_ENTRIES, EVENTS_BYTES = (
    10,
    1024 * 1024,
)  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
SYNC_BYTES, ASYNC_BYTES = (
    6 * 1024 * 1024,
    1024 * 1024,
)  # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
ITEM_BYTES, WRITES, READS = (
    400 * 1024,
    25,
    100,
)  # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html


def check_limits(call: Call) -> None:
    """Raise the error that AWS gives to a call that is too large."""
    check = _CHECKS.get((call.service, call.operation))
    if check is not None:
        check(call.params)


def _put_events(params: dict[str, Any]) -> None:
    entries = params["Entries"]
    if len(entries) > EVENT_ENTRIES:
        raise ServiceError(
            "ValidationException",
            f"1 validation error detected: Value '{len(entries)} entries' at 'entries' failed to satisfy constraint: "
            f"Member must have length less than or equal to {EVENT_ENTRIES}",
        )
    size = sum(entry_size(entry) for entry in entries)
    if size >= EVENTS_BYTES:
        raise ServiceError(
            "ValidationException", f"Total size of the entries in the request is over the limit ({size} bytes)."
        )


def entry_size(entry: dict[str, Any]) -> int:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-event-size."""
    size = 14 if "Time" in entry else 0
    size += sum(len(str(entry.get(key, "")).encode()) for key in ("Source", "DetailType", "Detail"))
    return size + sum(len(resource.encode()) for resource in entry.get("Resources", ()))


def _invoke(params: dict[str, Any]) -> None:
    payload = params.get("Payload") or b""
    size = (
        len(payload.encode())
        if isinstance(payload, str)
        else len(payload)
        if isinstance(payload, bytes | bytearray)
        else 0
    )
    limit = ASYNC_BYTES if params.get("InvocationType") == "Event" else SYNC_BYTES
    if size > limit:
        raise ServiceError(
            "RequestTooLargeException",
            f"Request must be smaller than {limit} bytes for the "
            f"{params.get('InvocationType', 'RequestResponse')} operation",
            413,
        )


def _put_item(params: dict[str, Any]) -> None:
    if item_size(params["Item"]) > ITEM_BYTES:
        raise ServiceError("ValidationException", "Item size has exceeded the maximum allowed size")


def _batch_write(params: dict[str, Any]) -> None:
    if sum(len(requests) for requests in params["RequestItems"].values()) > WRITES:
        raise ServiceError("ValidationException", "Too many items requested for the BatchWriteItem call")


def _batch_get(params: dict[str, Any]) -> None:
    if sum(len(keys["Keys"]) for keys in params["RequestItems"].values()) > READS:
        raise ServiceError("ValidationException", "Too many items requested for the BatchGetItem call")


def item_size(item: dict[str, Any]) -> int:
    """Bytes of an item in DynamoDB's JSON: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html."""
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def value_size(value: dict[str, Any]) -> int:  # noqa: PLR0911  one per type
    (kind, inner), *_ = value.items()
    if kind == "S":
        return len(inner.encode())
    if kind == "N":
        return len(inner.strip("-0.").replace(".", "")) // 2 + 2
    if kind == "B":
        return len(inner)
    if kind == "SS":
        return sum(len(member.encode()) for member in inner)
    if kind == "NS":
        return sum(map(len, inner)) // 2 + 2 * len(inner)
    if kind == "BS":
        return sum(map(len, inner))
    if kind == "L":
        return 3 + sum(1 + value_size(member) for member in inner)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + value_size(member) for name, member in inner.items())
    return 1


_CHECKS: dict[tuple[str, str], Callable[[dict[str, Any]], None]] = {
    ("events", "PutEvents"): _put_events,
    ("lambda", "Invoke"): _invoke,
    ("dynamodb", "PutItem"): _put_item,
    ("dynamodb", "BatchWriteItem"): _batch_write,
    ("dynamodb", "BatchGetItem"): _batch_get,
}
