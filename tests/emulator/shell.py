"""The installed command, and AWS's own clients, on the emulator."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from drumbeat.control import Deployment

ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
COUNTS = ("succeeded", "failed", "dropped")


class Wrong(Exception):
    """A command or a run did something else than it should."""


@dataclass(frozen=True)
class Shell:
    """Calls `drumbeat` as an operator does, with AWS_ENDPOINT_URL in the environment."""

    app: Path
    command: Path
    environment: dict[str, str]
    session: Any = field(default_factory=boto3.Session)

    def __call__(self, *arguments: str, status: int | None = 0) -> str:
        """Call a command, expecting its exit status, or any: what it printed, or why it was refused."""
        done = subprocess.run(
            [self.command, "--app", self.app, *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )
        said = " ".join(arguments)
        if status is not None and done.returncode != status:
            raise Wrong(f"`drumbeat {said}` ended with {done.returncode}, not {status}: {done.stdout}{done.stderr}")
        if done.returncode == 2 and (
            not done.stderr.startswith("error: ") or len(done.stderr.strip().splitlines()) > 2
        ):
            raise Wrong(f"`drumbeat {said}` isn't refused in a sentence: {done.stderr}")
        return done.stderr.strip() if done.returncode == 2 else done.stdout.strip()

    def json(self, *arguments: str, status: int = 0) -> Any:
        """The same, with --json."""
        return json.loads(self(*arguments, "--json", status=status))

    def run(self, task: str, *arguments: str, items: list[Any] | None = None, wait: bool = False) -> str:
        """Start a run by hand, with items of its own if they are given: its id."""
        given: tuple[str, ...] = ()
        if items is not None:
            file = self.app / "cdk.out" / f"items-{time.time_ns()}.jsonl"
            file.write_text("".join(f"{json.dumps(item)}\n" for item in items), "utf-8")
            given = ("--items", str(file))
        run = self("run", task, *arguments, *given)
        if wait:
            self.wait(run)
        return run

    def show(self, run: str) -> dict[str, Any]:
        """One run, as `drumbeat show` has it."""
        found: dict[str, Any] = self.json("show", run)["run"]
        return found

    def wait(self, run: str, *states: str, within_s: float = 200) -> dict[str, Any]:
        """Wait until a run is in one of these states, by default until it has ended."""

        def looked() -> dict[str, Any] | None:
            try:
                found = self.show(run)
            except Wrong as error:
                if "no run" in str(error):
                    return None
                raise
            return found if found["state"] in (states or ENDED) else None

        return until(looked, f"{run} is {' or '.join(states or ENDED)}", within_s=within_s)

    def counts(self, run: str) -> tuple[str, int, int, int]:
        """State, succeeded, failed and dropped of a run."""
        found = self.show(run)
        return (found["state"], *(found[name] for name in COUNTS))

    def result(self, run: dict[str, Any]) -> Any:
        """What the run's `complete` or `combine` returned."""
        body = self.client("s3").get_object(Bucket=self.stack.bucket, Key=run["result"])["Body"].read()
        return json.loads(body)

    def all_are(self, wanted: dict[str, tuple[str, ...]], *, within_s: float = 200) -> dict[str, dict[str, Any]]:
        """Wait until each of these runs is in one of its states; all are asked for at once."""

        def looked() -> dict[str, dict[str, Any]] | None:
            found = {run["id"]: run for run in self.json("runs", "--limit", "1000")["runs"]}
            now = {run: found[run]["state"] if run in found else "nowhere" for run in wanted}
            others.clear()
            others.update({run: state for run, state in now.items() if state not in wanted[run]})
            return None if others else found

        others: dict[str, str] = {}
        try:
            found: dict[str, dict[str, Any]] = until(looked, "runs are as they should be", within_s=within_s)
        except Wrong:
            raise Wrong(f"not within {within_s:.0f} s: {others} should be {[wanted[run] for run in others]}") from None
        return found

    def leave(self, run: str, name: str) -> None:
        """Leave an object among the run's own: its items look for it."""
        self.client("s3").put_object(Bucket=self.stack.bucket, Key=f"runs/{run}/{name}", Body=b"")

    def client(self, service: str) -> Any:
        """A client of boto3's."""
        return self.session.client(service)

    @property
    def stack(self) -> Any:
        """The deployed stack."""
        return Deployment.of_stack(self.session, "Emulated").stacks[0]


def until(look: Callable[[], Any], what: str, *, within_s: float = 200, every_s: float = 2) -> Any:
    """Look again and again, until there is something."""
    end = time.monotonic() + within_s
    while not (found := look()):
        if time.monotonic() > end:
            raise Wrong(f"not within {within_s:.0f} s: {what}")
        time.sleep(every_s)
    return found


def expect(expected: Any, actual: Any, what: str) -> None:
    """Raise Wrong unless both are the same."""
    if expected != actual:
        raise Wrong(f"{what}: {expected!r} expected, not {actual!r}")


def minute(offset: int = 0) -> str:
    """The present minute, or one before or after, as commands take it."""
    now = int(time.time()) // 60 + offset
    return datetime.fromtimestamp(now * 60, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
