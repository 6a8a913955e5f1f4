"""What a declaration must satisfy, checked where it stands: each error says which, what, the limit and the remedy."""

import inspect
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from . import limits
from .at import At
from .budget import Budget
from .errors import InvalidTask
from .event import Event
from .permission import Allow
from .retry import Backoff
from .run import TASK_NAME
from .schedule import Cron, Rate
from .source import S3Csv, S3Lines, is_lined

if TYPE_CHECKING:
    from .task import Task

OVERLAPS = ("skip", "buffer_one", "buffer_all", "cancel_other", "allow")
RULES = ("succeeded", "ended")
_LONGEST = timedelta(days=30)  # the ledger keeps runs for 90
MOST_PARTS = 256
_MAX_RETRIES = 100
_MIN_CHUNK_BYTES = 1024
_RANGES = {
    "memory_mib": (*limits.LAMBDA_MEMORY_MIB, "MiB, what Lambda offers"),
    "timeout_s": (1, limits.LAMBDA_TIMEOUT_S, "seconds, Lambda's limit; make chunk_size smaller instead"),
    "max_concurrency": (*limits.SQS_SOURCE_CONCURRENCY, "invocations, what an SQS event source offers"),
    "concurrency": (1, 1000, "items at the same time in one invocation"),
    "retries": (0, _MAX_RETRIES, "retries of an item"),
    "chunk_size": (1, limits.CHUNK_ITEMS, "items in a message"),
    "chunk_bytes": (_MIN_CHUNK_BYTES, limits.SQS_MESSAGE_BYTES, "bytes, SQS's limit for a message"),
    "batch_size": (1, limits.SQS_SOURCE_BATCH, "messages, the limit of an SQS event source"),
    "batch_window_s": (0, limits.SQS_SOURCE_WINDOW_S, "seconds, the limit of an SQS event source"),
    "dispatcher_memory_mib": (*limits.LAMBDA_MEMORY_MIB, "MiB, what Lambda offers"),
    "dispatcher_timeout_s": (
        60,
        limits.LAMBDA_TIMEOUT_S,
        "seconds; longer expansions go on in the next invocation",
    ),
}
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "schedule": ((Cron, Rate, At, type(None)), 'Cron("0 0 * * ? *"), Rate(minutes=5), At(...) or None'),
    "backoff": ((Backoff,), "a Backoff"),
    "on": ((Event, type(None)), 'Event(source="my.shop", ...) or None'),
    "catch_up": ((timedelta, type(None)), "a timedelta, or None"),
    "deadline": ((timedelta, type(None)), "a timedelta, or None"),
    "keep_results": ((bool,), "True or False"),
    "by_reference": ((bool, type(None)), "True, False or None"),
    "idempotent_by": ((str, type(None)), "the name of a field of the items, or None"),
    "tracing": ((bool,), "True or False"),
    "snap_start": ((bool,), "True or False"),
}


def check_text(task: "Task") -> None:
    """Check the name and whatever of the declaration is no number."""
    if not isinstance(task.name, str) or not TASK_NAME.fullmatch(task.name):
        raise InvalidTask(
            f"task name {task.name!r}: 1 to 48 lower-case letters, digits and hyphens are allowed, a letter first, "
            "like nightly-invoices"
        )
    for field, (types, wanted) in _TYPES.items():
        if not isinstance(getattr(task, field), types):
            raise InvalidTask(f"task {task.name!r}: {field}={getattr(task, field)!r}; {wanted} is expected")
    if task.overlap not in OVERLAPS:
        raise InvalidTask(
            f"task {task.name!r}: overlap={task.overlap!r}; {', '.join(OVERLAPS[:-1])} or {OVERLAPS[-1]} is allowed"
        )
    _check_chain(task)
    _check_members(task)
    if task.log_items is not None and (not callable(task.log_items) or inspect.iscoroutinefunction(task.log_items)):
        raise InvalidTask(
            f"task {task.name!r}: log_items={task.log_items!r}; a plain function of an item that returns what may be "
            'logged of it is expected, like lambda item: item["id"]'
        )
    _check_environment(task)


def _check_chain(task: "Task") -> None:
    if task.when not in RULES:
        raise InvalidTask(f"task {task.name!r}: when={task.when!r}; {' or '.join(RULES)} is allowed")
    for given in task.after:
        name = getattr(given, "name", given)
        if not isinstance(name, str) or not TASK_NAME.fullmatch(name):
            raise InvalidTask(f"task {task.name!r}: after holds {given!r}; give tasks, or the names of tasks")
        if name == task.name:
            raise InvalidTask(f"task {task.name!r} can't come after itself")


def _check_members(task: "Task") -> None:
    for budget in task.budgets:
        if not isinstance(budget, Budget):
            raise InvalidTask(f'task {task.name!r}: budgets holds {budget!r}; Budget("stripe", per_second=50)')
    for kind in (*(task.retry_on or ()), *task.give_up_on):
        if not isinstance(kind, type) or not issubclass(kind, BaseException):
            raise InvalidTask(f"task {task.name!r}: retry_on and give_up_on take types of exceptions, not {kind!r}")
    for permission in task.permissions:
        if not isinstance(permission, Allow):
            raise InvalidTask(f'task {task.name!r}: permissions holds {permission!r}; Allow("s3:GetObject", on=...)')


def _check_environment(task: "Task") -> None:
    for variable, value in task.environment.items():
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]+", variable) or variable.startswith(("AWS_", "DRUMBEAT_")):
            raise InvalidTask(
                f"task {task.name!r}: environment variable {variable!r}; two or more letters, digits and underscores "
                "are allowed, a letter first, and AWS_ and DRUMBEAT_ are taken"
            )
        if not isinstance(value, str):
            raise InvalidTask(f"task {task.name!r}: environment variable {variable} is {value!r}; write it as text")
    size = sum(len(variable) + len(value.encode()) for variable, value in task.environment.items())
    allowed = limits.LAMBDA_ENVIRONMENT_BYTES - limits.OWN_ENVIRONMENT_BYTES
    if size > allowed:
        raise InvalidTask(
            f"task {task.name!r}: environment has {size:,} bytes, {allowed:,} allowed: Lambda takes "
            f"{limits.LAMBDA_ENVIRONMENT_BYTES:,} with drumbeat's own; keep more in SSM or S3, and its name here"
        )


def check_expected(task: "Task") -> None:
    """Check the numbers that others are chosen by."""
    _check_ranges(task, {name: _RANGES[name] for name in ("timeout_s", "concurrency", "chunk_bytes")})
    if not _is_number(task.item_s) or not 0 < task.item_s <= task.timeout_s:
        raise InvalidTask(
            f"task {task.name!r}: item_s={task.item_s!r}; an item must fit one invocation: above 0, up to "
            f"timeout_s={task.timeout_s}"
        )


def check_numbers(task: "Task") -> None:
    """Check every number against its range, then the combinations that can't fit one invocation."""
    _check_ranges(task, _RANGES)
    if task.parts is not None:
        _check_ranges(task, {"parts": (1, MOST_PARTS, "dispatchers at the same time")})
    _check_tolerance(task)
    _check_times(task)
    if task.batch_size > limits.SQS_SOURCE_BATCH_WITHOUT_WINDOW and task.batch_window_s == 0:
        raise InvalidTask(
            f"task {task.name!r}: batch_size={task.batch_size} needs a batch_window_s of 1 or more: without, SQS gives "
            f"an invocation {limits.SQS_SOURCE_BATCH_WITHOUT_WINDOW} messages at most"
        )
    if task.batch_size * task.chunk_bytes > limits.LAMBDA_SYNC_PAYLOAD_BYTES:
        raise InvalidTask(
            f"task {task.name!r}: batch_size={task.batch_size} x chunk_bytes={task.chunk_bytes:,} is more than the "
            f"{limits.LAMBDA_SYNC_PAYLOAD_BYTES:,} bytes of one invocation; choose chunk_bytes up to "
            f"{limits.LAMBDA_SYNC_PAYLOAD_BYTES // task.batch_size:,}, or a smaller batch_size"
        )


def _check_ranges(task: "Task", ranges: Mapping[str, tuple[int, int, str]]) -> None:
    for field, (low, high, unit) in ranges.items():
        value = getattr(task, field)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise InvalidTask(f"task {task.name!r}: {field}={value!r}; {low:,} to {high:,} are allowed ({unit})")


def check_combinations(task: "Task") -> None:
    """Check what only makes sense together."""
    if sum(given is not None for given in (task.schedule, task.on)) + bool(task.after) > 1:
        raise InvalidTask(
            f"task {task.name!r}: schedule, on and after are three ways to start its runs; choose one, and declare a "
            "second task for another one"
        )
    if task.max_active_runs is not None and task.overlap != "allow":
        raise InvalidTask(
            f'task {task.name!r}: max_active_runs={task.max_active_runs} goes with overlap="allow"; with '
            f"{task.overlap!r} one run is active at a time"
        )
    if task.when != "succeeded" and not task.after:
        raise InvalidTask(f"task {task.name!r}: when={task.when!r} goes with after=[...]; name the tasks before it")


def _check_tolerance(task: "Task") -> None:
    share, number = task.tolerated_failure_percentage, task.tolerated_failure_count
    if share is not None and (not _is_number(share) or not 0 <= share <= 100):  # noqa: PLR2004
        raise InvalidTask(f"task {task.name!r}: tolerated_failure_percentage={share!r}; 0 to 100 are allowed")
    if number is not None and (not isinstance(number, int) or isinstance(number, bool) or number < 0):
        raise InvalidTask(f"task {task.name!r}: tolerated_failure_count={number!r}; 0 or more items are allowed")
    active = task.max_active_runs
    if active is not None and (not isinstance(active, int) or isinstance(active, bool) or active < 1):
        raise InvalidTask(f"task {task.name!r}: max_active_runs={active!r}; 1 or more, or None for any number")


def _check_times(task: "Task") -> None:
    for name in ("catch_up", "deadline"):
        given = getattr(task, name)
        if given is not None and not timedelta(minutes=1) <= given <= _LONGEST:
            raise InvalidTask(f"task {task.name!r}: {name}={given}; a minute to {_LONGEST.days} days are allowed")
    item = task.item_timeout_s
    if item is not None and (not _is_number(item) or not 0 < item < task.timeout_s):
        raise InvalidTask(
            f"task {task.name!r}: item_timeout_s={item!r}; above 0 and below timeout_s={task.timeout_s} are allowed"
        )


def check_parts(task: "Task", given: Any) -> None:
    """Check that what was given to expand can be divided as the task says."""
    takes_part = callable(given) and "part" in inspect.signature(given).parameters
    if (task.parts or 1) > 1 and callable(given) and not takes_part:
        raise InvalidTask(
            f"task {task.name!r}: parts={task.parts} needs an expand that takes `part`, as in "
            "def expand(run, part): yield from ids[part.number :: part.of]; or leave parts out"
        )
    if (task.parts or 1) > 1 and _travels(task, given):
        raise InvalidTask(
            f"task {task.name!r}: parts={task.parts}, but lines that travel in messages are read by one dispatcher; "
            "leave out by_reference=False or multiline=True, or parts"
        )
    if takes_part and task.parts is None:
        raise InvalidTask(f"task {task.name!r}: its expand takes `part`; say with parts=... how many there are")


def _travels(task: "Task", given: Any) -> bool:
    return isinstance(given, S3Lines | S3Csv) and (task.by_reference is False or not is_lined(given))


def check_parameters(task: "Task", kind: str, function: Callable[..., Any], *names: str) -> None:
    """Check that a function can be called with these positional arguments."""
    wanted = f"def {kind}({', '.join(names)})"
    try:
        inspect.signature(function).bind(*names)
    except (TypeError, ValueError):
        name = getattr(function, "__name__", repr(function))
        raise InvalidTask(f"task {task.name!r}: {name} can't be its {kind}: `{wanted}` is expected") from None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
