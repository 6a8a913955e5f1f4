"""A run: one firing of a task, named by the task and the scheduled time."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Protocol

from .errors import MalformedFire, UpstreamUnknown

TASK_NAME = re.compile(r"[a-z][a-z0-9-]{0,47}")
RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FIRST_YEAR = 1000  # strftime doesn't fill earlier ones up to four digits
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
LIVE, BACKFILL = "live", "backfill"
"""The lanes of runs."""


def format_time(time: datetime) -> str:
    """The one way drumbeat writes an instant: UTC, whole seconds, `2026-11-22T00:00:00Z`."""
    return time.astimezone(UTC).strftime(TIME_FORMAT)


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 instant that has a zone; fractions of a second are dropped."""
    try:
        time = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise MalformedFire(f"{text!r} is no ISO 8601 time; write it like 2026-11-22T00:00:00Z") from None
    if time.tzinfo is None:
        raise MalformedFire(f"{text!r} has no time zone; write it like 2026-11-22T00:00:00Z or +01:00")
    try:
        time = time.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        time = time.replace(year=1)
    if time.year < _FIRST_YEAR:
        raise MalformedFire(f"{text!r} isn't in the years {_FIRST_YEAR} to 9999 of UTC")
    return time


class Upstream(Protocol):
    """Reads what the runs before a run have left."""

    def results(self, task: str) -> Iterator[Any]:
        """What `work` of that task returned, item by item."""

    def result(self, task: str) -> Any:
        """What `complete` of that task returned, or None."""


@dataclass(frozen=True)
class Run:
    """What expand, work and complete are told of the run they serve.

    `bucket` is the app's bucket; everything written under `prefix` belongs to this run alone.
    `params` is what the run was started with: by hand, by a runtime schedule, or {"event": ...} by an event.
    `name` tells runs of the same task and time apart: the name of a runtime schedule, the id of an event, or none.
    """

    task: str
    scheduled_at: datetime
    bucket: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    upstream: Upstream | None = field(default=None, repr=False, compare=False)

    @cached_property  # asked for before each item
    def id(self) -> str:
        """`task/scheduled time`, and `/name` if there is one: a fire delivered twice names the same run."""
        return f"{self.task}/{format_time(self.scheduled_at)}" + (f"/{self.name}" if self.name else "")

    @property
    def prefix(self) -> str:
        """The S3 prefix for what this run publishes, without a slash at its end."""
        return f"results/{self.id}"

    @property
    def result_key(self) -> str:
        """Where in the app's bucket the result of the run is kept: what `complete` returned, as JSON."""
        return f"{self.prefix}/result.json"

    def results(self, task: str) -> Iterator[Any]:
        """What `work` returned in the run of `task` that came before this one, in the order of items."""
        return self._read_upstream(task).results(task)

    def result(self, task: str) -> Any:
        """What `complete` (or `combine`) returned in the run of `task` that came before this one; None if nothing."""
        return self._read_upstream(task).result(task)

    def _read_upstream(self, task: str) -> Upstream:
        if self.upstream is None:
            raise UpstreamUnknown(f"{self.id}: only expand may read what {task!r} has left, in a task with after=[...]")
        return self.upstream

    @classmethod
    def parse(cls, run_id: str, *, bucket: str = "") -> "Run":
        """Read a run id back."""
        task, slash, rest = run_id.partition("/") if isinstance(run_id, str) else ("", "", "")
        time, named, name = rest.partition("/")
        if not slash or not TASK_NAME.fullmatch(task) or bool(named) != bool(RUN_NAME.fullmatch(name)):
            raise MalformedFire(
                f"run id {run_id!r}: TASK/TIME or TASK/TIME/NAME is expected, like sunrise/2026-11-22T00:00:00Z"
            )
        return cls(task, parse_time(time), bucket, name=name)
