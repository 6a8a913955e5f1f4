"""EventBridge Scheduler: schedules that were added while the cloud ran, and what is armed for its next instant."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from moto.scheduler.models import Schedule as MotoSchedule
from moto.scheduler.models import scheduler_backends

from drumbeat.local.deployment import Schedule, Target
from drumbeat.schedule import parse_schedule

from .inside import Inside, Line, state

_MOTO = (
    "name", "group_name", "description", "arn", "schedule_expression", "schedule_expression_timezone",
    "flexible_time_window", "target", "state", "kms_key_arn", "start_date", "end_date", "action_after_completion",
    "creation_date", "last_modified_date",
)  # fmt: skip


def _groups(inside: Inside) -> dict[str, Any]:
    deployment = inside.world.deployment
    groups: dict[str, Any] = scheduler_backends[deployment.account][deployment.region].schedule_groups
    return groups


def save(inside: Inside) -> Iterator[Line]:
    """What was added and is still there, which of the app's own are gone, and when each fires next."""
    fires = inside.world.fires
    declared = {schedule.arn for schedule in inside.world.deployment.schedules}
    for arn in sorted(declared - fires.schedules.keys()):
        yield {"kind": "schedule gone", "arn": arn}
    for arn, schedule in fires.schedules.items():
        if arn not in declared:
            known = _groups(inside)[schedule.group].schedules[schedule.name]
            yield {"kind": "schedule", "schedule": asdict(schedule), "moto": state(known, _MOTO, ())}
    for arn, armed in sorted(fires._armed.items()):  # noqa: SLF001
        yield {"kind": "armed", "arn": arn, "anchor": armed.anchor, "next": armed.next, "as": _expression(inside, arn)}


def _expression(inside: Inside, arn: str) -> list[Any]:
    """What the instants of a rule or schedule depend on, beside their anchor."""
    schedule = inside.world.fires.schedules.get(arn)
    if schedule is not None:
        bounds = [bound.isoformat() if bound is not None else None for bound in (schedule.start, schedule.end)]
        return [schedule.expression, schedule.timezone, *bounds]
    return [inside.world.bus.rules[arn].expression]


def load(inside: Inside, line: Line) -> None:
    """Put a schedule back, or say when what there is fires next."""
    fires = inside.world.fires
    if line["kind"] == "schedule gone":
        schedule = fires.schedules.get(line["arn"])
        if schedule is not None:
            fires.forget(schedule.arn)
            _groups(inside)[schedule.group].schedules.pop(schedule.name, None)
    elif line["kind"] == "schedule":
        target = Target(**line["schedule"].pop("target"))
        schedule = Schedule(target=target, **line["schedule"])
        group = _groups(inside).get(schedule.group)
        if group is None:
            inside.lose(f"schedules of group {schedule.group}")
            return
        known: Any = object.__new__(MotoSchedule)
        vars(known).update(line["moto"])
        group.schedules[schedule.name] = known
        fires.set_schedule(schedule)
    else:
        inside.armed[line["arn"]] = line


def arm(inside: Inside) -> None:
    """Set each to its next instant; what is new, or fires at other times than before, begins now."""
    world = inside.world
    for arn, armed in list(world.fires._armed.items()):  # noqa: SLF001
        line = inside.armed.get(arn)
        if line is None or line["as"] != _expression(inside, arn):
            schedule = world.fires.schedules.get(arn)
            if schedule is not None:
                world.fires.set_schedule(schedule)
            else:
                world.fires.set_rule(world.bus.rules[arn])
            continue
        armed.anchor, armed.next, armed.timer = line["anchor"], line["next"], None
        armed.instants = _after(inside, arn, armed.anchor, armed.next)


def _after(inside: Inside, arn: str, anchor: datetime, since: datetime | None) -> Iterator[datetime]:
    if since is None:
        return iter(())
    schedule = inside.world.fires.schedules.get(arn)
    if schedule is not None:
        zone, start, end = schedule.timezone, schedule.start, schedule.end
        parsed = parse_schedule(schedule.expression, timezone=zone, start=start, end=end)
    else:
        parsed = parse_schedule(inside.world.bus.rules[arn].expression or "")
    return iter(parsed.fires(after=since, anchor=anchor))
