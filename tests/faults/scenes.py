"""The scenes of the sweep, and what must be true when each has ended: the invariants of a run."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from drumbeat import Run
from drumbeat.ledger import letters
from drumbeat.ledger.runs import RunRecord, Runs
from drumbeat.ledger.table import Table
from drumbeat.signal import Fire
from drumbeat.testing.cloud import AppCloud
from tests.faults import witness
from tests.faults.driver import Driver, Fault

START = datetime(2026, 1, 1, tzinfo=UTC)
LONG_ENOUGH = timedelta(hours=12)
ROUND = timedelta(minutes=15)  # of the keeper


@dataclass(frozen=True)
class Scene:
    """A run of one task: its items, which of them must fail in the end, and what goes wrong in any case.

    given: faults that belong to the scene; also: what an operator does after the fire.
    """

    task: str
    items: tuple[str, ...]
    failing: frozenset[str] = frozenset()
    given: tuple[Fault, ...] = ()
    also: Callable[["Stage", Run], None] = lambda _stage, _run: None
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.task


class Broken(AssertionError):
    """An invariant doesn't hold."""


class Stage:
    """One deployed cloud on which scenes are played, each as a run of its own."""

    def __init__(self, cloud: AppCloud, driver: Driver) -> None:
        self.cloud, self.driver = cloud, driver
        self.table = Table(cloud.client("dynamodb"), cloud.table)
        self.runs = Runs(self.table)
        self.ended: dict[str, RunRecord] = {}
        self._played = 0
        self._keeper = next(function.name for function in cloud.functions() if ".keeper." in function.handler)

    def play(self, scene: Scene, fault: Fault | None = None) -> int:
        """Play a scene with a fault, check all invariants, and return how many calls it took."""
        run = self.begin(scene, fault)
        scene.also(self, run)
        self.end(run)
        self.check(scene, run)
        return len(self.driver.calls)

    def endure(self, scene: Scene) -> RunRecord:
        """Play a scene in which much may go wrong at once, and check what must hold all the same."""
        run = self.begin(scene)
        scene.also(self, run)
        self.end(run)
        return self.check_counts(scene, run)

    def begin(self, scene: Scene, fault: Fault | None = None) -> Run:
        """Fire, just after a round of the keeper: so that the scene's own time is the same each time."""
        self._played += 1
        since_round = (self.cloud.now - START) % ROUND
        if since_round > timedelta(minutes=10):
            self.cloud.advance(ROUND - since_round + timedelta(seconds=30))
        run = Run(scene.task, START + timedelta(minutes=self._played), self.cloud.bucket)
        roles = {self.cloud.dispatcher(scene.task): "dispatcher", self.cloud.worker(scene.task): "worker"}
        self.driver.follow(run.id, {**roles, self._keeper: "keeper"}, *scene.given, *([fault] if fault else []))
        self.cloud.invoke_async(self.cloud.dispatcher(scene.task), Fire(run).event())
        return run

    def end(self, run: Run) -> None:
        """Let time pass until the run has ended and nothing is under way."""
        until = self.cloud.now + LONG_ENOUGH
        while not self.cloud.run_until_idle(ROUND) or not self._is_over(run):
            if self.cloud.now > until:
                record = self.runs.get(run)
                raise Broken(f"after {LONG_ENOUGH}: {record}, active {self.runs.active(run.task)}, {self.depths()}")
            self.cloud.advance(ROUND)

    def _is_over(self, run: Run) -> bool:
        record = self.runs.get(run)
        return record is not None and record.state != "RUNNING" and not self.runs.active(run.task)

    # -- what an operator does -----------------------------------------------------------------------------

    def pause_worker(self, task: str) -> None:
        """Disable the worker's event source."""
        self._enable(task, enabled=False)

    def resume_worker(self, task: str) -> None:
        """Enable it again."""
        self._enable(task, enabled=True)

    def _enable(self, task: str, *, enabled: bool) -> None:
        mapping = self._mapping(task)
        self.cloud.client("lambda").update_event_source_mapping(UUID=mapping.uuid, Enabled=enabled)

    def _mapping(self, task: str) -> Any:
        worker = self.cloud.worker(task)
        return next(mapping for mapping in self.cloud.deployment.mappings if worker in mapping.function_arn)

    def give_up_message(self, run: Run, *, chunk: int) -> bool:
        """Put a chunk's message where SQS puts it after too many receives; False if it hasn't been sent yet.

        The worker must be paused.
        """
        sqs = self.cloud.client("sqs")
        queues = {queue.arn: queue for queue in self.cloud.deployment.queues}
        queue = queues[self._mapping(run.task).source_arn]
        dead = queues[str(queue.dead_letter_arn)]
        found = False
        received = sqs.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10, VisibilityTimeout=1)
        for message in received.get("Messages", []):
            if json.loads(message["Body"])["chunk"] == chunk:
                sqs.send_message(QueueUrl=dead.url, MessageBody=message["Body"])
                sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
                found = True
        return found

    # -- what must hold ------------------------------------------------------------------------------------

    def depths(self) -> dict[str, tuple[int, int, int]]:
        """The queues that aren't empty."""
        depths = {queue.name: self.cloud.queue_depth(queue.name) for queue in self.cloud.deployment.queues}
        return {name: depth for name, depth in depths.items() if any(depth) and "DeadFires" not in name}

    def check(self, scene: Scene, run: Run) -> None:
        """What must hold for a run in which one thing went wrong."""
        record = self.check_counts(scene, run)
        expect("state and reason", ("SUCCEEDED", ""), (record.state, record.reason))
        expect("dead letters", scene.failing, self.dead_letters(record))

    def check_counts(self, scene: Scene, run: Run) -> RunRecord:
        """What must hold whatever went wrong: DESIGN.md's invariants."""
        record = self.runs.get(run)
        assert record is not None
        self.ended[run.id] = record
        failed = self.dead_letters(record)
        expect("items counted", record.items, record.succeeded + record.failed)
        expect("dead letters", record.failed, len(failed))
        tried = {item for item in scene.items if witness.attempts_of(run.id, item)}
        expect("neither attempted nor a dead letter", set(), set(scene.items[: record.items]) - tried - failed)
        expect("ids announced", {f"{run.id}/{record.state}"}, {detail["id"] for detail in self.driver.announced})
        counts = {(detail["succeeded"], detail["failed"]) for detail in self.driver.announced}
        expect("counts announced", {(record.succeeded, record.failed)}, counts)
        expect("messages left", {}, self.depths())
        if record.state == "SUCCEEDED":
            expect("items", len(scene.items), record.items)
            expect("published", [item.upper() for item in scene.items if item not in failed], self.published(run))
        return record

    def published(self, run: Run) -> Any:
        """What the fan-in wrote."""
        return json.loads(self.cloud.published(run)["all.json"])

    def dead_letters(self, record: RunRecord) -> frozenset[str]:
        """The items that a run has given up."""
        found = []
        for letter in letters.read(self.table, record.id, record.chunks):
            kept = letter.key and self.cloud.client("s3").get_object(Bucket=self.cloud.bucket, Key=letter.key)
            found.append(json.loads(kept["Body"].read() if kept else letter.item))
        expect("dead letters, each once", len(set(found)), len(found))
        return frozenset(found)

    def check_nothing_changed(self) -> None:
        """What has ended stays as it was."""
        for run_id, record in self.ended.items():
            expect(run_id, record, self.runs.get(Run.parse(run_id)))


def expect(what: str, expected: Any, found: Any) -> None:
    """Raise Broken unless both are equal."""
    if expected != found:
        raise Broken(f"{what}: expected {expected}, found {found}")
