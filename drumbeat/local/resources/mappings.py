"""Event source mappings, with the checks that CreateEventSourceMapping makes ("Using Lambda with Amazon SQS")."""

import json
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.sqs.models import sqs_backends

from drumbeat.local.deployment import EventSourceMapping, Function, Queue
from drumbeat.local.errors import UnsupportedResource
from drumbeat.local.template import Created

from .context import Creator, Declared, number

_WITHOUT_WINDOW = 10
_STREAM_BATCH = 100
_SETTINGS = (
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "Enabled",
    "FilterCriteria",
    "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "ProvisionedPollerConfig",
    "ScalingConfig",
    "StartingPosition",
    "TumblingWindowInSeconds",
)


def create_mapping(declared: Declared) -> Created:
    """Create the mapping in moto, with moto's own trigger off: it would empty the queue at every send."""
    context, source = declared.context, declared.properties["EventSourceArn"]
    function = context.facts.function(declared.properties["FunctionName"])
    if function is None:
        declared.reject(f"there is no function {declared.properties['FunctionName']!r} in the stacks deployed here")
    queue = context.facts.queues.get(source)
    if queue is not None:
        _check(declared, queue, function)
    elif ":sqs:" in source:
        declared.reject(f"there is no queue {source} in the stacks deployed here")
    elif ":dynamodb:" in source:
        _check_stream(declared)
    else:
        raise UnsupportedResource(
            f"stack {context.stack!r}, {declared.logical_id}: the local cloud polls queues and DynamoDB streams, not"
            f" {source}; leave the mapping out of the local deployment by a condition, or deploy with strict=False"
        )
    reply = context.client("lambda").create_event_source_mapping(
        EventSourceArn=source, FunctionName=declared.properties["FunctionName"], **declared.pick(*_SETTINGS)
    )
    _silence_moto(context.account, context.region)
    context.facts.mappings.append(_mapping(declared, reply["UUID"], function))
    arn = context.arn("lambda", f"event-source-mapping:{reply['UUID']}")
    return Created(reply["UUID"], {"Id": reply["UUID"], "EventSourceMappingArn": arn})


def _mapping(declared: Declared, uuid: str, function: Function) -> EventSourceMapping:
    get, name = declared.get, declared.properties["FunctionName"]
    pollers = get("ProvisionedPollerConfig", {})
    stream = ":dynamodb:" in declared.properties["EventSourceArn"]
    filters = get("FilterCriteria", {}).get("Filters", [])
    return EventSourceMapping(
        logical_id=declared.logical_id,
        uuid=uuid,
        source_arn=declared.properties["EventSourceArn"],
        function_arn=name if name.startswith("arn:") else function.arn + name.removeprefix(function.name),
        batch_size=number(get("BatchSize", _STREAM_BATCH if stream else EventSourceMapping.batch_size)),
        window_s=number(get("MaximumBatchingWindowInSeconds", 0)),
        max_concurrency=_optional(get("ScalingConfig", {}).get("MaximumConcurrency")),
        min_pollers=_optional(pollers.get("MinimumPollers")),
        max_pollers=_optional(pollers.get("MaximumPollers")),
        report_batch_item_failures="ReportBatchItemFailures" in get("FunctionResponseTypes", []),
        enabled=str(get("Enabled", True)).lower() == "true",
        filters=tuple(json.loads(item["Pattern"]) for item in filters),
        starting_position=get("StartingPosition", "LATEST"),
        parallel=number(get("ParallelizationFactor", 1)),
        bisect=str(get("BisectBatchOnFunctionError", False)).lower() == "true",
        max_retries=_limit(get("MaximumRetryAttempts")),
        max_record_age_s=_limit(get("MaximumRecordAgeInSeconds")),
        on_failure_arn=((get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination"),
    )


def _check(declared: Declared, queue: Queue, function: Function) -> None:
    if queue.visibility_timeout_s < function.timeout_s:
        declared.reject(
            f"Queue visibility timeout: {queue.visibility_timeout_s} seconds is less than"
            f" Function timeout: {function.timeout_s} seconds; set the visibility timeout of {queue.logical_id}"
            f" to 6 x {function.timeout_s} seconds plus the batching window"
        )
    size, window = number(declared.get("BatchSize", 10)), number(declared.get("MaximumBatchingWindowInSeconds", 0))
    if queue.fifo and (size > _WITHOUT_WINDOW or window):
        declared.reject("a mapping on a FIFO queue takes at most 10 messages and no batching window")
    if size > _WITHOUT_WINDOW and window < 1:
        declared.reject(f"a batch size of {size} needs a batching window of at least 1 second, as any over 10")


def _check_stream(declared: Declared) -> None:
    """StartingPosition is needed; of a tumbling window the local cloud has nothing."""
    if declared.get("StartingPosition") not in {"LATEST", "TRIM_HORIZON"}:
        declared.reject("a mapping on a stream needs a StartingPosition, LATEST or TRIM_HORIZON")
    if number(declared.get("TumblingWindowInSeconds", 0)):
        raise UnsupportedResource(
            f"stack {declared.context.stack!r}, {declared.logical_id}: the local cloud has no tumbling windows; leave"
            " TumblingWindowInSeconds out by a condition, or deploy with strict=False"
        )


def _silence_moto(account: str, region: str) -> None:
    for queue in sqs_backends[account][region].queues.values():
        queue.lambda_event_source_mappings.clear()
    for table in dynamodb_backends[account][region].tables.values():
        table.lambda_event_source_mappings.clear()


def _optional(value: Any) -> int | None:
    return None if value is None else number(value)


def _limit(value: Any) -> int | None:
    """Return a limit; -1, the default, is none."""
    return None if value is None or number(value) < 0 else number(value)


CREATORS: dict[str, Creator] = {"AWS::Lambda::EventSourceMapping": create_mapping}
