"""A local cloud that knows drumbeat: runs, dead letters and published results as plain values."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from drumbeat.errors import UnknownTask
from drumbeat.ledger.letters import DeadLetter
from drumbeat.ledger.reader import dead_letters, list_runs
from drumbeat.ledger.record import RunRecord
from drumbeat.local import LocalCloud
from drumbeat.run import Run
from drumbeat.signal import Fire, items_key

OPEN = ("WAITING", "RUNNING")
"""The states of runs that haven't ended."""


@dataclass(frozen=True)
class Letter:
    """A dead letter with its item as the author's code saw it."""

    item: Any
    error_type: str
    error: str
    attempts: int
    number: int


@dataclass(frozen=True)
class RunView:
    """A run as it stands: its record, what was given up, and the items if the test gave them."""

    record: RunRecord
    dead_letters: tuple[Letter, ...]
    given: tuple[Any, ...] | None = None

    def __getattr__(self, name: str) -> Any:
        """The fields of the record: id, state, reason, items, chunks, failed, ..."""
        return getattr(self.record, name)

    @property
    def succeeded(self) -> list[Any]:
        """The given items that were counted as succeeded, in order."""
        if self.given is None:
            raise TypeError("the test gave no items; run.record.succeeded is how many succeeded")
        dead = {letter.number for letter in self.dead_letters}
        return [item for number, item in enumerate(self.given) if number not in dead]


class AppCloud(LocalCloud):
    """An app of drumbeat's, deployed on a virtual AWS."""

    def run(
        self,
        task: str,
        items: Iterable[Any] | None = None,
        *,
        at: datetime | None = None,
        params: Mapping[str, Any] | None = None,
        name: str = "",
        within: timedelta = timedelta(hours=6),
    ) -> RunView:
        """Fire a task and let time pass until nothing is under way; `items` stand in for what expand would yield.

        Raises AssertionError, with what is under way, if it doesn't come to rest `within` that virtual time.
        """
        given = None if items is None else tuple(items)
        run = self.fire(task, given, at=at, params=params, name=name)
        if not self.run_until_idle(within):
            raise AssertionError(f"{run.id} didn't come to rest within {within}\n{self.under_way()}")
        return self.show(run, given)

    def fire(
        self,
        task: str,
        items: Iterable[Any] | None = None,
        *,
        at: datetime | None = None,
        params: Mapping[str, Any] | None = None,
        name: str = "",
    ) -> Run:
        """Send a fire to a task's dispatcher, as its schedule would, and return at once."""
        time = (at or self.now).astimezone(UTC).replace(second=0, microsecond=0)
        run = Run(task, time, self.bucket, params or {}, name)
        taken = {record.id for record in self.runs(task)}
        while at is None and run.id in taken:  # runs are named by the minute
            run = replace(run, scheduled_at=run.scheduled_at + timedelta(minutes=1))
        if items is not None and run.id in taken:
            raise ValueError(f"{run.id} exists already, so these items are not its; leave out `at`, or choose another")
        key = ""
        if items is not None:
            key = items_key(run)
            body = "\n".join(json.dumps(item) for item in items).encode()
            self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)
        self.invoke_async(self.dispatcher(task), Fire(run, key).event())
        return run

    def show(self, run: Run | RunView | str, items: Iterable[Any] | None = None) -> RunView:
        """A run, given by itself or by its id, as the ledger has it."""
        run = Run.parse(run if isinstance(run, str) else run.id)
        found = [record for record in self.runs(run.task) if record.id == run.id]
        if not found:
            logged = "\n".join(line.text for line in self.logs(self.dispatcher(run.task))[-5:])
            raise AssertionError(f"{run.id} isn't in the ledger; the dispatcher's last words:\n{logged or '(none)'}")
        letters = dead_letters(
            self.client("dynamodb"), self.client("s3"), table=self.table, bucket=self.bucket, record=found[0]
        )
        return RunView(found[0], tuple(map(self._letter, letters)), None if items is None else tuple(items))

    def runs(self, *tasks: str) -> list[RunRecord]:
        """All runs of these tasks, or of all."""
        return list_runs(self.client("dynamodb"), self.table, tasks or self.tasks)

    def published(self, run: Run | RunView) -> dict[str, bytes]:
        """What a run published: the objects under its prefix, by their name below it."""
        prefix = Run.parse(run.id).prefix + "/"
        s3 = self.client("s3")
        found = s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        names = [entry["Key"] for entry in found]
        return {name[len(prefix) :]: s3.get_object(Bucket=self.bucket, Key=name)["Body"].read() for name in names}

    @property
    def assembly(self) -> Path | None:
        """The folder that was deployed."""
        return Path(self._assembly).resolve() if isinstance(self._assembly, Path | str) else None

    @property
    def seed(self) -> int:
        """What everything that is drawn is drawn from: the same seed gives the same events again."""
        return self._seed

    @property
    def bucket(self) -> str:
        """The name of the app's bucket."""
        return self._named("BucketName")

    @property
    def table(self) -> str:
        """The name of the ledger's table."""
        return self._named("TableName")

    @property
    def tasks(self) -> list[str]:
        """The names of the deployed tasks."""
        found = (function.environment.get("DRUMBEAT_TASK") for function in self.deployment.functions)
        return sorted({name for name in found if name})

    def dispatcher(self, task: str) -> str:
        """The name of a task's dispatcher function."""
        return self._function(task, "dispatcher")

    def worker(self, task: str) -> str:
        """The name of a task's worker function."""
        return self._function(task, "worker")

    def _function(self, task: str, kind: str) -> str:
        for function in self.deployment.functions:
            if function.environment.get("DRUMBEAT_TASK") == task and f".{kind}." in function.handler:
                return function.name
        raise UnknownTask(f"task {task!r} isn't deployed; there are {', '.join(self.tasks) or 'none'}")

    def under_way(self) -> str:
        """What isn't finished, in words: runs, messages, and the latest events."""
        runs = [f"  {run.id} is {run.state}" for run in self.runs() if run.state in OPEN]
        depths = {queue.name: self.queue_depth(queue.name) for queue in self.deployment.queues}
        waiting = [f"  {name}: {depth}" for name, depth in depths.items() if any(depth)]
        return "\n".join(
            [
                *(["runs that haven't ended:", *runs] if runs else []),
                *(["queues with messages (visible, in flight, delayed):", *waiting] if waiting else []),
                "latest events:",
                *(f"  {entry.text()}" for entry in list(self.log)[-5:]),
            ]
        )

    def _named(self, name: str) -> str:
        return next(outputs[name] for outputs in self.deployment.outputs.values() if name in outputs)

    def _letter(self, letter: DeadLetter) -> Letter:
        text = letter.item
        if letter.key:
            text = self.client("s3").get_object(Bucket=self.bucket, Key=letter.key)["Body"].read()
        return Letter(json.loads(text), letter.error_type, letter.error, letter.attempts, letter.number)
