"""The backfill of a task: which range of past fires is to be run, how far it has come, which of its runs are active.

At most one at a time for each task.  Moving the cursor and listing the run that it stands for are one conditional
write: so of two functions that want to open the next run, one does.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drumbeat.run import format_time

from .table import Key, Table

ACTIVE, DONE, STOPPED = "active", "done", "stopped"
ORDERS = ("oldest", "newest")
ONLY = ("missing", "failed", "all")
RETENTION = timedelta(days=90)


@dataclass(frozen=True)
class Backfill:
    """A backfill; times as `format_time` writes them, both ends included.

    cursor: the fire that was opened last; opened: how many runs it has opened; runs: those that are active.
    mapping: "on" or "off": what the queue's event source mapping was last set to.
    """

    task: str
    first: str
    last: str
    order: str
    only: str
    max_active: int
    state: str = ACTIVE
    cursor: str = ""
    opened: int = 0
    mapping: str = ""
    runs: frozenset[str] = field(default=frozenset())


def read(table: Table, task: str) -> Backfill | None:
    """The latest backfill of a task."""
    item = table.get(_key(task))
    if item is None:
        return None
    found = {name: item[name] for name in Backfill.__dataclass_fields__ if name in item and name != "runs"}
    return Backfill(**found, runs=frozenset(item.get("runs", ())))


def begin(table: Table, wanted: Backfill, *, now: datetime) -> bool:
    """Record a new backfill; False if another one of the task is under way."""
    values = {name: value for name, value in vars(wanted).items() if name != "runs"}
    token = f"{wanted.first}/{wanted.last}/{format_time(now)}"
    item, accepted = table.put(
        _key(wanted.task),
        {**values, "token": token, "expires_at": int((now + RETENTION).timestamp())},
        "attribute_not_exists(#pk) OR (#state <> :active AND attribute_not_exists(#runs))",
        active=ACTIVE,
    )
    return accepted or item.get("token") == token


def take(table: Table, found: Backfill, *, fire: str, run_id: str) -> bool:
    """Move the cursor to a fire whose run shall be opened; False if somebody else has moved it, or there is no room."""
    _, accepted = table.update(
        _key(found.task),
        "SET #cursor = :fire, #opened = :opened ADD #runs :run",
        "#state = :active AND #cursor = :cursor AND (attribute_not_exists(#runs) OR size(#runs) < :limit)",
        active=ACTIVE,
        fire=fire,
        cursor=found.cursor,
        opened=found.opened + 1,
        run={run_id},
        limit=found.max_active,
    )
    return accepted


def leave(table: Table, task: str, run_id: str) -> None:
    """Take a run that has ended off the active ones."""
    table.update(_key(task), "DELETE #runs :run", "attribute_exists(#pk)", run={run_id})


def end(table: Table, task: str, state: str) -> bool:
    """End a backfill: DONE when nothing is left to open, STOPPED when somebody wants so; its active runs go on."""
    return table.update(_key(task), "SET #state = :state", "#state = :active", state=state, active=ACTIVE).accepted


def mark_mapping(table: Table, task: str, mapping: str) -> None:
    """Remember what the queue's event source mapping was set to."""
    table.update(_key(task), "SET #mapping = :mapping", "attribute_exists(#pk)", mapping=mapping)


def _key(task: str) -> Key:
    return Key(f"task#{task}", "backfill")
