"""Operators' commands on a local cloud that is kept in a folder: each finds it as the last one left it."""

import json
import re

import pytest

FROM = "2026-11-22T00:00:00Z"
RUN = "reader/2026-11-22T00:30:00Z"


class Shell:
    """Commands on the tiny app and one folder, one after the other."""

    def __init__(self, app, folder) -> None:
        self.app = app
        self.folder = folder
        self.told = ""

    def __call__(self, *arguments: str, status: int = 0) -> str:
        done = self.app.run("--local", str(self.folder), *arguments)
        assert status == done.exit_code, done.output
        assert "Traceback" not in done.stderr
        self.told = done.stderr
        return done.stdout

    def json(self, *arguments: str, status: int = 0):
        return json.loads(self(*arguments, "--json", status=status))

    def files(self):
        return {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}


@pytest.fixture
def shell(tiny, tmp_path) -> Shell:
    return Shell(tiny, tmp_path / "cloud")


def test_a_run_fails_is_looked_at_and_redriven_command_by_command(shell):
    assert "no such run" in shell("--from", FROM, "runs", "reader")
    assert f"deployed the app into {shell.folder}, where it is {FROM} now" in shell.told
    assert "it is 2026-11-22T00:40:00Z after" in shell("advance", "--to", "2026-11-22T00:40:00Z")
    assert ("FAILED", 3, 1) == tuple(shell.json("show", RUN)["run"][key] for key in ("state", "items", "failed"))
    assert [1] == [failure["number"] for failure in shell.json("failures", RUN)["failures"]]

    again = shell.json("redrive", RUN, "--wait", status=1)
    assert (1, 1, "FAILED") == tuple(again[key] for key in ("items", "redrive", "state"))
    assert (1, 1) == tuple(shell.json("show", RUN)["run"][key] for key in ("redrives", "failed"))
    assert {RUN, f"ticker/{FROM}"} == {run["id"] for run in shell.json("runs")["runs"]}


def test_looking_changes_nothing_and_a_refused_command_neither(shell):
    shell("--from", FROM, "run", "ticker", "--name", "mine")
    before = shell.files()

    shell("runs")
    shell("show", "ticker/latest")
    shell("redrive", "ticker/latest", status=2)
    assert "error: no task 'tickr'" in (shell("run", "tickr", status=2), shell.told)[1]
    assert before == shell.files()


def test_time_passes_only_for_who_waits(shell):
    shell("--from", FROM, "--seed", "3", "pause", "ticker")
    started = shell("run", "reader", "--set", "a=1").strip()
    shown = shell.json("show", started)["run"]
    assert ("RUNNING", {"a": 1}) == (shown["state"], shown["params"])
    assert started in shell("cancel", started, "--abandon")
    passed = shell.json("advance")
    assert passed["idle"]
    assert passed["now"] < "2026-11-22T00:10"
    assert "CANCELLED" == shell.json("show", started)["run"]["state"]

    ended = shell("run", "ticker", "--name", "mine", "--wait")
    assert re.search(r"^ticker/\S+/mine SUCCEEDED 10 of 10 items, in \d+ s$", ended, re.MULTILINE)


def test_added_schedules_fire_in_later_commands(shell):
    shell("--from", FROM, "schedule", "add", "ticker", "--name", "t42", "--rate", "10 minutes", "--set", "tenant=42")
    shell("advance", "--minutes", "25")

    found = [run for run in shell.json("runs", "ticker")["runs"] if run["name"] == "t42"]
    assert [{"tenant": 42}] * 2 == [run["params"] for run in found]
    assert "t42" in shell("schedule", "list", "ticker")


def test_the_same_commands_give_the_same_files(tiny, tmp_path):
    found = []
    for name in ("one", "two"):
        shell = Shell(tiny, tmp_path / name / "cloud")
        shell("--from", FROM, "--seed", "7", "run", "ticker", "--name", "x")
        shell("advance", "--minutes", "10")
        shell("schedule", "add", "ticker", "--name", "s", "--rate", "5 minutes")
        shell("advance", "--minutes", "7")
        found.append(shell.files())

    assert found[0] == found[1]


def test_other_sources_are_told_of_and_deployed_if_asked(shell, tiny):
    shell("--from", FROM, "run", "ticker")
    source = tiny.path / "handlers" / "ticker.py"
    text = source.read_text()
    try:
        for folder in (tiny.path, tiny.path / "code"):
            (folder / "handlers" / "ticker.py").write_text(text.replace("2 * number", "3 * number"))
        shell("runs")
        assert "has changed since it was deployed into" in shell.told
        shell("--redeploy", "advance")
        assert "deployed the app over what is in" in shell.told
        shell("runs")
        assert "has changed" not in shell.told
        shell("run", "ticker", "--name", "new", "--wait")
        state = next(shell.folder.glob("state-*")).read_text()
        assert ["0,3,6,9,12,15,18,21,24,27"] == re.findall(r'/new/doubled.txt".*"text":"([^"]*)"', state)
        assert f"ticker/{FROM}" in shell("runs")
    finally:
        for folder in (tiny.path, tiny.path / "code"):
            (folder / "handlers" / "ticker.py").write_text(text)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("tasks", "drumbeat tasks works on no deployed app; leave out --local"),
        ("--redeploy runs", "--redeploy: there is no cloud in"),
        ("--from yesterday runs", "--from 'yesterday' is no ISO 8601 time"),
        ("advance --to 2026-11-22T00:00:00Z --minutes 3", "--to and --minutes: give one of them"),
        ("advance --to 2026-11-22", "--to '2026-11-22' has no time zone"),
    ],
)
def test_a_mistake_is_told_before_anything_is_made(shell, line, message):
    shell(*line.split(), status=2)

    assert message in shell.told
    assert not shell.folder.exists()


def test_a_mistake_about_a_cloud_that_is_there(shell, tmp_path, tiny):
    shell("--from", FROM, "runs")
    shell("--from", FROM, "--seed", "0", "runs", status=2)
    assert f"--from and --seed: there is a cloud in {shell.folder} already; that is for a new one" in shell.told
    shell("advance", "--to", FROM, status=2)
    assert "give a later time" in shell.told

    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    Shell(tiny, tmp_path / "other")("runs", status=2)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("advance", "time passes by itself on AWS; name a local cloud, drumbeat --local DIR advance"),
        ("--seed 1 runs", "--seed before the command: that is for --local DIR; name a folder"),
    ],
)
def test_what_is_for_a_local_cloud_needs_one(tiny, line, message):
    done = tiny.run(*line.split())

    assert 2 == done.exit_code
    assert message in done.stderr
