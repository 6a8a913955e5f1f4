"""`drumbeat tasks`."""

import re


def test_each_task_is_a_row_with_what_it_needs(app):
    done = app.run("tasks")

    assert 0 == done.exit_code
    row = next(line for line in done.stdout.splitlines() if line.startswith("reader"))
    assert "S3Lines" in row
    assert "Europe/Berlin" in done.stdout
    assert re.search(r"512 MiB +60 s +50 +1 +handlers\.reader", row)
    assert re.search(r"ticker +cron\(0 \* \* \* \? \*\) UTC +\d{4}-\d\d-\d\dT\d\d:00:00Z +Range", done.stdout)


def test_a_task_without_a_schedule_is_started_by_hand(app):
    app.write("handlers/hand.py", "from drumbeat import Task, Range\nhand = Task('hand')\nhand.expand(Range(0, 1))\n")

    assert re.search(r"hand +by hand only +never", app.run("tasks").stdout)


def test_help_has_examples(app):
    for command in ([], ["tasks"], ["next"], ["local"]):
        done = app.run(*command, "--help")

        assert 0 == done.exit_code
        assert "drumbeat" in done.stdout


def test_the_version(app):
    assert app.run("--version").stdout.startswith("drumbeat ")
