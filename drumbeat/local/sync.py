"""Follows what an app or its operator changes through the API while the cloud runs.

moto stores the change; here the actors learn of it: rules, schedules, event source mappings, concurrency, queues.
"""

import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from .clock import to_datetime
from .deployment import EventSourceMapping, Function, Rule, Schedule, Target
from .errors import UnsupportedResourceWarning
from .services import Call
from .world import World, function_name, name_of

Follow = Callable[[Call, dict[str, Any]], None]


class Sync:
    """What to do after a call, by service and operation."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._follow: dict[tuple[str, str], Follow] = {}
        for name in ("PutRule", "PutTargets", "RemoveTargets", "EnableRule", "DisableRule", "DeleteRule"):
            self._follow["events", name] = self._rule
        for name in ("CreateSchedule", "UpdateSchedule", "DeleteSchedule"):
            self._follow["scheduler", name] = self._schedule
        for name in ("CreateEventSourceMapping", "UpdateEventSourceMapping", "DeleteEventSourceMapping"):
            self._follow["lambda", name] = self._mapping
        for name in ("PutFunctionConcurrency", "DeleteFunctionConcurrency"):
            self._follow["lambda", name] = self._concurrency
        for name in ("PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig"):
            self._follow["lambda", name] = self._event_invoke_config
        self._follow["lambda", "DeleteFunctionEventInvokeConfig"] = self._no_event_invoke_config
        self._follow["lambda", "UpdateFunctionConfiguration"] = self._configuration
        self._follow["lambda", "UpdateFunctionCode"] = self._code
        for name in ("AddPermission", "RemovePermission"):
            self._follow["lambda", name] = self._permission
        self._follow["sns", "SetTopicAttributes"] = self._topic_policy
        self._follow["sqs", "SetQueueAttributes"] = self._queue
        self._follow["sqs", "CreateQueue"] = self._queue_policy
        self._follow["sqs", "DeleteQueue"] = self._queue_gone
        self._follow["s3", "PutBucketPolicy"] = self._bucket_policy

    def follow(self, call: Call, parsed: dict[str, Any]) -> None:
        action = self._follow.get((call.service, call.operation))
        if action is not None:
            action(call, parsed)

    def _rule(self, call: Call, _: dict[str, Any]) -> None:
        from moto.events.models import events_backends  # noqa: PLC0415  imported by then

        world, params = self._world, call.params
        deployment = world.deployment
        bus = name_of(params.get("EventBusName") or "default")
        name = params.get("Rule") or params["Name"]
        path = name if bus == "default" else f"{bus}/{name}"
        arn = f"arn:aws:events:{deployment.region}:{deployment.account}:rule/{path}"
        buses = events_backends[deployment.account][deployment.region].event_buses
        known = buses[bus].rules.get(name) if bus in buses else None
        if known is None:
            world.bus.rules.pop(arn, None)
            world.fires.forget(arn)
            return
        pattern = known.event_pattern.dump()
        before = world.bus.rules.get(arn)
        rule = Rule(
            logical_id=before.logical_id if before else "",
            name=name,
            arn=arn,
            bus=bus,
            expression=known.scheduled_expression or None,
            pattern=json.loads(pattern) if pattern else None,
            enabled=known.state != "DISABLED",
            targets=tuple(_target(target) for target in known.targets),
        )
        world.bus.rules[arn] = rule
        timing_changed = before is None or (before.expression, before.enabled) != (rule.expression, rule.enabled)
        if timing_changed:
            world.fires.set_rule(rule)

    def _schedule(self, call: Call, _: dict[str, Any]) -> None:
        from moto.scheduler.models import scheduler_backends  # noqa: PLC0415  imported by then

        world, params = self._world, call.params
        deployment = world.deployment
        group, name = params.get("GroupName") or "default", params["Name"]
        arn = f"arn:aws:scheduler:{deployment.region}:{deployment.account}:schedule/{group}/{name}"
        groups = scheduler_backends[deployment.account][deployment.region].schedule_groups
        known = groups[group].schedules.get(name) if group in groups else None
        if known is None:
            world.fires.forget(arn)
            return
        window = params.get("FlexibleTimeWindow") or {}
        world.fires.set_schedule(
            Schedule(
                logical_id="",
                name=name,
                arn=arn,
                group=group,
                expression=known.schedule_expression,
                target=_target(known.target),
                timezone=known.schedule_expression_timezone,
                start=_moment(params.get("StartDate")),
                end=_moment(params.get("EndDate")),
                window_minutes=window.get("MaximumWindowInMinutes", 0),
                enabled=known.state != "DISABLED",
                delete_after_completion=params.get("ActionAfterCompletion") == "DELETE",
            )
        )

    def _mapping(self, call: Call, parsed: dict[str, Any]) -> None:
        mappings, params = self._world.mappings, call.params
        uuid: str = parsed.get("UUID") or params["UUID"]
        if call.operation == "DeleteEventSourceMapping":
            mappings.remove(uuid)
            return
        known = mappings.all.get(uuid)
        mapping = (
            known.mapping
            if known is not None
            else EventSourceMapping(
                logical_id="",
                uuid=uuid,
                source_arn=params["EventSourceArn"],
                function_arn=function_name(params["FunctionName"]),
            )
        )
        changes: dict[str, Any] = {}
        for key, attribute in (
            ("BatchSize", "batch_size"),
            ("Enabled", "enabled"),
            ("MaximumBatchingWindowInSeconds", "window_s"),
        ):
            if key in params:
                changes[attribute] = params[key]
        if "ScalingConfig" in params:
            changes["max_concurrency"] = params["ScalingConfig"].get("MaximumConcurrency")
        if "FunctionResponseTypes" in params:
            changes["report_batch_item_failures"] = "ReportBatchItemFailures" in params["FunctionResponseTypes"]
        mapping = replace(mapping, **changes)
        if known is not None:
            known.set(mapping)
        else:
            mappings.add(mapping)

    def _concurrency(self, call: Call, _: dict[str, Any]) -> None:
        reserved = call.params.get("ReservedConcurrentExecutions")
        self._world.functions.change(function_name(call.params["FunctionName"]), reserved_concurrency=reserved)

    def _event_invoke_config(self, call: Call, _: dict[str, Any]) -> None:
        """Put replaces all settings, Update those that it names."""
        params, name = call.params, function_name(call.params["FunctionName"])
        if call.operation == "PutFunctionEventInvokeConfig":
            self._no_event_invoke_config(call, {})
        changes: dict[str, Any] = {}
        for key, attribute in (
            ("MaximumEventAgeInSeconds", "max_event_age_s"),
            ("MaximumRetryAttempts", "max_retry_attempts"),
        ):
            if key in params:
                changes[attribute] = params[key]
        for key, attribute in (("OnFailure", "on_failure_arn"), ("OnSuccess", "on_success_arn")):
            if key in (params.get("DestinationConfig") or {}):
                changes[attribute] = params["DestinationConfig"][key].get("Destination")
        self._world.functions.change(name, **changes)

    def _no_event_invoke_config(self, call: Call, _: dict[str, Any]) -> None:
        self._world.functions.change(
            function_name(call.params["FunctionName"]),
            max_event_age_s=Function.max_event_age_s,
            max_retry_attempts=Function.max_retry_attempts,
            on_failure_arn=None,
            on_success_arn=None,
        )

    def _configuration(self, call: Call, _: dict[str, Any]) -> None:
        """New environments have the new settings; Lambda makes all anew."""
        params, functions = call.params, self._world.functions
        names = {"Timeout": "timeout_s", "MemorySize": "memory_mib", "Handler": "handler", "Role": "role_arn"}
        changes = {attribute: params[key] for key, attribute in names.items() if key in params}
        if "Environment" in params:
            changes["environment"] = dict(params["Environment"].get("Variables", {}))
        if "DeadLetterConfig" in params:
            changes["dead_letter_arn"] = params["DeadLetterConfig"].get("TargetArn") or None
        name = function_name(params["FunctionName"])
        functions.change(name, **changes)
        functions.pools[name].idle.clear()

    def _code(self, call: Call, _: dict[str, Any]) -> None:
        name = function_name(call.params["FunctionName"])
        warnings.warn(
            f"UpdateFunctionCode: the local cloud goes on with the code that {name} was deployed with",
            UnsupportedResourceWarning,
            stacklevel=2,
        )

    def _permission(self, call: Call, _: dict[str, Any]) -> None:
        from moto.awslambda.utils import get_backend  # noqa: PLC0415  imported by then

        deployment, function = self._world.deployment, self._world.functions.function(call.params["FunctionName"])
        if function is not None:
            backend = get_backend(deployment.account, deployment.region)
            self._set_policy(function.arn, json.loads(backend.get_policy(function.name))["Policy"])

    def _topic_policy(self, call: Call, _: dict[str, Any]) -> None:
        if call.params["AttributeName"] == "Policy":
            self._set_policy(call.params["TopicArn"], call.params["AttributeValue"])

    def _queue(self, call: Call, _: dict[str, Any]) -> None:
        self._world.queues.refresh(call.params["QueueUrl"].rpartition("/")[2])

        self._queue_policy(call, {})

    def _queue_policy(self, call: Call, _: dict[str, Any]) -> None:
        params, deployment = call.params, self._world.deployment
        name = params.get("QueueName") or params["QueueUrl"].rpartition("/")[2]
        policy = params.get("Attributes", {}).get("Policy")
        if policy:
            self._set_policy(f"arn:aws:sqs:{deployment.region}:{deployment.account}:{name}", policy)

    def _bucket_policy(self, call: Call, _: dict[str, Any]) -> None:
        self._set_policy(f"arn:aws:s3:::{call.params['Bucket']}", call.params["Policy"])

    def _set_policy(self, arn: str, policy: str) -> None:
        if self._world.authorizer is not None:
            self._world.authorizer.set_policy(arn, json.loads(policy))

    def _queue_gone(self, call: Call, _: dict[str, Any]) -> None:
        self._world.queues.forget(call.params["QueueUrl"].rpartition("/")[2])


def _moment(value: Any) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return to_datetime(int(float(value) * 1_000_000_000))


def _target(target: dict[str, Any]) -> Target:
    """A target as PutTargets or CreateSchedule gives it."""
    transformer, retry = target.get("InputTransformer") or {}, target.get("RetryPolicy") or {}
    return Target(
        id=target.get("Id", ""),
        arn=target["Arn"],
        input=target.get("Input"),
        input_path=target.get("InputPath"),
        input_paths=transformer.get("InputPathsMap") or {},
        input_template=transformer.get("InputTemplate"),
        role_arn=target.get("RoleArn"),
        max_event_age_s=retry.get("MaximumEventAgeInSeconds", 86_400),
        max_retry_attempts=retry.get("MaximumRetryAttempts", 185),
        dead_letter_arn=(target.get("DeadLetterConfig") or {}).get("Arn"),
        message_group_id=(target.get("SqsParameters") or {}).get("MessageGroupId"),
    )
