"""Chains: open the run that comes after others, once they have all ended.

What decides is the ledger, never the event that said something has ended: so a lost, late, repeated or forged event
does no harm.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from drumbeat.errors import UpstreamUnknown
from drumbeat.ledger.record import RUNNING, SUCCEEDED, UPSTREAM_FAILED, WAITING, RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.run import Run
from drumbeat.signal import Fire
from drumbeat.task import Task

from . import results
from .announce import announce
from .observability import count as metric
from .observability import logger
from .services import Services


def follow(services: Services, task: Task, run: Run) -> Fire | None:
    """The fire of a task whose upstream runs have all ended as they should; None if they haven't, or not yet.

    If one of them can't end so any more, the run is recorded as UPSTREAM_FAILED.
    """
    runs = Runs(services.table)
    found = {name: runs.get(replace(run, task=name)) for name in task.upstream}
    ends = {name: end_of(record) for name, record in found.items()}
    bad = [f"{name} is {end}" for name, end in ends.items() if end and task.when == "succeeded" and end != SUCCEEDED]
    if bad:
        _fail(services, run, ", ".join(bad))
        return None
    if not all(ends.values()):
        return None
    params = next((record.params for record in found.values() if record is not None and record.params), "")
    return Fire(replace(run, params=json.loads(params) if params else {}))


def end_of(record: RunRecord | None) -> str:
    """How a run has ended, or is about to for sure; nothing while that isn't known."""
    if record is None:
        return ""
    return record.verdict if record.state == RUNNING else "" if record.state == WAITING else record.state


def _fail(services: Services, run: Run, reason: str) -> None:
    runs = Runs(services.table)
    if runs.note(run, UPSTREAM_FAILED, reason=reason, now=services.now()):
        record = runs.get(run)
        if record is not None and record.state == UPSTREAM_FAILED:
            metric("RunsUpstreamFailed", task=run.task)
            logger.warning("upstream failed", run=run.id)
            announce(services, record)


@dataclass(frozen=True)
class Before:
    """Reads what the runs before a run have left: what `run.results(task)` and `run.result(task)` return."""

    services: Services
    task: Task
    run: Run

    def results(self, task: str) -> Iterator[Any]:
        """What `work` of that task returned, item by item."""
        record = self._record(task)
        if not record.keeps_results:
            raise UpstreamUnknown(f"{record.id} kept no results; declare task {task!r} with keep_results=True")
        return results.read(self.services, record)

    def result(self, task: str) -> Any:
        """What `complete` of that task returned, or None."""
        record = self._record(task)
        if not record.result:
            return None
        body = self.services.s3.get_object(Bucket=self.services.settings.bucket, Key=record.result)["Body"].read()
        return json.loads(body)

    def _record(self, task: str) -> RunRecord:
        if task not in self.task.upstream:
            raise UpstreamUnknown(
                f"{self.run.id} doesn't come after {task!r}; name it in after=[...] of task {self.task.name!r}"
            )
        record = Runs(self.services.table).get(replace(self.run, task=task))
        if record is None:
            raise UpstreamUnknown(f"{self.run.id}: there is no run of {task!r} before it; was it started by hand?")
        return record
