"""Runs and signals: named by the scheduled time, read from events, refused when malformed."""

from datetime import UTC, datetime
from typing import Any

import pytest

from drumbeat import Run
from drumbeat.errors import MalformedFire
from drumbeat.signal import Finish, Fire, Resume, parse_signal

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)


def test_a_run_is_named_by_its_task_and_scheduled_time_in_utc() -> None:
    event = {"task": "sunrise", "scheduled_at": "2026-11-22T01:00:00+01:00"}

    signal = parse_signal(event, task="sunrise", bucket="b")

    assert Fire(Run("sunrise", MIDNIGHT, "b")) == signal
    assert "sunrise/2026-11-22T00:00:00Z" == signal.run.id
    assert "results/sunrise/2026-11-22T00:00:00Z" == signal.run.prefix


def test_a_fire_is_named_by_the_minute_because_schedules_keep_no_seconds() -> None:
    event = {"task": "sunrise", "scheduled_at": "2026-11-22T00:00:41.5Z"}

    assert MIDNIGHT == parse_signal(event, task="sunrise", bucket="").run.scheduled_at


@pytest.mark.parametrize("signal", [Fire, Finish, lambda run: Resume(run, 3)])
def test_a_signal_reads_back_as_it_was_sent(signal: Any) -> None:
    sent = signal(Run("sunrise", MIDNIGHT))

    assert sent == parse_signal(sent.event(), task="sunrise", bucket="")


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (None, "not a NoneType"),
        ([], "not a list"),
        ({}, "an object with 0 keys"),
        ({"task": "sunrise"}, "no scheduled_at"),
        ({"task": "sunrise", "scheduled_at": "tomorrow"}, "no ISO 8601 time"),
        ({"task": "sunrise", "scheduled_at": "2026-11-22T00:00:00"}, "no time zone"),
        ({"task": "sunrise", "scheduled_at": 5}, "no scheduled_at"),
        ({"task": "gone", "scheduled_at": "2026-11-22T00:00:00Z"}, "another task reached the dispatcher of 'sunrise'"),
        ({"task": "sunrise", "scheduled_at": "0001-01-01T00:00:00+14:00"}, "the years 1000 to 9999"),
        ({"task": "sunrise", "scheduled_at": "2026-11-22T00:00:00Z", "params": {"n": float("nan")}}, "no NaN"),
        ({"task": "sunrise", "resume": "sunrise/2026-11-22T00:00:00Z", "epoch": True}, "no scheduled_at"),
        ({"task": "sunrise", "finish": "other/2026-11-22T00:00:00Z"}, "isn't one of task 'sunrise'"),
        ({"task": "sunrise", "resume": "sunrise", "epoch": 1}, "TASK/TIME"),
    ],
)
def test_a_malformed_event_is_refused_with_what_was_expected(event: Any, words: str) -> None:
    with pytest.raises(MalformedFire) as refused:
        parse_signal(event, task="sunrise", bucket="")
    assert words in str(refused.value)
