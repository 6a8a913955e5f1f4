"""EventBridge: rules, buses and their policies, archives.

Limits: "Amazon EventBridge quotas" in the EventBridge user guide.
"""

import json
from collections.abc import Mapping
from typing import Any

from drumbeat.local.deployment import Rule
from drumbeat.local.template import Created

from .context import Creator, Declared, document, number, tags
from .targets import check_expression, target

_NAME_LIMIT, _TARGETS_LIMIT, _ARCHIVE_LIMIT = 64, 5, 48


def create_rule(declared: Declared) -> Created:
    context, events = declared.context, declared.context.client("events")
    name = declared.name(declared.get("Name"), limit=_NAME_LIMIT)
    bus = str(declared.get("EventBusName") or "default").rsplit("/", 1)[-1]
    expression, pattern = declared.get("ScheduleExpression"), document(declared.get("EventPattern")) or None
    if expression is None and pattern is None:
        declared.reject("a rule needs a ScheduleExpression or an EventPattern")
    if expression is not None:
        if bus != "default":
            declared.reject(f"ScheduleExpression is supported only on the default event bus, not on {bus!r}")
        check_expression(declared, expression)
    targets = declared.get("Targets", [])
    if len(targets) > _TARGETS_LIMIT:
        declared.reject(f"it has {len(targets)} targets, {_TARGETS_LIMIT} allowed; add a second rule")
    arn = events.put_rule(
        Name=name,
        EventBusName=bus,
        Tags=tags(declared),
        **({} if pattern is None else {"EventPattern": json.dumps(pattern)}),
        **declared.pick("ScheduleExpression", "State", "Description", "RoleArn"),
    )["RuleArn"]
    if targets:
        events.put_targets(Rule=name, EventBusName=bus, Targets=targets)
    context.facts.rules[arn] = Rule(
        logical_id=declared.logical_id,
        name=name,
        arn=arn,
        bus=bus,
        expression=expression,
        pattern=pattern,
        enabled=str(declared.get("State", "ENABLED")).startswith("ENABLED"),
        targets=tuple(target(item, id=item["Id"]) for item in targets),
    )
    return Created(name if bus == "default" else f"{bus}|{name}", {"Arn": arn})


def create_bus(declared: Declared) -> Created:
    events, name = declared.context.client("events"), declared.properties["Name"]
    arn = events.create_event_bus(Name=name, Tags=tags(declared), **declared.pick("EventSourceName"))["EventBusArn"]
    if declared.get("Policy"):
        _put_policy(declared, name, document(declared.get("Policy")))
    return Created(name, {"Arn": arn, "Name": name, "Policy": declared.get("Policy", "")})


def create_bus_policy(declared: Declared) -> Created:
    """Put a statement on a bus: `Statement`, or the older Action, Principal and Condition."""
    bus = declared.get("EventBusName", "default")
    sid = declared.properties["StatementId"]
    statement = dict(declared.get("Statement") or {})
    if not statement:
        principal = declared.get("Principal", "*")
        statement = {
            "Effect": "Allow",
            "Principal": principal if principal == "*" else {"AWS": f"arn:aws:iam::{principal}:root"},
            "Action": declared.get("Action", "events:PutEvents"),
            "Resource": declared.context.arn("events", f"event-bus/{bus}"),
        }
    statement["Sid"] = sid
    known = declared.context.facts.resource_policies.get(declared.context.arn("events", f"event-bus/{bus}"), {})
    _put_policy(declared, bus, {"Version": "2012-10-17", "Statement": [*known.get("Statement", []), statement]})
    return Created(f"{bus}|{sid}")


def create_archive(declared: Declared) -> Created:
    pattern = document(declared.get("EventPattern")) or None
    name = declared.name(declared.get("ArchiveName"), limit=_ARCHIVE_LIMIT)
    arn = declared.context.client("events").create_archive(
        ArchiveName=name,
        EventSourceArn=declared.properties["SourceArn"],
        RetentionDays=number(declared.get("RetentionDays", 0)),
        **({} if pattern is None else {"EventPattern": json.dumps(pattern)}),
        **declared.pick("Description"),
    )["ArchiveArn"]
    return Created(name, {"Arn": arn, "ArchiveName": name})


def _put_policy(declared: Declared, bus: str, policy: Mapping[str, Any]) -> None:
    context = declared.context
    context.client("events").put_permission(EventBusName=bus, Policy=json.dumps(policy))
    context.facts.resource_policies[context.arn("events", f"event-bus/{bus}")] = policy


CREATORS: dict[str, Creator] = {
    "AWS::Events::Archive": create_archive,
    "AWS::Events::EventBus": create_bus,
    "AWS::Events::EventBusPolicy": create_bus_policy,
    "AWS::Events::Rule": create_rule,
}
