"""A local cloud that knows drumbeat: runs, dead letters and published results as plain values."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from drumbeat.errors import UnknownTask
from drumbeat.ledger.letters import DeadLetter
from drumbeat.ledger.reader import dead_letters, list_runs
from drumbeat.ledger.record import RunRecord
from drumbeat.local import LocalCloud
from drumbeat.local.deployment import Function
from drumbeat.local.output import Line, Metric
from drumbeat.run import Run
from drumbeat.signal import Fire, items_key

OPEN = ("WAITING", "RUNNING")
"""The states of runs that haven't ended."""
_DYNAMO = TypeDeserializer()
_HASH = re.compile(r"(?<=.)[0-9A-F]{8}$")


def look_further(run_id: str) -> str:
    """How to see more of what happened to a run; with what a failed assertion ends."""
    task = run_id.partition("/")[0]
    return f"look further: cloud.show({run_id!r}), cloud.logs({task!r}), cloud.log.text()"


def _names(function: Function) -> set[str]:
    """All by which logs are asked for."""
    task = function.environment.get("DRUMBEAT_TASK") or ("keeper" if ".keeper." in function.handler else "")
    return {function.name, function.arn, function.logical_id, _HASH.sub("", function.logical_id), task} - {""}


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
    dropped_numbers: frozenset[int] = frozenset()

    def __getattr__(self, name: str) -> Any:
        """The fields of the record: id, state, reason, items, chunks, failed, ..."""
        return getattr(self.record, name)

    @property
    def succeeded(self) -> list[Any]:
        """The given items that were counted as succeeded, in order."""
        if self.given is None:
            raise TypeError("the test gave no items; run.record.succeeded is how many succeeded")
        if self.record.dropped > len(self.dropped_numbers):
            raise TypeError(
                "the run was abandoned, and which items were dropped isn't known before their messages have come; "
                "run.record.succeeded is how many succeeded"
            )
        undone = {letter.number for letter in self.dead_letters} | self.dropped_numbers
        return [item for number, item in enumerate(self.given) if number not in undone]


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
            raise AssertionError(
                f"expected rest within {within} of virtual time after {run.id} was fired; at {self.now:%Y-%m-%d %H:%M} "
                f"something is still under way\n{self.under_way()}\n{look_further(run.id)}"
            )
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
        run = Run(task, time, self.bucket_of(task), params or {}, name)
        taken = {record.id for record in self.runs(task)}
        while at is None and run.id in taken:  # runs are named by the minute
            run = replace(run, scheduled_at=run.scheduled_at + timedelta(minutes=1))
        if items is not None and run.id in taken:
            raise ValueError(f"{run.id} exists already, so these items are not its; leave out `at`, or choose another")
        key = ""
        if items is not None:
            key = items_key(run)
            body = "\n".join(json.dumps(item) for item in items).encode()
            self.client("s3").put_object(Bucket=run.bucket, Key=key, Body=body)
        self.invoke_async(self.dispatcher(task), Fire(run, key).event())
        return run

    def show(self, run: Run | RunView | str, items: Iterable[Any] | None = None) -> RunView:
        """A run, given by itself or by its id, as the ledger has it."""
        run = Run.parse(run if isinstance(run, str) else run.id)
        found = [record for record in self.runs(run.task) if record.id == run.id]
        if not found:
            logged = "\n".join(
                f"  {line.text.partition(chr(10))[0]}" for line in self.logs(self.dispatcher(run.task))[-5:]
            )
            there = ", ".join(record.id for record in self.runs(run.task)[-5:]) or "none"
            raise AssertionError(
                f"expected {run.id} in the ledger, which has of this task: {there}; the dispatcher's last words:\n"
                f"{logged or '  (none)'}\n{look_further(run.id)}"
            )
        letters = dead_letters(
            self.client("dynamodb"),
            self.client("s3"),
            table=self.table_of(run.task),
            bucket=self.bucket_of(run.task),
            record=found[0],
        )
        shown = tuple(self._letter(letter, self.bucket_of(run.task)) for letter in letters)
        return RunView(found[0], shown, None if items is None else tuple(items), self._dropped(found[0]))

    def _dropped(self, record: RunRecord) -> frozenset[int]:
        """The numbers of the items that were dropped, as far as they were kept."""
        if not record.dropped:
            return frozenset()
        s3, bucket = self.client("s3"), self.bucket_of(record.task)
        pages = [
            s3.list_objects_v2(Bucket=bucket, Prefix=f"runs/{tree}/dropped/") for tree, _ in record.rounds[0].trees
        ]
        kept = [entry for page in pages for entry in page.get("Contents", [])]
        bodies = (s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read() for entry in kept)
        return frozenset(json.loads(line)["n"] for body in bodies for line in body.splitlines())

    def runs(self, *tasks: str) -> list[RunRecord]:
        """All runs of these tasks, or of all."""
        dynamodb = self.client("dynamodb")
        return [run for task in tasks or self.tasks for run in list_runs(dynamodb, self.table_of(task), [task])]

    def published(self, run: Run | RunView) -> dict[str, bytes]:
        """What a run published: the objects under its prefix, by their name below it."""
        known = Run.parse(run.id)
        prefix, bucket = known.prefix + "/", self.bucket_of(known.task)
        s3 = self.client("s3")
        found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        names = [entry["Key"] for entry in found]
        return {name[len(prefix) :]: s3.get_object(Bucket=bucket, Key=name)["Body"].read() for name in names}

    def logs(self, function: str) -> list[Line]:
        """What a task's functions wrote, in order of time; or one function, given by its name, its id or `"keeper"`.

        Raises UnknownTask for what is neither.
        """
        found = [one for one in self.deployment.functions if function in _names(one)]
        if not found:
            raise UnknownTask(
                f"no task and no function {function!r} is deployed; there are the tasks {', '.join(self.tasks)} and "
                f"the functions {', '.join(sorted(one.logical_id for one in self.deployment.functions))}"
            )
        return sorted((line for one in found for line in super(AppCloud, self).logs(one.name)), key=lambda one: one.ns)

    def metrics(self, name: str | None = None) -> list[Metric]:
        """The metric values that handlers wrote, in order of time: those of one name, or all."""
        return [metric for metric in super().metrics() if name in (None, metric.name)]

    def queues(self) -> dict[str, tuple[int, int, int]]:
        """Visible, in flight and delayed messages of every queue, by its id in the app, as `tables`."""
        return {name: self.queue_depth(queue) for name, queue in self._ids("AWS::SQS::Queue").items()}

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """The items of every table as plain values, by its id in the app (`Stack.id` if several have it)."""
        return {
            name: self._items(table)
            for name, table in self._ids("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable").items()
        }

    def _items(self, table: str) -> list[dict[str, Any]]:
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=table)
        found = [item for page in pages for item in page["Items"]]
        return [{key: _DYNAMO.deserialize(value) for key, value in item.items()} for item in found]

    def _ids(self, *kinds: str) -> dict[str, str]:
        """Physical ids by the id in the app, without CDK's hash where one has it; else with the stack's name."""
        found = [(one.stack, one.logical_id, one.physical_id) for one in self.deployment.resources if one.type in kinds]
        short = Counter(_HASH.sub("", logical_id) for _, logical_id, _ in found)
        names = {}
        for stack, logical_id, physical_id in found:
            name = _HASH.sub("", logical_id)
            names[name if short[name] == 1 else f"{stack}.{name}"] = physical_id
        return names

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
        """The name of the app's bucket; an app of several stacks has several: see `bucket_of`."""
        return self._only("DRUMBEAT_BUCKET", "bucket_of")

    @property
    def table(self) -> str:
        """The name of the ledger's table; an app of several stacks has several: see `table_of`."""
        return self._only("DRUMBEAT_TABLE", "table_of")

    def bucket_of(self, task: str) -> str:
        """The name of the bucket that a task's stack has."""
        return self._deployed(task, "dispatcher").environment["DRUMBEAT_BUCKET"]

    def table_of(self, task: str) -> str:
        """The name of the ledger's table that a task's stack has."""
        return self._deployed(task, "dispatcher").environment["DRUMBEAT_TABLE"]

    @property
    def tasks(self) -> list[str]:
        """The names of the deployed tasks."""
        found = (function.environment.get("DRUMBEAT_TASK") for function in self.deployment.functions)
        return sorted({name for name in found if name})

    def dispatcher(self, task: str) -> str:
        """The name of a task's dispatcher function."""
        return self._deployed(task, "dispatcher").name

    def worker(self, task: str) -> str:
        """The name of a task's worker function."""
        return self._deployed(task, "worker").name

    def _deployed(self, task: str, kind: str) -> Function:
        for function in self.deployment.functions:
            if function.environment.get("DRUMBEAT_TASK") == task and f".{kind}." in function.handler:
                return function
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

    def _only(self, variable: str, of: str) -> str:
        found = {function.environment[variable] for function in self.functions() if variable in function.environment}
        if len(found) != 1:
            raise LookupError(f"{len(found)} stacks of this app have one: {sorted(found)}; ask with {of}(task)")
        return found.pop()

    def _letter(self, letter: DeadLetter, bucket: str) -> Letter:
        text = letter.item
        if letter.key:
            text = self.client("s3").get_object(Bucket=bucket, Key=letter.key)["Body"].read()
        return Letter(json.loads(text), letter.error_type, letter.error, letter.attempts, letter.number)
