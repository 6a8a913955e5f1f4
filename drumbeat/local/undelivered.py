"""What a rule or schedule delivers, and what becomes of it in a dead-letter queue.

Rules: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html, the event itself with RULE_ARN,
TARGET_ARN, ERROR_CODE (one of EventBridge's own), ERROR_MESSAGE, EXHAUSTED_RETRY_CONDITION, RETRY_ATTEMPTS.
Schedules: https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html, the parameters of the
call that failed, with the target's own error code, the API action as TARGET_ARN, and the schedule, its time and
execution. EXHAUSTED_RETRY_CONDITION is there if the error was one that is tried again.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .deployment import Target
from .services import ServiceError
from .world import service_of

if TYPE_CHECKING:
    from .queues import Queues

SCHEDULER = "scheduler.amazonaws.com"
PREFIX = "arn:aws:scheduler:::aws-sdk:"
_THROTTLES = frozenset(
    {
        "RequestThrottled",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "KmsThrottled",
        "RequestLimitExceeded",
    }
)
_ABSENT = frozenset({"ResourceNotFoundException", "NotFound", "QueueDoesNotExist"})
_API_ACTIONS = {"lambda": "invoke", "sqs": "sendMessage", "sns": "publish", "events": "putEvents"}
_SERVER_ERROR, _TOO_MANY, _FORBIDDEN = 500, 429, 403


@dataclass(slots=True)
class Parcel:
    """One delivery under way. `text` is what the target gets at the nth attempt; `event` is what it is about."""

    target: Target
    text: Callable[[int], str]
    event: Mapping[str, Any]
    principal: str
    source_arn: str
    event_id: str
    born_ns: int = 0
    retries: int = 0
    lineage: Mapping[str, int] | None = None


def always(text: str) -> Callable[[int], str]:
    """The same text at every attempt."""
    return lambda _attempt: text


def retryable(error: ServiceError) -> bool:
    """Throttles and failures of the target's service: "responses of 429 and 5xx".

    https://repost.aws/knowledge-center/eventbridge-resolve-failedinvocation-errors
    """
    return error.code in _THROTTLES or error.status == _TOO_MANY or error.status >= _SERVER_ERROR


def error_code(error: ServiceError) -> str:
    """One of EventBridge's codes for what the target's service answered."""
    if error.code in _ABSENT or error.code.endswith("NonExistentQueue"):
        return "NO_RESOURCE"
    if error.status == _FORBIDDEN:
        return "NO_PERMISSIONS"
    if error.status >= _SERVER_ERROR:
        return "ERROR_FROM_TARGET"
    return "THROTTLING" if retryable(error) else "SDK_CLIENT_ERROR"


def attributes(parcel: Parcel, error: ServiceError, exhausted: str) -> dict[str, Any]:
    """The message attributes; `exhausted` is empty if the error was permanent."""
    found = {"ERROR_MESSAGE": error.message, "RETRY_ATTEMPTS": str(parcel.retries)}
    if parcel.principal == SCHEDULER:
        arn, service = parcel.target.arn, service_of(parcel.target.arn)
        action = f"{PREFIX}{service}:{_API_ACTIONS.get(service, 'invoke')}"
        found |= {
            "ERROR_CODE": error.code,
            "EXECUTION_ID": parcel.event_id,
            "IS_PAYLOAD_TRUNCATED": "false",
            "SCHEDULED_TIME": parcel.event["time"],
            "SCHEDULE_ARN": parcel.source_arn,
            "TARGET_ARN": arn if arn.startswith(PREFIX) else action,
        }
    else:
        found |= {"ERROR_CODE": error_code(error), "RULE_ARN": parcel.source_arn, "TARGET_ARN": parcel.target.arn}
    if exhausted:
        found["EXHAUSTED_RETRY_CONDITION"] = exhausted
    return {name: {"DataType": "String", "StringValue": found[name]} for name in sorted(found)}


def body(parcel: Parcel, params: Mapping[str, Any]) -> str:
    """The message itself: the event, or for a schedule the call with its parameters."""
    if parcel.principal != SCHEDULER:
        return json.dumps(parcel.event)
    text = parcel.text(parcel.retries + 1)
    match service_of(parcel.target.arn):
        case "lambda":
            return json.dumps({"FunctionName": parcel.target.arn, "InvocationType": "Event", "Payload": text})
        case "sqs":
            return json.dumps({"MessageBody": text, **params})
        case "sns":
            return json.dumps({"Message": text, "TopicArn": parcel.target.arn})
    return text


def queue_params(target: Target, queues: "Queues") -> dict[str, Any]:
    """The parameters of SendMessage that say where to."""
    if service_of(target.arn) != "sqs":
        return {}
    store = queues.by_arn(target.arn)
    _, _, _, region, account, name = target.arn.split(":", 5)
    url = store.queue.url if store is not None else f"https://sqs.{region}.amazonaws.com/{account}/{name}"
    return {"QueueUrl": url, **({"MessageGroupId": target.message_group_id} if target.message_group_id else {})}
