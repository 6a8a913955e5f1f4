"""EventBridge Scheduler: schedules and their groups. Limits: "Quotas for Amazon EventBridge Scheduler"."""

from drumbeat.local.deployment import Schedule
from drumbeat.local.template import Created
from drumbeat.local.universal import is_universal, refusal

from .context import Creator, Declared, number, tags
from .targets import check_expression, target, time

_NAME_LIMIT = 64


def create_schedule(declared: Declared) -> Created:
    context = declared.context
    name = declared.name(declared.get("Name"), limit=_NAME_LIMIT)
    group, timezone = declared.get("GroupName") or "default", declared.get("ScheduleExpressionTimezone") or "UTC"
    window = declared.get("FlexibleTimeWindow") or {"Mode": "OFF"}
    minutes = number(window.get("MaximumWindowInMinutes", 0)) if window.get("Mode") == "FLEXIBLE" else 0
    start, end = time(declared.get("StartDate")), time(declared.get("EndDate"))
    expression = declared.properties["ScheduleExpression"]
    check_expression(declared, expression, timezone=timezone, start=start, end=end, window_minutes=minutes)
    given = declared.properties["Target"]
    role_arn = given.get("RoleArn")
    if all(role.arn != role_arn for role in context.facts.roles.values()):
        declared.reject(f"its target's role {role_arn} is not in the stacks deployed here; give it one of theirs")
    refused = refusal(given["Arn"], given.get("Input")) if is_universal(given["Arn"]) else None
    if refused is not None:
        declared.reject(refused)
    client = context.client("scheduler")
    settings = {
        "Name": name,
        "GroupName": group,
        "FlexibleTimeWindow": window,
        "Target": given,
        **declared.pick("ScheduleExpression", "ScheduleExpressionTimezone", "State", "Description", "KmsKeyArn"),
    }
    arn = client.create_schedule(**settings, **declared.pick("ActionAfterCompletion"))["ScheduleArn"]
    bounds = {key: moment for key, moment in (("StartDate", start), ("EndDate", end)) if moment is not None}
    if bounds:  # set afterwards: virtual time may well begin after a StartDate, which moto refuses at creation
        client.update_schedule(**settings, **bounds)
    context.facts.schedules[arn] = Schedule(
        logical_id=declared.logical_id,
        name=name,
        arn=arn,
        group=group,
        expression=expression,
        target=target(given, id=name),
        timezone=timezone,
        start=start,
        end=end,
        window_minutes=minutes,
        enabled=declared.get("State", "ENABLED") == "ENABLED",
        delete_after_completion=declared.get("ActionAfterCompletion") == "DELETE",
    )
    return Created(name, {"Arn": arn})


def create_group(declared: Declared) -> Created:
    name = declared.name(declared.get("Name"), limit=_NAME_LIMIT)
    arn = declared.context.client("scheduler").create_schedule_group(Name=name, Tags=tags(declared))["ScheduleGroupArn"]
    return Created(name, {"Arn": arn, "State": "ACTIVE"})


CREATORS: dict[str, Creator] = {
    "AWS::Scheduler::Schedule": create_schedule,
    "AWS::Scheduler::ScheduleGroup": create_group,
}
