"""`drumbeat next`: fires in local time, and changes of clocks."""

import pytest


def lines(app, *arguments: str):
    done = app.run("next", *arguments)
    assert 0 == done.exit_code, done.stderr
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


def task(app, schedule):
    app.write(
        "handlers/subject.py",
        f"from drumbeat import *\nsubject = Task('subject', schedule={schedule})\nsubject.expand(Range(0, 1))\n",
    )
    return "subject"


def test_fires_are_told_in_utc_and_in_the_zone_of_the_task(app):
    assert [
        "reader cron(30 1 * * ? *) Europe/Berlin",
        "UTC Europe/Berlin",
        "2026-11-22T00:30:00Z Sun 2026-11-22 01:30:00+01:00 CET",
        "2026-11-23T00:30:00Z Mon 2026-11-23 01:30:00+01:00 CET",
    ] == lines(app, "reader", "-n", "2", "--after", "2026-11-22T00:00:00Z")


def test_a_fire_at_the_instant_given_is_not_after_it(app):
    assert "2026-11-22T01:00:00Z" in lines(app, "ticker", "-n", "1", "--after", "2026-11-22T00:00:00Z")[-1]


def test_a_time_that_the_spring_skips_is_shown_as_skipped(app):
    name = task(app, "Cron('30 2 * * ? *', timezone='Europe/Berlin')")

    assert [
        "2027-03-27T01:30:00Z Sat 2027-03-27 02:30:00+01:00 CET",
        "- 2027-03-28 02:30:00 skipped: that night the clocks go past it",
        "2027-03-29T00:30:00Z Mon 2027-03-29 02:30:00+02:00 CEST the clocks have changed: UTC+02:00, before UTC+01:00",
    ] == lines(app, name, "-n", "2", "--after", "2027-03-27T00:00:00Z")[2:]


def test_many_skipped_times_are_one_line(app):
    name = task(app, "Cron('0/15 * * * ? *', timezone='Europe/Berlin')")

    assert "- 2027-03-28 02:00:00 to 02:45:00 4 skipped: that night the clocks go past them" in lines(
        app, name, "-n", "2", "--after", "2027-03-28T00:40:00Z"
    )


def test_a_time_that_the_autumn_doubles_fires_once(app):
    name = task(app, "Cron('30 2 * * ? *', timezone='Europe/Berlin')")

    assert [
        "2026-10-25T00:30:00Z Sun 2026-10-25 02:30:00+02:00 CEST comes twice that night, fires the first time only",
        "2026-10-26T01:30:00Z Mon 2026-10-26 02:30:00+01:00 CET the clocks have changed: UTC+01:00, before UTC+02:00",
    ] == lines(app, name, "-n", "2", "--after", "2026-10-24T12:00:00Z")[2:]


def test_nothing_before_the_start_of_a_schedule_is_called_skipped(app):
    name = task(
        app,
        "Cron('30 2 * * ? *', timezone='Europe/Berlin', "
        "start=__import__('datetime').datetime.fromisoformat('2027-05-01T00:00:00Z'))",
    )

    assert not [line for line in lines(app, name, "--after", "2027-03-01T00:00:00Z") if "skipped" in line]


@pytest.mark.parametrize(
    ("schedule", "line"),
    [
        (
            "At('2027-03-29T02:30:00', timezone='Europe/Berlin')",
            "2027-03-29T00:30:00Z Mon 2027-03-29 02:30:00+02:00 CEST",
        ),
        ("Rate(minutes=90)", "2026-11-22T01:30:00Z Sun 2026-11-22 01:30:00+00:00 UTC"),
    ],
)
def test_other_kinds_of_schedules(app, schedule, line):
    told = lines(app, task(app, schedule), "--after", "2026-11-22T00:00:00Z")

    assert line == told[2].partition(" the clocks")[0]
    assert ("A rate counts from its deployment" in told[-1]) == schedule.startswith("Rate")


def test_a_schedule_that_is_over_says_so(app):
    name = task(app, "At('2027-03-29T02:30:00')")

    assert "no fire after 2028-01-01T00:00:00Z" == lines(app, name, "--after", "2028-01-01T00:00:00Z")[-1]
