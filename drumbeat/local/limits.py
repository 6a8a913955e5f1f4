"""Limits of services on what a call may carry, in bytes, answered as AWS answers them."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .services import Call, Params, ServiceError
from .sizes import entry_size, item_size, text_size, value_size
from .sqs_limits import CHECKS as SQS_CHECKS

EVENT_ENTRIES, EVENTS_BYTES = (
    10,
    1024 * 1024,
)  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
SYNC_BYTES, ASYNC_BYTES, ENVIRONMENT_BYTES = (
    6 * 1024 * 1024,
    1024 * 1024,
    4 * 1024,
)  # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
ITEM_BYTES, WRITES, READS, ACTIONS, TRANSACTION_BYTES, EXPRESSION_BYTES, VALUES_BYTES, KEY_BYTES = (
    400 * 1024,
    25,
    100,
    100,
    4 * 1024 * 1024,
    4 * 1024,
    2 * 1024 * 1024,
    2048,
)  # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
OBJECT_KEY_BYTES = 1024  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
SCHEDULE_BYTES = 256 * 1024  # https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html
_EXPRESSIONS = (
    "UpdateExpression",
    "ConditionExpression",
    "KeyConditionExpression",
    "FilterExpression",
    "ProjectionExpression",
)


def check_limits(call: Call) -> None:
    """Raise the error that AWS gives to a call that is too large."""
    check = _CHECKS.get((call.service, call.operation)) or _BY_SERVICE.get(call.service)
    if check is not None:
        check(call.params)


def _put_events(params: Params) -> None:
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


def _invoke(params: Params) -> None:
    payload = params.get("Payload") or b""
    size = text_size(payload) if isinstance(payload, str | bytes | bytearray) else 0
    limit = ASYNC_BYTES if params.get("InvocationType") == "Event" else SYNC_BYTES
    if size > limit:
        raise ServiceError(
            "RequestTooLargeException",
            f"Request must be smaller than {limit} bytes for the "
            f"{params.get('InvocationType', 'RequestResponse')} operation",
            413,
        )


def _configure(params: Params) -> None:
    variables = params.get("Environment", {}).get("Variables", {})
    if text_size(json.dumps(variables, ensure_ascii=False, separators=(",", ":"))) > ENVIRONMENT_BYTES:
        raise ServiceError(
            "InvalidParameterValueException",
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided exceeded the 4KB limit.",
        )


def _object(params: Params) -> None:
    if text_size(params.get("Key", "")) > OBJECT_KEY_BYTES:
        raise ServiceError("KeyTooLongError", "Your key is too long")


def _schedule(params: Params) -> None:
    if text_size(params["Target"].get("Input", "")) > SCHEDULE_BYTES:
        raise ServiceError("ValidationException", f"Target.Input is longer than {SCHEDULE_BYTES} bytes")


def _refuse(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def _item(params: Params) -> None:
    if item_size(params["Item"]) > ITEM_BYTES:
        raise _refuse("Item size has exceeded the maximum allowed size")
    _expressions(params)


def _expressions(params: Params) -> None:
    """What reads or changes by expressions; the key, as far as it is known without the table, as a partition's."""
    for name in _EXPRESSIONS:
        if text_size(params.get(name, "")) > EXPRESSION_BYTES:
            raise _refuse(f"Invalid {name}: Expression size has exceeded the maximum allowed size")
    if sum(map(value_size, params.get("ExpressionAttributeValues", {}).values())) > VALUES_BYTES:
        raise _refuse("ExpressionAttributeValues: their size has exceeded the maximum allowed size")
    if any(value_size(value) > KEY_BYTES for value in params.get("Key", {}).values()):
        raise _refuse("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit")


def _batch_write(params: Params) -> None:
    requests = [request for of_table in params["RequestItems"].values() for request in of_table]
    if len(requests) > WRITES:
        raise _refuse("Too many items requested for the BatchWriteItem call")
    for request in requests:
        _item({"Item": request.get("PutRequest", {}).get("Item", {})})


def _batch_get(params: Params) -> None:
    if sum(len(keys["Keys"]) for keys in params["RequestItems"].values()) > READS:
        raise _refuse("Too many items requested for the BatchGetItem call")


def _transaction(params: Params) -> None:
    actions: Iterable[Mapping[str, Any]] = [
        action for given in params["TransactItems"] for action in given.values() if isinstance(action, Mapping)
    ]
    if len(params["TransactItems"]) > ACTIONS:
        raise _refuse(f"Member must have length less than or equal to {ACTIONS}")
    if sum(item_size(action.get("Item", {})) for action in actions) > TRANSACTION_BYTES:
        raise _refuse("Transaction request cannot exceed 4 MB")
    for action in actions:
        _item({"Item": {}, **action})


_CHECKS: dict[tuple[str, str], Callable[[Params], None]] = {
    **{("sqs", operation): check for operation, check in SQS_CHECKS.items()},
    ("events", "PutEvents"): _put_events,
    ("lambda", "Invoke"): _invoke,
    ("lambda", "CreateFunction"): _configure,
    ("lambda", "UpdateFunctionConfiguration"): _configure,
    ("scheduler", "CreateSchedule"): _schedule,
    ("scheduler", "UpdateSchedule"): _schedule,
    ("dynamodb", "PutItem"): _item,
    ("dynamodb", "BatchWriteItem"): _batch_write,
    ("dynamodb", "BatchGetItem"): _batch_get,
    ("dynamodb", "TransactWriteItems"): _transaction,
    ("dynamodb", "TransactGetItems"): _transaction,
}
_BY_SERVICE: dict[str, Callable[[Params], None]] = {"dynamodb": _expressions, "s3": _object}
