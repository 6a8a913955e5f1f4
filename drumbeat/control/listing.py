"""Find runs in the ledger: all of a task, of several by time, or one by its id."""

import heapq
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import islice

from drumbeat.errors import MalformedFire
from drumbeat.ledger.record import OPENABLE, SKIPPED, STATES, RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.ledger.table import Table
from drumbeat.run import Run

from .clients import Clients
from .deployment import DeployedStack, Deployment
from .errors import InvalidFilter, RunUnknown

LATEST = "latest"
_LOOKED_AT = 500
_NOT_STARTED = (SKIPPED, *OPENABLE)


def check_states(states: Sequence[str]) -> None:
    """Refuse a state that runs don't have."""
    for state in states:
        if state not in STATES:
            close = get_close_matches(state.upper(), STATES, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(STATES)}"
            raise InvalidFilter(f"no run is ever {state!r}; {hint}")


def runs(clients: Clients, stacks: Sequence[tuple[DeployedStack, str]], states: Sequence[str]) -> Iterator[RunRecord]:
    """The runs of tasks, the latest scheduled time first, read page by page as they are asked for."""
    streams = [Runs(Table(clients.dynamodb, stack.table)).of_task(task) for stack, task in stacks]
    merged = heapq.merge(*streams, key=lambda record: record.scheduled_at, reverse=True)
    return (record for record in merged if not states or record.state in states)


def find(clients: Clients, deployment: Deployment, run_id: str) -> tuple[DeployedStack, RunRecord]:
    """Return a run by its id, or by `TASK/latest`, the newest that was started; what is unknown is told the nearest."""
    task, _, rest = run_id.partition("/")
    stack = deployment.stack_of(task)
    ledger = Runs(Table(clients.dynamodb, stack.table))
    if rest == LATEST:
        newest = list(islice(ledger.of_task(task), _LOOKED_AT))
        started = [record for record in newest if record.state not in _NOT_STARTED]
        if not newest:
            raise RunUnknown(f"task {task!r} has no run in the ledger yet")
        return stack, (started or newest)[0]
    record = ledger.get(_parse(run_id))
    if record is None:
        known = [found.id for found in islice(ledger.of_task(task), _LOOKED_AT)]
        close = get_close_matches(run_id, known, n=2)
        hint = f"the nearest: {' and '.join(close)}" if close else f"task {task!r} has no run in the ledger yet"
        raise RunUnknown(f"no run {run_id!r} in the ledger; {hint}")
    return stack, record


def _parse(run_id: str) -> Run:
    try:
        return Run.parse(run_id)
    except MalformedFire as error:
        raise RunUnknown(f"{error}; or TASK/{LATEST}") from None
