"""Which schedules of a deployment belong to which task, and switching them off, as an operator does."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drumbeat.local import LocalCloud
    from drumbeat.local.deployment import Deployment, Rule, Schedule

_KEPT = ("FlexibleTimeWindow", "GroupName", "Name", "ScheduleExpression", "ScheduleExpressionTimezone", "Target")
_KEPT_IF_ANY = ("StartDate", "EndDate", "ActionAfterCompletion", "Description")


def schedule_tasks(deployment: "Deployment") -> dict[str, str]:
    """The task that each rule or schedule fires, by the rule's or schedule's name."""
    tasks = {function.arn: function.environment.get("DRUMBEAT_TASK", "") for function in deployment.functions}
    found: dict[str, str] = {}
    for fire in _timed(deployment):
        targets = fire.targets if hasattr(fire, "targets") else (fire.target,)
        for target in targets:
            if tasks.get(target.arn):
                found[fire.name] = tasks[target.arn]
    return found


def switch_off(cloud: "LocalCloud", *, besides: str | None = None) -> None:
    """Let no task fire any more, `besides` one; the app's own upkeep goes on."""
    tasks = schedule_tasks(cloud.deployment)
    for rule in cloud.deployment.rules:
        if rule.name in tasks and tasks[rule.name] != besides:
            cloud.client("events").disable_rule(Name=rule.name, EventBusName=rule.bus)
    scheduler = cloud.client("scheduler")
    for schedule in cloud.deployment.schedules:
        if tasks.get(schedule.name) != besides:
            found = scheduler.get_schedule(GroupName=schedule.group, Name=schedule.name)
            kept = {key: found[key] for key in (*_KEPT, *_KEPT_IF_ANY) if found.get(key)}
            scheduler.update_schedule(State="DISABLED", **kept)


def _timed(deployment: "Deployment") -> "list[Rule | Schedule]":
    return [*(rule for rule in deployment.rules if rule.expression), *deployment.schedules]
