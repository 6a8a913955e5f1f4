"""The scenes: runs of one task, each with what must be true when it has ended."""

import itertools
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from drumbeat import Run
from drumbeat.control import Control, Deployment
from drumbeat.ledger.table import Table
from drumbeat.local.deployment import Queue
from drumbeat.signal import Fire
from drumbeat.testing import AppCloud, Point, RunView, check_invariants
from tests.faults import witness
from tests.faults.driver import Driver, Given

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Scene:
    """A run of one task: its items, which of them must fail in the end, and what goes wrong in any case.

    given: faults that belong to the scene; before, also: what an operator does before the fire, and after it.
    then: another run that must have ended well, too; start, due: where time begins, and when the run is due after that;
    fired: whether a fire is sent by hand.
    """

    task: str
    items: tuple[str, ...]
    failing: frozenset[str] = frozenset()
    given: tuple[Given, ...] = ()
    also: Callable[["Stage", Run], None] = lambda _stage, _run: None
    name: str = ""
    before: Callable[["Stage"], None] = lambda _stage: None
    then: Callable[[Run], Run] | None = None
    state: str = "SUCCEEDED"
    reason: str = ""
    start: datetime = START
    due: timedelta = timedelta(minutes=1)
    fired: bool = True

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
        run = self.run_on(cloud)
        self.before(stage)
        if self.fired:
            cloud.invoke_async(cloud.dispatcher(self.task), Fire(run).event())
        self.also(stage, run)
        return run

    def run_on(self, cloud: AppCloud) -> Run:
        """The run that the scene is about."""
        return Run(self.task, self.start + self.due, cloud.bucket)

    def is_about(self, point: Point) -> bool:
        """Whether a call belongs to the scene: it is made by its task, or for it."""
        other = self.then(Run(self.task, self.start)).task if self.then is not None else self.task
        return any(task in point.function or task in point.target for task in (self.task, other))

    def check(self, cloud: AppCloud, run: Run) -> None:
        """What must hold for a run in which one thing went wrong."""
        view = self.check_counts(cloud, run)
        assert (self.state, self.reason) == (view.state, view.reason)
        assert self.failing == {letter.item for letter in view.dead_letters}
        if self.then is not None:
            assert "SUCCEEDED" == self.check_counts(cloud, self.then(run)).state

    def check_counts(self, cloud: AppCloud, run: Run) -> RunView:
        """What must hold whatever went wrong: DESIGN.md's invariants."""
        check_invariants(cloud, may_hold=["DeadFires"])
        view = cloud.show(run)
        failed = {letter.item for letter in view.dead_letters}
        tried = {item for item in self.items if witness.attempts_of(run.id, item)}
        lost = set(self.items[: view.all_items]) - tried - failed
        assert len(lost) <= view.dropped, f"neither attempted nor a dead letter: {sorted(lost)}"
        if view.state == "SUCCEEDED":
            assert len(self.items) == view.all_items
            published = json.loads(cloud.published(run)["all.json"])
            assert [item.upper() for item in self.items if item not in failed] == published
        return view


class Stage:
    """What an operator does on a cloud."""

    def __init__(self, cloud: AppCloud) -> None:
        self.cloud = cloud
        self.table = Table(cloud.client("dynamodb"), cloud.table)
        self._redrives = itertools.count()

    def _token(self) -> str:
        """Another name for each redrive, and the same in each play."""
        return f"token{next(self._redrives)}"

    @property
    def control(self) -> Control:
        """The operator's own tool, on the cloud's clock."""
        outputs = self.cloud.deployment.outputs
        return Control(Deployment.of_outputs(outputs), self.cloud, now=lambda: self.cloud.now, token=self._token)

    def pass_until(self, holds: Callable[[], Any], *, within: timedelta = timedelta(hours=2)) -> None:
        """Let time pass, a second each, until something holds."""
        until = self.cloud.now + within
        while not holds():
            assert self.cloud.now < until, f"not within {within}"
            self.cloud.advance(seconds=1)

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
        found = (mapping for mapping in self.cloud.deployment.mappings if worker in mapping.function_arn)
        return next(mapping for mapping in found if "Backfill" not in mapping.source_arn)

    def give_up_message(self, run: Run, *, chunk: int) -> bool:
        """Put a chunk's message where SQS puts it after too many receives; False if it hasn't been sent yet.

        The worker must be paused.
        """
        queue, waiting = self._receive(run)
        found = [message for message in waiting if json.loads(message["Body"])["chunk"] == chunk]
        for message in found:
            self._sqs.send_message(QueueUrl=self._queues[str(queue.dead_letter_arn)].url, MessageBody=message["Body"])
            self._sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
        return bool(found)

    def waiting_messages(self, run: Run) -> list[str]:
        """The bodies of the messages that wait in a task's queue; they stay there.  The worker must be paused."""
        return [message["Body"] for message in self._receive(run)[1]]

    def send_messages(self, task: str, bodies: Iterable[str]) -> None:
        """Let messages be there once more: as a second delivery, by a worker that is at work."""
        for body in bodies:
            self._sqs.send_message(QueueUrl=self._queues[self._mapping(task).source_arn].url, MessageBody=body)

    def _receive(self, run: Run) -> tuple[Queue, list[Any]]:
        """A task's queue and what waits in it; it is there again a second later."""
        queue = self._queues[self._mapping(run.task).source_arn]
        received = self._sqs.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10, VisibilityTimeout=1)
        return queue, received.get("Messages", [])

    @property
    def _sqs(self) -> Any:
        return self.cloud.client("sqs")

    @property
    def _queues(self) -> dict[str, Queue]:
        return {queue.arn: queue for queue in self.cloud.deployment.queues}
