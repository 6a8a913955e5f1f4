"""Schedules that are added while an app runs, without a deploy: one per tenant, one per reminder, up to millions.

They are schedules of EventBridge Scheduler in the stack's group, named `TASK.NAME`, that fire the task's dispatcher.
https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html; a region holds a million of them, or
more on request: https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from drumbeat.at import At
from drumbeat.errors import InvalidSchedule
from drumbeat.run import RUN_NAME
from drumbeat.schedule import Cron, Rate, parse_schedule

from .clients import Clients
from .deployment import DeployedStack, Deployment
from .errors import ScheduleExists, ScheduleUnknown
from .start import check_params

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
MAX_AGE_S, ATTEMPTS = 6 * 3600, 185
"""As long as the fires of the tasks' own schedules are tried, see `drumbeat.cdk.fire`."""
_LONGEST = 64
_ENABLED, _DISABLED = "ENABLED", "DISABLED"


@dataclass(frozen=True)
class ScheduleEntry:
    """A schedule as a list has it. `changed_at` is when it was last written."""

    task: str
    name: str
    enabled: bool
    changed_at: datetime


@dataclass(frozen=True)
class ScheduleView:
    """A schedule with all that it says. `params` reach its runs as `run.params`, its name as `run.name`."""

    task: str
    name: str
    schedule: Cron | Rate | At
    params: Mapping[str, Any]
    enabled: bool


class Schedules:
    """The runtime schedules of a deployment."""

    def __init__(self, deployment: Deployment, clients: Clients, now: Callable[[], datetime]) -> None:
        self._deployment = deployment
        self._clients = clients
        self._now = now

    def add(
        self,
        task: str,
        name: str,
        schedule: Cron | Rate | At,
        *,
        params: Mapping[str, Any] | None = None,
        enabled: bool = True,
    ) -> ScheduleView:
        """Make a schedule of a task; raises ScheduleExists if there is one of this name. An At deletes itself."""
        stack, view = self._stack(task, name), ScheduleView(task, name, schedule, dict(params or {}), enabled)
        scheduler = self._clients.scheduler
        try:
            scheduler.create_schedule(**self._request(stack, view))
        except scheduler.exceptions.ConflictException:
            raise ScheduleExists(f"task {task!r} has a schedule {name!r} already; change it, or remove it") from None
        return view

    def get(self, task: str, name: str) -> ScheduleView:
        """Read a schedule; raises ScheduleUnknown for one that isn't there, or has fired for the last time."""
        return _view(task, name, self._get(self._stack(task, name), task, name))

    def list(self, task: str, *, prefix: str = "") -> Iterator[ScheduleEntry]:
        """The schedules of a task whose names start with `prefix`, read page by page as they are asked for."""
        stack = self._deployment.stack_of(task)
        pages = self._clients.scheduler.get_paginator("list_schedules").paginate(
            GroupName=stack.schedule_group, NamePrefix=f"{task}.{prefix}"
        )
        for page in pages:
            for found in page["Schedules"]:
                name = found["Name"].removeprefix(f"{task}.")
                enabled = found.get("State", _ENABLED) == _ENABLED
                yield ScheduleEntry(task, name, enabled, found["LastModificationDate"].astimezone(UTC))

    def change(
        self,
        task: str,
        name: str,
        *,
        schedule: Cron | Rate | At | None = None,
        params: Mapping[str, Any] | None = None,
        enabled: bool | None = None,
    ) -> ScheduleView:
        """Change what is given, and leave the rest as it is; `params` replace all earlier ones."""
        stack = self._stack(task, name)
        old = _view(task, name, self._get(stack, task, name))
        view = ScheduleView(
            task,
            name,
            old.schedule if schedule is None else schedule,
            old.params if params is None else dict(params),
            old.enabled if enabled is None else enabled,
        )
        scheduler = self._clients.scheduler
        try:
            scheduler.update_schedule(**self._request(stack, view, is_new=schedule is not None))
        except scheduler.exceptions.ResourceNotFoundException:
            raise _unknown(task, name) from None
        return view

    def remove(self, task: str, name: str) -> None:
        """Delete a schedule; runs that it has started go on."""
        stack, scheduler = self._stack(task, name), self._clients.scheduler
        try:
            scheduler.delete_schedule(GroupName=stack.schedule_group, Name=f"{task}.{name}")
        except scheduler.exceptions.ResourceNotFoundException:
            raise _unknown(task, name) from None

    def _stack(self, task: str, name: str) -> DeployedStack:
        stack, room = self._deployment.stack_of(task), _LONGEST - len(task) - 1
        if not RUN_NAME.fullmatch(name) or len(name) > room:
            raise InvalidSchedule(
                f"schedule name {name!r}: 1 to {room} letters, digits, dots, underscores and hyphens are allowed for "
                f"task {task!r}, a letter or digit first (AWS takes {_LONGEST} characters for TASK.NAME)"
            )
        return stack

    def _get(self, stack: DeployedStack, task: str, name: str) -> Mapping[str, Any]:
        scheduler = self._clients.scheduler
        try:
            return scheduler.get_schedule(GroupName=stack.schedule_group, Name=f"{task}.{name}")
        except scheduler.exceptions.ResourceNotFoundException:
            raise _unknown(task, name) from None

    def _request(self, stack: DeployedStack, view: ScheduleView, *, is_new: bool = True) -> dict[str, Any]:
        """What CreateSchedule and UpdateSchedule take; the latter has to be told everything."""
        task, schedule = view.task, view.schedule
        check_params(view.params, whose=f"schedule {view.name!r}")
        if is_new:
            self._check_future(view)
        fire = {"task": task, "scheduled_at": SCHEDULED_TIME, "name": view.name}
        target = {
            "Arn": stack.dispatcher_arn(task),
            "RoleArn": stack.schedule_role,
            "Input": json.dumps(fire | ({"params": dict(view.params)} if view.params else {})),
            "DeadLetterConfig": {"Arn": stack.dead_fires(task)},
            "RetryPolicy": {"MaximumEventAgeInSeconds": MAX_AGE_S, "MaximumRetryAttempts": ATTEMPTS},
        }
        window = schedule.window_minutes
        request: dict[str, Any] = {
            "GroupName": stack.schedule_group,
            "Name": f"{task}.{view.name}",
            "ScheduleExpression": schedule.expression,
            "ScheduleExpressionTimezone": schedule.timezone or "UTC",
            "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": window} if window else {"Mode": "OFF"},
            "State": _ENABLED if view.enabled else _DISABLED,
            "Target": target,
            "ActionAfterCompletion": "DELETE" if isinstance(schedule, At) else "NONE",
        }
        if not isinstance(schedule, At):
            is_over = isinstance(schedule, Cron) and schedule.start is not None and schedule.start <= self._now()
            bounds = {"StartDate": None if is_over else schedule.start, "EndDate": schedule.end}  # AWS refuses old ones
            request |= {key: value for key, value in bounds.items() if value is not None}
        return request

    def _check_future(self, view: ScheduleView) -> None:
        if next(iter(view.schedule.fires(after=self._now())), None) is None:
            raise InvalidSchedule(f"schedule {view.name!r}: {view.schedule} has no fire after now; give a later time")


def _view(task: str, name: str, found: Mapping[str, Any]) -> ScheduleView:
    said = json.loads(found["Target"].get("Input") or "{}")
    zone = found.get("ScheduleExpressionTimezone")
    schedule = parse_schedule(
        found["ScheduleExpression"],
        timezone=None if zone == "UTC" else zone,
        start=found.get("StartDate"),
        end=found.get("EndDate"),
        window_minutes=found.get("FlexibleTimeWindow", {}).get("MaximumWindowInMinutes", 0),
    )
    enabled = found.get("State", _ENABLED) == _ENABLED
    return ScheduleView(task, name, schedule, said.get("params", {}), enabled)


def _unknown(task: str, name: str) -> ScheduleUnknown:
    return ScheduleUnknown(f"task {task!r} has no schedule {name!r}; one-time schedules are gone once they have fired")
