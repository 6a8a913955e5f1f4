"""A run: one firing of a task, named by the task and the scheduled time."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .errors import MalformedFire

TASK_NAME = re.compile(r"[a-z][a-z0-9-]{0,47}")
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


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
        raise MalformedFire(f"{text!r} has no time zone; write it like {text}Z or {text}+01:00")
    return time.astimezone(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Run:
    """What expand, work and complete are told of the run they serve.

    `bucket` is the app's bucket; everything written under `prefix` belongs to this run alone.
    """

    task: str
    scheduled_at: datetime
    bucket: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """`task/scheduled time`: a fire delivered twice names the same run."""
        return f"{self.task}/{format_time(self.scheduled_at)}"

    @property
    def prefix(self) -> str:
        """The S3 prefix for what this run publishes, without a slash at its end."""
        return f"results/{self.id}"

    @classmethod
    def parse(cls, run_id: str, *, bucket: str = "") -> "Run":
        """Read a run id back."""
        task, slash, time = run_id.partition("/") if isinstance(run_id, str) else ("", "", "")
        if not slash or not TASK_NAME.fullmatch(task):
            raise MalformedFire(f"run id {run_id!r}: TASK/TIME is expected, like sunrise/2026-11-22T00:00:00Z")
        return cls(task, parse_time(time), bucket)
