"""What the command line refuses: one clear sentence on standard error, exit status 2, no traceback."""

import pytest

TIME = "2026-11-22T00:00:00Z"


def refused(app, *arguments: str):
    done = app.run(*arguments)
    assert 2 == done.exit_code, done.output
    assert "" == done.stdout
    assert "Traceback" not in done.stderr
    assert 1 == done.stderr.count("\n"), done.stderr
    return done.stderr.strip()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["next", "tickr"], "no task 'tickr' in {app}/handlers/; did you mean ticker?"),
        (["next", "xyz"], "no task 'xyz' in {app}/handlers/; there are reader, ticker"),
        (["local", "--task", "readr"], "no task 'readr' in {app}/handlers/; did you mean reader?"),
        (["next", "ticker", "--after", "tomorrow"], "--after 'tomorrow' is no ISO 8601 time; write it like " + TIME),
        (
            ["next", "ticker", "--after", "2026-11-22T08:00"],
            "--after '2026-11-22T08:00' has no time zone; write it like 2026-11-22T08:00Z or 2026-11-22T08:00+01:00",
        ),
        (
            ["local", "--from", "2026-11-22"],
            f"--from '2026-11-22' has no time zone; write it like {TIME} or 2026-11-22T00:00:00+01:00",
        ),
        (["local", "--to", "31.12."], f"--to '31.12.' is no ISO 8601 time; write it like {TIME}"),
        (["next", "ticker", "--after", "9999-12-31T23:59:59-10:00"], "--after '9999-12-31T23:59:59-10:00' is outside"),
        (["local", "--from", TIME, "--to", TIME], f"--to {TIME} isn't after --from {TIME}; give a later one"),
        (["local", "--from", TIME, "--out", "{app}/handlers/ticker.py"], "ticker.py can't be a folder (File exists)"),
        (["local", "--from", TIME], "no app.py in {app}; run in the folder of your app, or name it with --app"),
        (["local", "--seed", "x"], "Invalid value for '--seed'"),
        (["next"], "Missing argument 'TASK'; --help tells what there is"),
        (["nxt"], "No such command 'nxt'"),
        (["tasks", "--fast"], "No such option: --fast"),
    ],
)
def test_a_mistake_is_told_in_one_line(app, arguments, message):
    arguments = [argument.format(app=app.path) for argument in arguments]

    assert message.format(app=app.path) in refused(app, *arguments)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "broken",
            "import nowhere",
            "module handlers.broken can't be imported: ModuleNotFoundError: No module named 'now",
        ),
        (
            "broken",
            "from drumbeat import Task\nt = Task('a', timeout_s=901)",
            "can't be imported: InvalidTask: task 'a'",
        ),
        (
            "again",
            "from drumbeat import Task\nt = Task('ticker')",
            "task 'ticker' is declared in handlers.again and again",
        ),
        ("bare", "from drumbeat import Task\nt = Task('bare')", "task 'bare' has no expand; decorate a function"),
    ],
)
def test_a_wrong_task_is_told_in_one_line(app, name, text, message):
    app.write(f"handlers/{name}.py", text)

    assert message in refused(app, "tasks")


def test_a_task_without_schedule_has_no_next_fire(app):
    app.write("handlers/hand.py", "from drumbeat import Task\nhand = Task('hand')")

    assert "error: task 'hand' has no schedule: it is only started by hand" == refused(app, "next", "hand")


def test_a_folder_without_handlers_is_no_app(app):
    app.path = app.path / "handlers"

    assert f"no folder handlers/ in {app.path}; run in the folder of your app" in refused(app, "tasks")


def test_handlers_without_a_task_are_no_app(app):
    for name in ("ticker", "reader"):
        (app.path / f"handlers/{name}.py").unlink()

    assert "no task in" in refused(app, "tasks")


def test_node_is_asked_for_where_it_is_missing(app, monkeypatch):
    app.write("app.py", "")
    monkeypatch.setenv("PATH", str(app.path))

    assert "node isn't on the PATH, and the AWS CDK needs it; install Node.js 22" in refused(app, "local")


def test_what_app_py_says_is_passed_on(app):
    app.write("app.py", "raise SystemExit('BundleTooLarge: 300 MB, 250 allowed')")

    assert "error: app.py failed: BundleTooLarge: 300 MB, 250 allowed" == refused(app, "local")


def test_an_app_py_without_synth_is_told_so(app):
    app.write("app.py", "")

    assert "app.py wrote no cloud assembly; call app.synth() at its end" in refused(app, "local")


def test_debug_shows_where_an_error_came_from(app):
    done = app.run("--debug", "next", "tickr")

    assert 2 == done.exit_code
    assert "Traceback" in done.stderr


def test_a_failure_of_our_own_is_told_as_such(app, monkeypatch):
    monkeypatch.setattr("drumbeat.cli.project.discover", lambda package: {}[package])
    done = app.run("tasks")

    assert 1 == done.exit_code
    assert "drumbeat failed where it shouldn't (KeyError: 'handlers'); repeat it with --debug" in done.stderr
