"""The scenes: runs of one task, each with what must be true when it has ended."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from drumbeat import Run
from drumbeat.ledger.table import Table
from drumbeat.signal import Fire
from drumbeat.testing import AppCloud, RunView, check_invariants
from tests.faults import witness
from tests.faults.driver import Driver, Given

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Scene:
    """A run of one task: its items, which of them must fail in the end, and what goes wrong in any case.

    given: faults that belong to the scene; also: what an operator does after the fire.
    """

    task: str
    items: tuple[str, ...]
    failing: frozenset[str] = frozenset()
    given: tuple[Given, ...] = ()
    also: Callable[["Stage", Run], None] = lambda _stage, _run: None
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.task

    @property
    def driver(self) -> Driver:
        """What lets the given faults happen."""
        return Driver(self.task, self.given)

    def play(self, cloud: AppCloud) -> Run:
        """Fire, and do what the operator does."""
        witness.forget()
        stage = Stage(cloud)
        run = Run(self.task, START + timedelta(minutes=1), cloud.bucket)
        cloud.invoke_async(cloud.dispatcher(self.task), Fire(run).event())
        self.also(stage, run)
        return run

    def check(self, cloud: AppCloud, run: Run) -> None:
        """What must hold for a run in which one thing went wrong."""
        view = self.check_counts(cloud, run)
        assert ("SUCCEEDED", "") == (view.state, view.reason)
        assert self.failing == {letter.item for letter in view.dead_letters}

    def check_counts(self, cloud: AppCloud, run: Run) -> RunView:
        """What must hold whatever went wrong: DESIGN.md's invariants."""
        check_invariants(cloud, may_hold=["DeadFires"])
        view = cloud.show(run)
        failed = {letter.item for letter in view.dead_letters}
        tried = {item for item in self.items if witness.attempts_of(run.id, item)}
        assert set() == set(self.items[: view.items]) - tried - failed, "neither attempted nor a dead letter"
        if view.state == "SUCCEEDED":
            assert len(self.items) == view.items
            published = json.loads(cloud.published(run)["all.json"])
            assert [item.upper() for item in self.items if item not in failed] == published
        return view


class Stage:
    """What an operator does on a cloud."""

    def __init__(self, cloud: AppCloud) -> None:
        self.cloud = cloud
        self.table = Table(cloud.client("dynamodb"), cloud.table)

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
