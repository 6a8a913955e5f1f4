"""Schedules that are added while the app runs."""

from datetime import UTC, datetime, timedelta

import pytest

from drumbeat import At, Cron, Rate
from drumbeat.control import Control, InvalidParams, ScheduleExists, ScheduleUnknown
from drumbeat.errors import InvalidSchedule, UnknownTask
from drumbeat.testing.cloud import AppCloud

pytestmark = pytest.mark.cloud(start=datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC))
HOURLY = Cron("0 * * * ? *")


def test_a_schedule_fires_runs_that_have_its_name_and_its_parameters(control: Control, cloud: AppCloud):
    control.schedules.add("strict", "tenant-42", HOURLY, params={"tenant": 42})
    cloud.advance(hours=2)

    assert [
        ("strict/2026-01-01T02:00:00Z/tenant-42", "SUCCEEDED", '{"tenant": 42}'),
        ("strict/2026-01-01T01:00:00Z/tenant-42", "SUCCEEDED", '{"tenant": 42}'),
    ] == [(record.id, record.state, record.params) for record in control.runs("strict")]


def test_schedules_of_one_task_at_one_time_are_runs_of_their_own(control: Control, cloud: AppCloud):
    for tenant in (1, 2, 3):
        control.schedules.add("coroutines", f"tenant-{tenant}", HOURLY)
    cloud.advance(hours=1, minutes=10)

    assert {f"coroutines/2026-01-01T01:00:00Z/tenant-{tenant}" for tenant in (1, 2, 3)} == {
        record.id for record in control.runs("coroutines") if record.state == "SUCCEEDED"
    }


def test_a_one_time_schedule_fires_once_and_is_gone(control: Control, cloud: AppCloud):
    control.schedules.add("strict", "order-7", At("2026-01-01T03:00:00", timezone="Europe/Berlin"))
    cloud.advance(hours=3)

    assert ["strict/2026-01-01T02:00:00Z/order-7"] == [record.id for record in control.runs("strict")]
    assert [] == list(control.schedules.list("strict"))


def test_a_schedule_is_read_back_as_it_was_given(control: Control):
    start = datetime(2026, 2, 1, tzinfo=UTC)
    given = Cron("0 6 * * ? *", timezone="Europe/Berlin", start=start, end=start + timedelta(days=9), window_minutes=5)
    control.schedules.add("strict", "a", given, params={"x": [1]}, enabled=False)
    view = control.schedules.get("strict", "a")

    assert (given, {"x": [1]}, False) == (view.schedule, view.params, view.enabled)


def test_a_schedule_is_changed_in_part(control: Control, cloud: AppCloud):
    control.schedules.add("strict", "a", HOURLY, params={"x": 1})
    control.schedules.change("strict", "a", schedule=Rate(hours=2, start=datetime(2026, 1, 1, 4, tzinfo=UTC)))
    control.schedules.change("strict", "a", params={"y": 2})
    cloud.advance(hours=7)

    assert [("strict/2026-01-01T06:00:00Z/a", '{"y": 2}'), ("strict/2026-01-01T04:00:00Z/a", '{"y": 2}')] == [
        (record.id, record.params) for record in control.runs("strict")
    ]


def test_a_disabled_schedule_rests_until_it_is_enabled(control: Control, cloud: AppCloud):
    control.schedules.add("strict", "a", HOURLY, enabled=False)
    cloud.advance(hours=2)
    assert [] == list(control.runs("strict"))

    control.schedules.change("strict", "a", enabled=True)
    cloud.advance(hours=1)
    assert 1 == len(list(control.runs("strict")))


def test_a_removed_schedule_fires_no_more(control: Control, cloud: AppCloud):
    control.schedules.add("strict", "a", HOURLY)
    control.schedules.remove("strict", "a")
    cloud.advance(hours=2)

    assert [] == list(control.runs("strict"))


def test_many_schedules_are_listed_by_prefix_and_by_pages(control: Control):
    for number in range(120):
        control.schedules.add("strict", f"tenant-{number}", HOURLY)
    control.schedules.add("threads", "tenant-1", HOURLY)
    control.schedules.change("strict", "tenant-7", enabled=False)

    assert 120 == len(list(control.schedules.list("strict")))
    assert [] == list(control.schedules.list("strict", prefix="x"))
    assert 11 == len(list(control.schedules.list("strict", prefix="tenant-7")))
    assert ["tenant-7"] == [entry.name for entry in control.schedules.list("strict") if not entry.enabled]


def test_a_dispatcher_that_refuses_leaves_the_fire_in_the_queue_for_dead_ones(control: Control):
    control.schedules.add("strict", "a", HOURLY)
    stack = control.deployment.stack_of("strict")
    found = control._clients.scheduler.get_schedule(GroupName=stack.schedule_group, Name="strict.a")

    assert stack.dead_fires("strict") == found["Target"]["DeadLetterConfig"]["Arn"]
    assert {"MaximumEventAgeInSeconds": 21_600, "MaximumRetryAttempts": 185} == found["Target"]["RetryPolicy"]


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"task": "strikt"}, UnknownTask, "did you mean strict"),
        ({"name": "tenant 42"}, InvalidSchedule, "'tenant 42': 1 to 57 letters, digits.*for task 'strict'"),
        ({"name": "x" * 58}, InvalidSchedule, "1 to 57 letters"),
        ({"schedule": At("2025-12-31T00:00:00")}, InvalidSchedule, "has no fire after now"),
        ({"params": {"x": object()}}, InvalidParams, "schedule 'a': the parameters aren't JSON"),
    ],
)
def test_what_can_not_be_scheduled_is_refused(control: Control, wrong, error, message):
    with pytest.raises(error, match=message):
        control.schedules.add(**{"task": "strict", "name": "a", "schedule": HOURLY, **wrong})

    assert [] == list(control.schedules.list("strict"))


def test_a_name_that_is_taken_is_refused(control: Control):
    control.schedules.add("strict", "a", HOURLY)

    with pytest.raises(ScheduleExists, match="'strict' has a schedule 'a' already; change it"):
        control.schedules.add("strict", "a", HOURLY)


@pytest.mark.parametrize("method", ["get", "change", "remove"])
def test_a_schedule_that_is_not_there_is_told(control: Control, method: str):
    with pytest.raises(ScheduleUnknown, match="has no schedule 'a'; one-time schedules are gone"):
        getattr(control.schedules, method)("strict", "a")
