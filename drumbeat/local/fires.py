"""Scheduled rules and EventBridge Scheduler: each has one timer, set to its next fire.

Rules: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html.
Schedules: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from drumbeat.schedule import parse_schedule

from .clock import SECOND, to_datetime, to_ns
from .deployment import Rule, Schedule
from .inputs import schedule_input
from .loop import Timer
from .undelivered import SCHEDULER, Parcel
from .world import World


@dataclass(slots=True)
class _Armed:
    """A schedule that waits for its next instant."""

    anchor: datetime
    instants: Iterator[datetime]
    fire: Callable[[datetime], None]
    next: datetime | None = None
    timer: Timer | None = None


class Fires:
    """Every scheduled rule and schedule, by ARN."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = world.seeds.stream("fires")
        self._armed: dict[str, _Armed] = {}
        self.schedules: dict[str, Schedule] = {}
        for rule in world.deployment.rules:
            self.set_rule(rule)
        for schedule in world.deployment.schedules:
            self.set_schedule(schedule)

    def next(self) -> tuple[datetime, str] | None:
        """The next fire and the ARN of what fires."""
        due = [(armed.next, arn) for arn, armed in self._armed.items() if armed.next is not None]
        return min(due) if due else None

    def set_rule(self, rule: Rule) -> None:
        self.forget(rule.arn)
        if rule.expression and rule.enabled:
            schedule = parse_schedule(rule.expression)
            now = self._world.clock.now
            instants = schedule.fires(after=now, anchor=now)
            self._arm(rule.arn, _Armed(now, instants, lambda at: self._fire_rule(rule.arn, at)))

    def set_schedule(self, schedule: Schedule) -> None:
        self.forget(schedule.arn)
        self.schedules[schedule.arn] = schedule
        if schedule.enabled:
            parsed = parse_schedule(
                schedule.expression, timezone=schedule.timezone, start=schedule.start, end=schedule.end
            )
            now = self._world.clock.now
            instants = parsed.fires(after=now, anchor=now)
            self._arm(schedule.arn, _Armed(now, instants, lambda at: self._fire_schedule(schedule, at)))

    def forget(self, arn: str) -> None:
        armed = self._armed.pop(arn, None)
        if armed is not None and armed.timer is not None:
            self._world.loop.cancel(armed.timer)
        self.schedules.pop(arn, None)

    def _arm(self, arn: str, armed: _Armed) -> None:
        self._armed[arn] = armed
        armed.next = next(armed.instants, None)
        if armed.next is not None:
            armed.timer = self._world.loop.at(to_ns(armed.next), self._due, arn, armed)

    def _due(self, arn: str, armed: _Armed) -> None:
        at = armed.next
        assert at is not None
        armed.next = next(armed.instants, None)
        if armed.next is not None:
            armed.timer = self._world.loop.at(to_ns(armed.next), self._due, arn, armed)
        armed.fire(at)

    def _fire_rule(self, arn: str, at: datetime) -> None:
        world = self._world
        rule = world.bus.rules.get(arn)
        if rule is None:
            return
        event: dict[str, Any] = {
            "version": "0",
            "id": world.uuid(self._rng),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": world.deployment.account,
            "time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "region": world.deployment.region,
            "resources": [rule.arn],
            "detail": {},
        }
        world.log.add("fire", rule.name, scheduled=event["time"])
        world.bus.send(rule, event)

    def _fire_schedule(self, schedule: Schedule, at: datetime) -> None:
        world = self._world
        window = int(schedule.window_minutes * 60 * SECOND * self._rng.random()) if schedule.window_minutes else 0
        execution, scheduled = world.uuid(self._rng), f"{at:%Y-%m-%dT%H:%M:%SZ}"
        attributes = {
            "schedule-arn": schedule.arn,
            "scheduled-time": scheduled,
            "execution-id": execution,
        }
        event = {
            "version": "0",
            "id": execution,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": world.deployment.account,
            "time": scheduled,
            "region": world.deployment.region,
            "resources": [schedule.arn],
            "detail": "{}",
        }
        world.log.add("fire", schedule.name, scheduled=scheduled, **({"window_s": window // SECOND} if window else {}))
        delay = window + world.latency.draw(world.latency.rule, self._rng)
        parcel = Parcel(
            target=schedule.target,
            text=lambda attempt: schedule_input(schedule.target, {**attributes, "attempt-number": str(attempt)}, event),
            event=event,
            principal=SCHEDULER,
            source_arn=schedule.arn,
            event_id=execution,
        )
        world.delivery.later(parcel, delay_ns=delay)
        armed = self._armed.get(schedule.arn)
        if schedule.delete_after_completion and armed is not None and armed.next is None:
            world.loop.after(delay, self._delete, schedule)

    def _delete(self, schedule: Schedule) -> None:
        """A schedule that has nothing more to do and asked for it: gone, in moto as well."""
        from moto.scheduler.models import scheduler_backends  # noqa: PLC0415  only then

        self.forget(schedule.arn)
        world = self._world
        backend = scheduler_backends[world.deployment.account][world.deployment.region]
        group = backend.schedule_groups.get(schedule.group)
        if group is not None:
            group.schedules.pop(schedule.name, None)
        world.log.add("schedule.deleted", schedule.name, at=f"{to_datetime(world.clock.ns):%H:%M:%S}")
