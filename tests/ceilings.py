"""What leaves a client for AWS, in any test, keeps the limits of its service in bytes: who answers doesn't matter.

A hook sits in botocore's built-in handlers, as that of the local cloud does, so every client made after this module was
imported has it.  What it finds it takes down: the code under test may swallow an error, a list it can't.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from botocore.handlers import BUILTIN_HANDLERS

from drumbeat.local.limits import ITEM_BYTES, check_limits
from drumbeat.local.output import Output
from drumbeat.local.services import Call, ServiceError
from drumbeat.local.sizes import item_size, text_size
from drumbeat.local.sqs_limits import check_message

PAGE_BYTES = 1024 * 1024
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html."""
LOG_EVENT_BYTES = 256 * 1024
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html: the older limit."""
found: list[str] = []
"""What was over a limit since the list was cleared."""


@contextmanager
def over_the_limit() -> Iterator[None]:
    """Something in here is too large on purpose."""
    before = len(found)
    yield
    assert found[before:], "nothing in here was over a limit"
    del found[before:]


def check_request(service: str, operation: str, params: Mapping[str, Any]) -> None:
    """Take down what AWS would refuse of a request."""
    try:
        check_limits(Call(service, operation, dict(params)))
        for entry in params.get("Entries", ()) if operation == "SendMessageBatch" else ():
            check_message(entry)
    except ServiceError as error:
        found.append(f"{service}.{operation}: {error}")


def check_answer(operation: str, answer: Mapping[str, Any]) -> None:
    """Take down what DynamoDB would not have kept, or not have given on one page."""
    if item_size(answer.get("Attributes", {})) > ITEM_BYTES:
        found.append(f"dynamodb.{operation}: the record that it leaves is above {ITEM_BYTES} bytes")
    if sum(map(item_size, answer.get("Items", ()))) > PAGE_BYTES:
        found.append(f"dynamodb.{operation}: a page above {PAGE_BYTES} bytes")


def _before_build(model: Any, params: dict[str, Any], **_: Any) -> None:
    """At the last event that the local cloud's short way emits, too; boto3's tables have put their types in by then."""
    with suppress(AttributeError, KeyError, TypeError):  # botocore itself refuses what isn't of the call's shape
        check_request(model.service_model.service_name, model.name, params)


def _after_call(model: Any, parsed: Any, **_: Any) -> None:
    if model.service_model.service_name == "dynamodb":
        with suppress(AttributeError, TypeError):  # boto3's tables have made Python values of it by then
            check_answer(model.name, parsed)


BUILTIN_HANDLERS.append(("before-parameter-build", _before_build))
BUILTIN_HANDLERS.append(("after-call", _after_call))


_write = Output.write


def _write_line(output: Output, function: str, request_id: str, text: str) -> None:
    if text_size(text) > LOG_EVENT_BYTES:
        found.append(f"logs: {function} wrote a line of {text_size(text)} bytes, {LOG_EVENT_BYTES} allowed")
    _write(output, function, request_id, text)


Output.write = _write_line  # type: ignore[method-assign]
