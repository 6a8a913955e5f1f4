"""More scenes: what may happen to a run besides its work.

It is redriven, cancelled, made to wait, made up for, followed by another, combined in a tree.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from drumbeat import Run
from drumbeat.testing.sweeping import come_to_rest
from tests.faults import witness
from tests.faults.scenes import Scene, Stage


def redrive(stage: Stage, run: Run) -> None:
    """Mend what was broken, and do again what was given up."""
    come_to_rest(stage.cloud)
    witness.mend(run.id)
    stage.control.redrive(run.id)


def cancel(stage: Stage, run: Run) -> None:
    """Cancel the run while it is worked."""
    stage.pass_until(lambda: "RUNNING" in [found.state for found in stage.cloud.runs(run.task)])
    stage.cloud.advance(seconds=5)
    stage.control.cancel(run.id)


def abandon(stage: Stage, run: Run) -> None:
    """End the run at once, whatever is under way."""
    stage.pass_until(lambda: "RUNNING" in [found.state for found in stage.cloud.runs(run.task)])
    stage.cloud.advance(seconds=5)
    stage.control.cancel(run.id, abandon=True)


def abandon_redrive(stage: Stage, run: Run) -> None:
    """Do again what was given up, and end that at once, before a worker has begun with it."""
    come_to_rest(stage.cloud)
    stage.pause_worker(run.task)
    stage.control.redrive(run.id)
    stage.cloud.advance(seconds=5)
    stage.control.cancel(run.id, abandon=True)
    stage.cloud.advance(seconds=5)
    stage.resume_worker(run.task)


def fire_again(stage: Stage, run: Run) -> None:
    """Fire once more, before the first run has ended."""
    stage.cloud.advance(seconds=5)
    stage.control.run(run.task, at=a_minute_later(run).scheduled_at)


def a_minute_later(run: Run) -> Run:
    """The run of the second fire."""
    return replace(run, scheduled_at=run.scheduled_at + timedelta(minutes=1))


def let_no_fire_come(stage: Stage) -> None:
    """Disable the rule after the keeper has seen the task, and let its time go by."""
    [rule] = [rule.name for rule in stage.cloud.deployment.rules if "missed" in rule.name and rule.expression]
    stage.cloud.advance(minutes=20)
    stage.cloud.client("events").disable_rule(Name=rule)
    stage.cloud.advance(minutes=31)


def put_lines(stage: Stage) -> None:
    """Put the object whose lines are the items."""
    body = "".join(f"{json.dumps(item)}\n" for item in LINES.items)
    stage.cloud.client("s3").put_object(Bucket=stage.cloud.bucket, Key="inputs/lines.jsonl", Body=body.encode())


EIGHT_SLOW = tuple(f"slow{n}" for n in range(8))
REDRIVEN = Scene(
    "redriven", ("a", "broken1", "b", "broken2", "c", "poison"), frozenset({"poison"}), also=redrive, name="redriven"
)
COMBINED = Scene("combined", ("a", "b", "broken1", "broken2", "c"), also=redrive, name="combined in a tree")
CANCELLED = Scene("slow", EIGHT_SLOW, also=cancel, name="cancelled", state="CANCELLED", reason="cancelled by hand")
ABANDONED = replace(CANCELLED, also=abandon, name="abandoned")
GIVEN_BACK = replace(
    REDRIVEN,
    also=abandon_redrive,
    name="abandoned in a redrive",
    failing=frozenset({"broken1", "broken2", "poison"}),
    state="CANCELLED",
    reason="cancelled by hand",
)
BUFFERED = Scene("waiting", ("a", "slow1", "b"), also=fire_again, then=a_minute_later, name="made to wait")
CHAINED = Scene("first", ("A", "B", "C", "D"), then=lambda run: replace(run, task="then"), name="followed by another")
LINES = Scene("lines", ("a", "b", "poison", "c", "d"), frozenset({"poison"}), before=put_lines, name="by reference")
MISSED = Scene(
    "missed",
    ("a", "b", "c", "d"),
    before=let_no_fire_come,
    start=datetime(2026, 1, 1, 22, 40, tzinfo=UTC),
    due=timedelta(minutes=20),
    fired=False,
    name="made up for by the keeper",
)
LIVES = (REDRIVEN, COMBINED, CANCELLED, ABANDONED, GIVEN_BACK, BUFFERED, CHAINED, LINES, MISSED)
