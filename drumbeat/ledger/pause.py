"""Pausing a task: its fires are recorded, and open no run."""

from datetime import datetime

from drumbeat.run import format_time

from .table import Key, Table


def is_paused(table: Table, task: str) -> bool:
    """Whether a task is paused."""
    return bool((table.get(_key(task)) or {}).get("since"))


def pause(table: Table, task: str, *, now: datetime) -> str:
    """Pause a task; since when it is paused, by whoever did so first."""
    item, _ = table.update(
        _key(task), "SET #since = :now", "attribute_not_exists(#since) OR #since = :none", now=format_time(now), none=""
    )
    return str(item["since"])


def resume(table: Table, task: str) -> bool:
    """End a pause; False if the task wasn't paused."""
    return table.update(
        _key(task), "SET #since = :none", "attribute_exists(#since) AND #since <> :none", none=""
    ).accepted


def _key(task: str) -> Key:
    return Key(f"task#{task}", "paused")
