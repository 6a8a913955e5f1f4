"""How `watch` shows a run: the bar on a terminal, the rate, the estimate."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from drumbeat.cli.follow import follow
from drumbeat.cli.pace import Pace
from drumbeat.control import Status
from drumbeat.ledger.count import Totals
from drumbeat.ledger.record import RunRecord

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RUN = RunRecord("sunrise/2026-11-22T00:00:00Z", "sunrise", "2026-11-22T00:00:00Z", "RUNNING", items=1000, sealed=True)


def at(second: int) -> datetime:
    return NOW + timedelta(seconds=second)


def test_the_rate_is_that_of_the_last_minute():
    pace = Pace()
    for second, done in ((0, 0), (30, 3000), (60, 3060), (90, 3120), (120, 3180)):
        pace.see(at(second), done)

    assert 2 == pace.per_s
    assert timedelta(seconds=410) == pace.left(4000)


def test_there_is_no_rate_before_something_moves_and_after_a_redrive_began():
    pace = Pace()
    pace.see(at(0), 100)
    pace.see(at(2), 100)
    assert (None, None) == (pace.per_s, pace.left(1000))

    pace.see(at(4), 200)
    pace.see(at(6), 50)
    assert pace.per_s is None


@pytest.mark.parametrize("items", [None, 10])
def test_without_a_total_or_a_rate_there_is_no_estimate(items):
    pace = Pace()
    pace.see(at(0), 0)

    assert pace.left(items) is None


def test_a_terminal_has_a_bar_with_rate_estimate_and_failures():
    text = StringIO()
    console = Console(file=text, force_terminal=True, width=140, color_system=None)
    clock = iter(range(0, 1000, 10))
    seen = [Status(RUN, Totals(succeeded=number * 100, failed=number)) for number in range(3)]

    follow(seen, console, now=lambda: at(next(clock)))

    assert "sunrise/2026-11-22T00:00:00Z" in text.getvalue()
    assert "202 of 1,000 items, 2 failed" in text.getvalue()
    assert "/s, done about 12:0" in text.getvalue()
    assert " 20 %" in text.getvalue()


@pytest.mark.parametrize(
    ("changes", "phase"),
    [
        ({"sealed": False}, "expanding"),
        ({"halt": "cancel"}, "stopping"),
        ({"verdict": "SUCCEEDED"}, "finishing"),
        ({}, ""),
        ({"state": "SUCCEEDED", "halt": "x"}, ""),
    ],
)
def test_what_a_run_is_at_is_said_in_a_word(changes, phase):
    assert phase == Status(RunRecord(**{**vars(RUN), **changes}), Totals()).phase
