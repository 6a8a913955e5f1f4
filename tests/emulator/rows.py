"""The life of a run, row by row: what the installed command does on an emulator, and what comes of it."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shell import COUNTS, ENDED, Shell, Wrong, expect, minute, until

PER_SECOND = 4


POLICIES = {  # what a second and a third fire meet, while the first run is held; how all three end
    "skips": ("SKIPPED", "SKIPPED", ("SUCCEEDED", "SKIPPED", "SKIPPED")),
    "one-waits": ("WAITING", "SKIPPED", ("SUCCEEDED", "SUCCEEDED", "SKIPPED")),
    "all-wait": ("WAITING", "WAITING", ("SUCCEEDED", "SUCCEEDED", "SUCCEEDED")),
    "replaces": ("WAITING", "WAITING", ("CANCELLED", "CANCELLED", "SUCCEEDED")),
    "two-at-most": ("RUNNING", "WAITING", ("SUCCEEDED", "SUCCEEDED", "SUCCEEDED")),
}


def overlap(drumbeat: Shell) -> str:
    """Each policy, with fires that meet an active run; two operators who give the same command at once."""
    times = [minute(-9), minute(-8), minute(-7)]
    for task in POLICIES:
        drumbeat.run(task, "--at", times[0], "--set", "hold=free", "--set", "count=3")
    drumbeat.all_are({f"{task}/{times[0]}": ("RUNNING",) for task in POLICIES})
    for task, (second, *_) in POLICIES.items():
        held = ("--set", "hold=free") if second == "RUNNING" else ()
        drumbeat.run(task, "--at", times[1], *held)
    drumbeat.all_are({f"{task}/{times[1]}": (states[0],) for task, states in POLICIES.items()})
    for task in POLICIES:
        drumbeat.run(task, "--at", times[2])
    met = drumbeat.all_are({f"{task}/{times[2]}": (states[1],) for task, states in POLICIES.items()})
    for task, (_, third, _) in POLICIES.items():
        if third == "SKIPPED" and met[f"{task}/{times[2]}"]["blocked_by"] not in {f"{task}/{at}" for at in times[:2]}:
            raise Wrong(f"a skipped run of {task} doesn't say what was in its way")
    for task in POLICIES:
        for at in times[:2]:
            drumbeat.leave(f"{task}/{at}", "free")
    drumbeat.all_are(
        {f"{task}/{at}": (end,) for task, (_, _, ends) in POLICIES.items() for at, end in zip(times, ends, strict=True)}
    )
    at = minute(-6)
    with ThreadPoolExecutor(2) as both:
        twice = list(both.map(lambda _: drumbeat("run", "skips", "--at", at, status=None), range(2)))
    run, exists = f"skips/{at}", f"error: run skips/{at} exists already"
    if run not in twice or not all(told == run or told.startswith(exists) for told in twice):
        raise Wrong(f"two operators at once were told {twice}")
    expect(("SUCCEEDED", 1, 0, 0), _ended(drumbeat, run), "their run")
    return "skip, buffer_one, buffer_all, cancel_other, allow 2; two operators at once start one run"


def missed(drumbeat: Shell) -> str:
    """Fires that the emulator's own clock sends; some of them while the task is paused."""
    until(lambda: _with_state(drumbeat, "every-minute", "SUCCEEDED"), "the rule has fired")
    drumbeat("pause", "every-minute")
    since = minute()
    found = until(lambda: _with_state(drumbeat, "every-minute", "MISSED"), "a fire was missed")
    run = found[0]["id"]
    expect("the task was paused", found[0]["reason"], "why it was missed")
    drumbeat("resume", "every-minute")
    expect(True, "isn't paused" in drumbeat("resume", "every-minute", status=2), "a second resume is refused")
    drumbeat.wait(run)
    expect(("SUCCEEDED", 1, 0, 0), drumbeat.counts(run), f"the fire missed since {since}, made up for")
    return "the rule fires by itself; a paused task's fire is MISSED, and made up for by the keeper after resume"


def backfill(drumbeat: Shell) -> str:
    """Five past fires, of which one fails and is run again."""
    hour = int(time.time()) // 3600 * 60 - int(time.time()) // 60  # minutes since, negative
    asked = ("backfill", "hourly", "--from", minute(hour - 300), "--to", minute(hour - 60))
    plan = drumbeat.json(*asked, "--dry-run")
    expect((5, 5, True), (plan["runs"], plan["fires"], plan["dry_run"]), "the dry run")
    expect(0, len(_of(drumbeat, "hourly", lane="backfill")), "runs after it")
    drumbeat(*asked, "--max-active", "2")
    drumbeat(*asked, status=2)  # another operator
    _backfilled(drumbeat)
    runs = _of(drumbeat, "hourly", lane="backfill")
    expect({"SUCCEEDED": 4, "FAILED": 1}, _states(runs), "runs of the backfill")
    expect((149, 1), (sum(run["succeeded"] for run in runs), sum(run["failed"] for run in runs)), "their items")
    drumbeat(*asked, "--only", "failed")
    _backfilled(drumbeat)
    again = [run for run in _of(drumbeat, "hourly", lane="backfill") if run["name"] == "rerun-1"]
    expect([("SUCCEEDED", 30)], [(run["state"], run["succeeded"]) for run in again], "the rerun")
    expect(True, "none of the 5 fires" in drumbeat(*asked, status=2), "nothing is left to do")
    return "5 past fires, 2 at a time, in a lane of their own; the failed one as rerun-1; a second backfill is refused"


def retries(drumbeat: Shell) -> str:
    """Items that fail once, that ask for time, that are dead, that never succeed."""
    items = [1, 2, 3, {"fail_once": "a"}, {"again": 2, "key": "b"}, {"dead": "no such address"}, {"broken": "still"}]
    run = drumbeat.run("general", items=items)
    expect(("FAILED", 5, 2, 0), _ended(drumbeat, run), "the run")
    failures = drumbeat.json("failures", run)["failures"]
    told = [(failure["number"], failure["error_type"], failure["attempts"]) for failure in failures]
    expect([(5, "Dead", 1), (6, "RuntimeError", 3)], told, "dead letters")
    expect(3 + 2 + 1 + 1 + 3, drumbeat.show(run)["attempts"], "attempts: Again burns none, Dead takes one")
    return "a retry, Again, Dead, and giving up, attempts counted exactly"


def deadline(drumbeat: Shell) -> str:
    """A run that takes longer than it may."""
    run = drumbeat.run("late", "--set", "seconds=5", "--set", "count=60")
    drumbeat.wait(run)
    found = drumbeat.show(run)
    expect(("FAILED", 60, 0), (found["state"], found["succeeded"] + found["failed"], found["dropped"]), "the run")
    expect(True, found["reason"].startswith("not done at the deadline"), found["reason"])
    [error] = drumbeat.json("failures", run, "--by-error")["errors"]
    expect(("DeadlineExceeded", found["failed"]), (error["error"].partition(":")[0], error["count"]), "its failures")
    return f"after a minute {found['failed']} of 60 items failed with DeadlineExceeded, all accounted for"


def tolerance(drumbeat: Shell) -> str:
    """A run with more failures than it tolerates, and one with fewer."""
    run = drumbeat.run("strict", items=[{"dead": "x"}] * 3 + [{"sleep": 1}] * 40)
    drumbeat.wait(run)
    found = drumbeat.show(run)
    expect(("FAILED", 43, 3), (found["state"], sum(found[name] for name in COUNTS), found["failed"]), "the run")
    if not found["dropped"]:
        raise Wrong("nothing was dropped: the run didn't stop early")
    within = drumbeat.run("strict", "--name", "within", items=[1, {"dead": "x"}, {"sleep": 20}])
    expect(("SUCCEEDED", 1, 2, 0), _ended(drumbeat, within), "the run within its tolerance")
    types = [failure["error_type"] for failure in drumbeat.json("failures", within)["failures"]]
    expect(["Dead", "TimeoutError"], types, "its failures")
    return (
        f"stopped early with {found['dropped']} of 43 items dropped; SUCCEEDED with failures within it; item_timeout_s"
    )


def cancel(drumbeat: Shell) -> str:
    """Cancel, abandon, and do what was dropped again."""
    many = [1, {"hold": "free"}] * 20
    stopped, abandoned = drumbeat.run("stops", items=many), drumbeat.run("stops", "--name", "left", items=many)
    drumbeat.all_are({stopped: ("RUNNING",), abandoned: ("RUNNING",)})
    drumbeat("redrive", stopped, status=2)  # it runs
    drumbeat("cancel", stopped)
    drumbeat("cancel", stopped)  # by another operator
    drumbeat("cancel", abandoned, "--abandon")
    drumbeat.wait(abandoned)
    drumbeat.leave(abandoned, "free")
    drumbeat.leave(stopped, "free")
    drumbeat.wait(stopped)
    for run in (stopped, abandoned):
        found = drumbeat.show(run)
        expect(("CANCELLED", 40, 0), (found["state"], found["succeeded"] + found["dropped"], found["failed"]), run)
    expect(True, "nothing to cancel" in drumbeat("cancel", stopped, status=2), "an ended run isn't cancelled")
    plan = drumbeat.json("redrive", stopped, "--wait")
    expect(("SUCCEEDED", 40, 0, 0), drumbeat.counts(stopped), "the redrive of what was dropped")
    return f"ended with exact counts, at once with --abandon; a redrive did the {plan['items']} dropped items"


def redrive(drumbeat: Shell) -> str:
    """Failures by error; some done again, then all; a redrive that is abandoned gives back what it has not done."""
    items = [1, {"broken": "HTTP 503"}, {"broken": "HTTP 404"}, 2, {"broken": "HTTP 503"}, 3, {"dead": "x"}]
    run = drumbeat.run("general", items=items)
    expect(("FAILED", 3, 4, 0), _ended(drumbeat, run), "the run")
    errors = drumbeat.json("failures", run, "--by-error")["errors"]
    expect({"RuntimeError: HTTP #": 3, "Dead: x": 1}, {found["error"]: found["count"] for found in errors}, "errors")
    expect(2, drumbeat.json("redrive", run, "--error", "503", "--dry-run")["items"], "a dry run")
    drumbeat.leave(run, "mended")
    drumbeat("redrive", run, "--error", "503", "--wait", status=1)
    expect(("FAILED", 5, 2, 0), drumbeat.counts(run), "after the first redrive")
    drumbeat("redrive", run, "--items", "2", "--wait", status=1)
    expect(("FAILED", 6, 1, 0), drumbeat.counts(run), "after the second redrive")
    drumbeat("redrive", run, "--items", "3", status=2)  # it hasn't failed
    drumbeat("redrive", run, "--error", "(", status=2)
    held = [{"broken": "y", "then_hold": "free"}] * 10
    again = drumbeat.run("stops", "--name", "given-back", items=held, wait=True)
    drumbeat.leave(again, "mended")
    drumbeat("redrive", again)
    drumbeat("cancel", again, "--abandon")
    expect(("CANCELLED", 0, 10, 0), _ended(drumbeat, again), "the abandoned redrive")
    drumbeat.leave(again, "free")
    expect(10, drumbeat.json("redrive", again, "--dry-run")["items"], "what the next one would do")
    return "by error, by number, as often as one likes, counts exact; an abandoned redrive gives its 10 items back"


def fan_in(drumbeat: Shell) -> str:
    """Results in the order of items, and combined by functions side by side."""
    run = drumbeat.wait(drumbeat.run("totals"))
    expect({"sum": sum(n * n for n in range(250)), "in_order": True}, drumbeat.result(run), "the result of totals")
    combined = drumbeat.wait(drumbeat.run("adds"))
    expect(sum(range(60)), drumbeat.result(combined), "the result of adds")
    return "250 results in order to complete; those of 60 chunks combined; both addressable"


def chains(drumbeat: Shell) -> str:
    """A task after another, one whose upstream fails, one on an event."""
    at, failed = minute(-20), minute(-30)
    drumbeat.run("totals", "--at", at, wait=True)
    after = drumbeat.wait(f"report/{at}")
    expect(("SUCCEEDED", [sum(n * n for n in range(250))]), (after["state"], drumbeat.result(after)), "the report")
    drumbeat.run("totals", "--at", failed, "--set", "fails=true", wait=True)
    found = drumbeat.wait(f"report/{failed}", "UPSTREAM_FAILED")
    expect("totals is FAILED", found["reason"], "why")
    detail = json.dumps({"order": 42})
    entry = {"Source": "emulator.shop", "DetailType": "Order placed", "Detail": detail}
    event = drumbeat.client("events").put_events(Entries=[entry])["Entries"][0]["EventId"]
    runs = until(lambda: _with_state(drumbeat, "mail", "SUCCEEDED"), "the event has started a run")
    expect([event], [run["name"] for run in runs], "the run of the event")
    return "after a success, UPSTREAM_FAILED after a failure, a run named by an event's id"


def by_hand(drumbeat: Shell) -> str:
    """Parameters, names, items; lists, and what is refused."""
    run = drumbeat.run("general", "--name", "mine", "--set", "count=3", "--set", "tenant=42")
    told = drumbeat("watch", run, "--every", "1")
    expect(True, "SUCCEEDED 3 of 3 items" in told, told)
    found = drumbeat.show(run)
    expect(({"count": 3, "tenant": 42}, "mine"), (found["params"], found["name"]), "parameters and name")
    nameless = drumbeat.run("general", "--set", "count=1", wait=True)
    expect(True, nameless.rpartition("/")[2].startswith("by-hand-"), nameless)
    expect(True, run in {entry["id"] for entry in drumbeat.json("runs", "general")["runs"]}, "runs lists it")
    for wrong in (
        ("run", "genral"),
        ("show", "general/2020-01-01T00:00:00Z"),
        ("run", "general", "--at", "yesterday"),
        ("run", "general", "--at", found["scheduled_at"], "--name", "mine"),
        ("backfill", "hourly", "--from", minute(5), "--to", minute(65)),
        ("resume", "general"),
        ("schedule", "show", "general", "--name", "none"),
    ):
        drumbeat(*wrong, status=2)
    return "run, show, watch, runs; by-hand-SECOND; seven mistakes refused in a sentence each, status 2"


def schedules(drumbeat: Shell) -> str:
    """Schedules without a deploy; a one-time one removes itself."""
    once = ("--at", minute(2))
    drumbeat("schedule", "add", "general", "--name", "once", *once, "--set", "count=4")
    drumbeat("schedule", "add", "general", "--name", "tenant-7", "--rate", "1 minute", "--set", "tenant=7")
    drumbeat("schedule", "add", "general", "--name", "tenant-7", "--rate", "1 minute", status=2)
    expect({"once", "tenant-7"}, _names(drumbeat), "names")
    runs = until(lambda: _named(drumbeat, "once"), "the one-time schedule has fired")
    expect(("SUCCEEDED", 4, 0, 0), _ended(drumbeat, runs[0]["id"]), "its run")
    until(lambda: "once" not in _names(drumbeat), "the one-time schedule is gone", within_s=30)
    tenants = until(lambda: _named(drumbeat, "tenant-7"), "the rate has fired", within_s=100)
    expect({"tenant": 7}, drumbeat.show(tenants[0]["id"])["params"], "its parameters")
    drumbeat("schedule", "change", "general", "--name", "tenant-7", "--cron", "0 6 * * ? *", "--disabled")
    shown = drumbeat.json("schedule", "show", "general", "--name", "tenant-7")
    shown = shown.get("schedule", shown) if isinstance(shown.get("schedule"), dict) else shown
    expect(("cron(0 6 * * ? *)", False), (shown["schedule"], shown["enabled"]), "the changed schedule")
    drumbeat("schedule", "remove", "general", "--name", "tenant-7")
    expect(set(), _names(drumbeat), "names at the end")
    return "add, list, show, change, remove; they fire with their parameters; a one-time one removes itself"


def rate_limit(drumbeat: Shell) -> str:
    """Two workers under one budget."""
    begun = drumbeat.result(drumbeat.wait(drumbeat.run("paid")))
    expect(24, len(begun), "items")
    most = max(sum(first <= instant < first + 1 for instant in begun) for first in begun)
    if most > 2 * PER_SECOND + 1:
        raise Wrong(f"{most} items began within a second; {2 * PER_SECOND + 1} are promised at most")
    took = f"{begun[-1] - begun[0]:.1f} s"
    return f"24 items at {PER_SECOND} a second, two workers, took {took}; at most {most} began within a second"


def events(drumbeat: Shell, told: Callable[[], list[dict[str, Any]]]) -> str:
    """Each end of each run is told on EventBridge under one id."""
    ended = [run for run in drumbeat.json("runs", "--limit", "500")["runs"] if run["state"] in ENDED]
    details = told()
    for run in ended:
        tree = f"{run['id']}~{run['redrives']}" if run["redrives"] else run["id"]
        found = [detail for detail in details if detail["id"] == f"{tree}/{run['state']}"]
        counts = {tuple(detail[name] for name in COUNTS) for detail in found}
        expect({tuple(run[name] for name in COUNTS)}, counts, f"what was told of the end of {run['id']}")
    states = sorted({detail["state"] for detail in details})
    return f"{len(details)} events; the ends of {len(ended)} runs with their counts; states {', '.join(states)}"


ROWS: tuple[tuple[str, Callable[[Shell], str]], ...] = (
    ("5 time", deadline),
    ("2 missed fires, 7 pause", missed),
    ("12 runtime schedules", schedules),
    ("1 overlap", overlap),
    ("7 cancel", cancel),
    ("8 redrive", redrive),
    ("3 backfill", backfill),
    ("4 retries", retries),
    ("6 tolerance", tolerance),
    ("9 fan-in", fan_in),
    ("10 chains", chains),
    ("11 by hand", by_hand),
    ("13 rate limit", rate_limit),
)
"""The longest first: they wait for the minutes of the emulator's clock."""


def _ended(drumbeat: Shell, run: str) -> tuple[str, int, int, int]:
    drumbeat.wait(run)
    return drumbeat.counts(run)


def _of(drumbeat: Shell, task: str, **fields: str) -> list[dict[str, Any]]:
    runs = drumbeat.json("runs", task, "--limit", "200")["runs"]
    return [run for run in runs if all(run[name] == value for name, value in fields.items())]


def _with_state(drumbeat: Shell, task: str, state: str) -> list[dict[str, Any]]:
    return _of(drumbeat, task, state=state)


def _named(drumbeat: Shell, name: str) -> list[dict[str, Any]]:
    return _of(drumbeat, "general", name=name)


def _names(drumbeat: Shell) -> set[str]:
    return {entry["name"] for entry in drumbeat.json("schedule", "list", "general")["schedules"]}


def _states(runs: list[dict[str, Any]]) -> dict[str, int]:
    states = [run["state"] for run in runs]
    return {state: states.count(state) for state in set(states)}


def _backfilled(drumbeat: Shell) -> None:
    until(
        lambda: (found := drumbeat.json("backfill", "hourly")["backfill"])["state"] == "done" and not found["active"],
        "the backfill is done",
    )
