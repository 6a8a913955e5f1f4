"""The commands of operators, on the app that is deployed in the local cloud."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drumbeat.cli import connection
from drumbeat.control import Control, Deployment

AT = "2026-01-01T06:30:00Z"
RUN = f"strict/{AT}"


class Operator:
    """Calls commands; time passes while they wait."""

    def __init__(self, cloud, folder) -> None:
        self._folder = folder
        self.cloud = cloud

    def __call__(self, *arguments: str, status: int = 0) -> str:
        done = self._folder.run(*arguments)
        assert status == done.exit_code, done.output
        assert "Traceback" not in done.stderr
        return done.stdout if status != 2 else done.stderr

    def json(self, *arguments: str, status: int = 0):
        return json.loads(self(*arguments, "--json", status=status))

    def until_idle(self) -> None:
        self.cloud.run_until_idle()


@pytest.fixture
def drumbeat(cloud, monkeypatch, app):
    control = Control(
        Deployment.of_outputs(cloud.deployment.outputs),
        cloud,
        now=lambda: cloud.now,
        sleep=lambda seconds: cloud.advance(seconds=seconds),
    )
    monkeypatch.setattr(connection, "connect", lambda _project: control)
    app.path = Path(__file__).parents[1] / "app"
    return Operator(cloud, app)


@pytest.fixture
def failed(drumbeat, tmp_path) -> str:
    """A run with a failure of five items."""
    items = tmp_path / "items.jsonl"
    items.write_text('"ann"\n\n{"raise": "HTTP 503 [bold] for 17"}\n"bob"\n{"raise": "HTTP 504 [bold] for 4"}\n"cid"\n')
    drumbeat("run", "strict", "--at", AT, "--items", str(items))
    drumbeat.until_idle()
    return RUN


def test_run_prints_the_id_of_what_it_has_started(drumbeat):
    assert f"{RUN}/again\n" == drumbeat("run", "strict", "--at", "2026-01-01T07:30+01:00", "--name", "again")


def test_run_passes_parameters_as_json_or_text(drumbeat):
    settings = ["tenant=42", "zip=01234", 'code="7"', "days=[1,2]", "when=a=b"]
    drumbeat("run", "strict", "--at", AT, *(word for setting in settings for word in ("--set", setting)))
    drumbeat.until_idle()

    assert {"tenant": 42, "zip": "01234", "code": "7", "days": [1, 2], "when": "a=b"} == drumbeat.json("show", RUN)[
        "run"
    ]["params"]


def test_run_wait_follows_the_run_and_tells_how_it_ended(drumbeat):
    told = drumbeat("run", "strict", "--at", AT, "--wait")

    assert re.search(rf"^{RUN} SUCCEEDED 5 of 5 items, in \d+ s$", told, re.MULTILINE)


def test_run_wait_ends_with_1_if_the_run_failed(drumbeat, tmp_path):
    items = tmp_path / "items.jsonl"
    items.write_text('{"raise": "poison"}\n')
    document = drumbeat.json("run", "strict", "--at", AT, "--items", str(items), "--wait", status=1)

    assert ("FAILED", 1, 1) == tuple(document["run"][key] for key in ("state", "items", "failed"))


def test_runs_are_listed_and_chosen(drumbeat, failed):
    drumbeat("run", "threads", "--at", AT)
    drumbeat.until_idle()

    assert {failed, f"threads/{AT}"} == {run["id"] for run in drumbeat.json("runs")["runs"]}
    assert [failed] == [run["id"] for run in drumbeat.json("runs", "--state", "failed")["runs"]]
    assert 1 == len(drumbeat.json("runs", "--limit", "1")["runs"])
    table = drumbeat("runs", "strict")
    assert re.search(rf"^{RUN} +FAILED +5 +3 +2 +0 ", table, re.MULTILINE)
    assert "no such run" in drumbeat("runs", "lines")


def test_show_tells_all_of_a_run(drumbeat, failed):
    document = drumbeat.json("show", "strict/latest")["run"]

    assert (failed, "FAILED", 5, 3, 2, 0, 0, 5) == tuple(
        document[key] for key in ("id", "state", "items", "succeeded", "failed", "dropped", "redrives", "attempts")
    )
    text = drumbeat("show", failed)
    assert "5 of 5 items, 2 failed" in text
    assert "2 of 5 items failed" in text  # the reason
    assert re.search(r"^worked +0\.\d+ s, 0\.\d+ s an attempt *$", text, re.MULTILINE)


def test_watch_tells_a_line_for_each_change(drumbeat, tmp_path):
    items = tmp_path / "items.jsonl"
    items.write_text('{"sleep": 4}\n' * 5 + '{"sleep": 8}\n' * 5)
    drumbeat("run", "strict", "--at", AT, "--items", str(items))
    drumbeat.cloud.advance(seconds=3)
    told = drumbeat("watch", RUN, "--every", "1")

    lines = told.splitlines()
    assert len(lines) == len(set(lines))
    assert re.fullmatch(rf"{RUN} RUNNING 5 of 10 items, .*/s, done about 00:00:\d\d UTC", lines[-2])
    assert re.fullmatch(rf"{RUN} SUCCEEDED 10 of 10 items, in \d+ s", lines[-1])


def test_watch_of_a_failed_run_ends_with_1(drumbeat, failed):
    assert "FAILED 5 of 5 items, 2 failed" in drumbeat("watch", failed, status=1)


def test_an_interrupted_watch_leaves_the_run(drumbeat, monkeypatch):
    def interrupt(_control, _run, *, every_s):  # noqa: ARG001
        raise KeyboardInterrupt

    monkeypatch.setattr(Control, "follow", interrupt)
    drumbeat("run", "strict", "--at", AT)

    assert "stopped watching; the run goes on\n" == drumbeat("watch", RUN, status=130)


def test_failures_are_listed_with_their_items(drumbeat, failed):
    text = drumbeat("failures", failed)
    first, second = drumbeat.json("failures", failed)["failures"]

    assert re.search(
        r'^ +1 +\{"raise": "HTTP 503 \[bold\] for 17"\} +RuntimeError: HTTP 503 \[bold\] for 17 +1 ', text, re.MULTILINE
    )
    assert (1, {"raise": "HTTP 503 [bold] for 17"}, "RuntimeError", 1) == tuple(
        first[key] for key in ("number", "item", "error_type", "attempts")
    )
    assert 3 == second["number"]


def test_failures_are_counted_by_error(drumbeat, failed):
    assert [{"error": "RuntimeError: HTTP # [bold] for #", "count": 2, "numbers": [1, 3]}] == drumbeat.json(
        "failures", failed, "--by-error"
    )["errors"]
    assert "2  RuntimeError: HTTP # [bold] for #  1, 3" in drumbeat("failures", failed, "--by-error")


def test_failures_beyond_the_limit_are_told_of(drumbeat, failed):
    assert "and more; --limit N shows them" in drumbeat("failures", failed, "--limit", "1")
    assert drumbeat.json("failures", failed, "--limit", "1")["more"]
    assert not drumbeat.json("failures", failed, "--error", "503", "--limit", "1")["more"]


def test_redrive_tells_first_and_then_does(drumbeat, failed):
    would = drumbeat("redrive", failed, "--error", "503", "--dry-run")
    does = drumbeat.json("redrive", failed, "--items", "1,3-5")
    drumbeat.until_idle()

    assert f"redrive 1 of {RUN} would do 1 items again: 1 that had failed (1)\n" == would
    assert (2, 2, 0, 1) == tuple(does[key] for key in ("items", "failed", "dropped", "redrive"))
    assert (1, 2) == tuple(drumbeat.json("show", failed)["run"][key] for key in ("redrives", "failed"))


def test_cancel_stops_a_run(drumbeat, tmp_path):
    items = tmp_path / "items.jsonl"
    items.write_text('{"sleep": 6}\n' * 400)
    drumbeat("run", "strict", "--at", AT, "--items", str(items))
    drumbeat.cloud.advance(seconds=20)

    assert f"{RUN} RUNNING (stopping)" in drumbeat("cancel", RUN)
    drumbeat.until_idle()
    run = drumbeat.json("show", RUN)["run"]
    assert ("CANCELLED", 400) == (run["state"], run["succeeded"] + run["failed"] + run["dropped"])


def test_pause_and_resume(drumbeat):
    assert "task plain is paused since 2026-01-01T00:00:00Z\n" == drumbeat("pause", "plain")
    assert "task plain fires again\n" == drumbeat("resume", "plain")
    assert "error: task 'plain' isn't paused\n" == drumbeat("resume", "plain", status=2)


@pytest.mark.cloud(start=datetime(2026, 1, 10, 12, tzinfo=UTC))
def test_backfill_plans_runs_and_stops(drumbeat):
    span = ("--from", "2026-01-05T00:00:00Z", "--to", "2026-01-08T00:00:00Z")
    would = drumbeat("backfill", "plain", *span, "--dry-run")
    assert would.startswith("the backfill of plain would open 4 runs, of 4 fires:\n  plain/2026-01-05T00:00:00Z\n")
    assert "task plain has had no backfill\n" == drumbeat("backfill", "plain")

    assert 4 == drumbeat.json("backfill", "plain", *span, "--order", "newest", "--max-active", "2")["runs"]
    assert "is stopped: it has opened 2 runs" in drumbeat("backfill", "plain", "--stop")
    assert 2 == drumbeat.json("backfill", "plain")["backfill"]["opened"]


def test_schedules_are_added_listed_changed_and_removed(drumbeat):
    added = drumbeat(
        "schedule", "add", "strict", "--name", "tenant-42", "--cron", "0 6 * * ? *",
        "--timezone", "Europe/Berlin", "--set", "tenant=42",
    )  # fmt: skip
    assert "tenant-42 of strict: cron(0 6 * * ? *) Europe/Berlin, with tenant=42\n" == added
    drumbeat("schedule", "add", "strict", "--name", "often", "--rate", "5 minutes", "--disabled")
    drumbeat("schedule", "add", "strict", "--name", "once", "--at", "2026-03-01T06:00:00", "--timezone", "Asia/Tokyo")

    assert {"tenant-42", "often", "once"} == {
        entry["name"] for entry in drumbeat.json("schedule", "list", "strict")["schedules"]
    }
    assert re.search(r"^often +disabled +20", drumbeat("schedule", "list", "strict", "--prefix", "oft"), re.MULTILINE)
    changed = drumbeat.json("schedule", "change", "strict", "--name", "often", "--rate", "rate(1 hour)", "--enabled")
    assert ("rate(1 hour)", True) == (changed["schedule"]["schedule"], changed["schedule"]["enabled"])
    assert (
        "at(2026-03-01T06:00:00)"
        == drumbeat.json("schedule", "show", "strict", "--name", "once")["schedule"]["schedule"]
    )
    assert "removed schedule often of strict\n" == drumbeat("schedule", "remove", "strict", "--name", "often")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("run strct", "no task 'strct' in stack Drumbeat; did you mean strict?"),
        ("run strict --at 2026-01-01T06:30", "--at '2026-01-01T06:30' has no time zone; write it like"),
        ("run strict --set tenant", "--set 'tenant' is no KEY=VALUE; write it like --set tenant=42"),
        ("run strict --set a=1 --set a=2", "--set a is given twice"),
        ("run strict --items nowhere.jsonl", "--items nowhere.jsonl can't be read (No such file or directory)"),
        (
            "show strict/2026-01-01T06:30:00Z",
            "no run 'strict/2026-01-01T06:30:00Z' in the ledger; task 'strict' has no",
        ),
        ("show 17", "no task '17' in stack Drumbeat; there are"),
        ("watch strict/latest", "task 'strict' has no run in the ledger yet"),
        ("runs --state done", "no run is ever 'DONE'; there are WAITING, RUNNING"),
        ("runs --limit 0", "Invalid value for '--limit'"),
        ("backfill plain --from 2026-01-05T00:00:00Z", "a backfill needs both --from and --to"),
        ("backfill plain --stop", "task 'plain' has no backfill under way; there is nothing to stop"),
        ("backfill strict --from 2025-12-05T00:00:00Z --to 2025-12-06T00:00:00Z", "'strict' has no schedule"),
        ("schedule add strict --name a", "when? give one of --cron, --rate and --at"),
        ("schedule add strict --name a --timezone UTC", "--timezone: give exactly one of --cron, --rate and --at"),
        ("schedule add strict --name a --rate rate(1) --cron x", "--cron and --rate: give exactly one"),
        ("schedule add strict --name a --rate often", "rate 'rate(often)': a positive number and one of minutes"),
        ("schedule add strict --name a --at 2026-03-01T06:00:00", "--at '2026-03-01T06:00:00' has no time zone"),
        ("schedule add strict --name a! --rate rate(1day)", "rate 'rate(1day)'"),
        ("schedule change strict --name a", "nothing to change; give --cron"),
        ("schedule remove strict --name a", "task 'strict' has no schedule 'a'"),
        ("schedule", ""),
    ],
)
def test_a_mistake_is_told_in_one_sentence(drumbeat, line, message):
    told = drumbeat(*line.split(), status=2)

    assert message in told
    assert not message or 1 == told.count("\n")


def test_items_that_are_not_json_are_told_with_their_line(drumbeat, tmp_path):
    items = tmp_path / "items.jsonl"
    items.write_text("1\nann\n")

    told = drumbeat("run", "strict", "--items", str(items), status=2)
    assert "items.jsonl, line 2 isn't JSON (Expecting value: line 1 column 1 (char 0)); write one item a line" in told
