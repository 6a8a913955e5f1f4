"""What a role is for although no handler asks for it: services act under it themselves.

- An event source mapping polls with the function's role: ReceiveMessage, DeleteMessage, GetQueueAttributes.
  https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
- Lambda writes a function's logs with it, and its traces where tracing is active.
  https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
- Records of asynchronous invocations and events that were given up are sent with it.
  https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
- EventBridge Scheduler invokes a target, and sends to its dead-letter queue, with the schedule's role.
  https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html
"""

from collections.abc import Iterator
from dataclasses import dataclass

from drumbeat.local.deployment import Deployment, Function

POLLER = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
_TRACES = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
_SENDS = {
    "lambda": "lambda:InvokeFunction",
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "events": "events:PutEvents",
}


@dataclass(frozen=True)
class Need:
    """An action that a service takes under a role; `why` is for people."""

    role_arn: str
    action: str
    resource: str
    why: str


def needs(deployment: Deployment) -> Iterator[Need]:
    """Yield what services may do under the roles of a deployment, used in a run or not."""
    functions = {function.arn: function for function in deployment.functions}
    by_name = {function.name: function for function in deployment.functions}
    for mapping in deployment.mappings:
        function = by_name.get(mapping.function_arn.split(":")[6] if ":" in mapping.function_arn else "")
        if function is not None:
            queue = mapping.source_arn.rpartition(":")[2]
            for action in POLLER:
                yield Need(function.role_arn, action, mapping.source_arn, f"the event source mapping polls {queue}")
    traced = {
        resource.physical_id
        for resource in deployment.resources
        if (resource.properties.get("TracingConfig") or {}).get("Mode") == "Active"
    }
    for function in functions.values():
        yield from _of(function, deployment, traced=function.name in traced)
    for schedule in deployment.schedules:
        target = schedule.target
        for arn, why in (
            (target.arn, "the schedule's target"),
            (target.dead_letter_arn, "the schedule's dead letters"),
        ):
            if arn and target.role_arn and _service(arn) in _SENDS:
                yield Need(target.role_arn, _SENDS[_service(arn)], arn, why)


def _of(function: Function, deployment: Deployment, *, traced: bool) -> Iterator[Need]:
    group = function.log_group or f"/aws/lambda/{function.name}"
    logs = f"arn:aws:logs:{deployment.region}:{deployment.account}:log-group:{group}"
    for action in _LOGS:
        yield Need(function.role_arn, action, f"{logs}:*", "Lambda writes the function's logs")
    if traced:
        for action in _TRACES:
            yield Need(function.role_arn, action, "*", "Lambda sends the function's traces")
    for arn, why in (
        (function.on_failure_arn, "records of failed asynchronous invocations"),
        (function.on_success_arn, "records of asynchronous invocations"),
        (function.dead_letter_arn, "events that the function failed on"),
    ):
        if arn and _service(arn) in _SENDS:
            yield Need(function.role_arn, _SENDS[_service(arn)], arn, why)


def _service(arn: str) -> str:
    return [*arn.split(":"), "", "", ""][2]
