"""How many tasks one stack can hold."""

from collections.abc import Mapping

from drumbeat import limits
from drumbeat.errors import DuplicateTask
from drumbeat.outputs import output
from drumbeat.task import Task

from .errors import NoTasks, TooManyTasks

STACK_RESOURCES = 500
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html."""
RESOURCES_PER_TASK = 24  # the most that a task's lane, fire and alarms make; a test counts them
RESOURCES_OF_SNAP_START = 2  # the version and the alias of a task's worker
RESOURCES_PER_APP = 23  # ledger, store, keeper, dead letters, idempotency records, schedule group, dashboard, alarms
_KEEPER_BYTES = 600  # of the keeper's environment, whatever the tasks: the names of table, bucket and handlers
_FUNCTION_NAME, _MAPPING_ID = 64, 36
_AROUND = 16  # quotes, colons and commas of a task's three entries


def check_tasks(tasks: Mapping[str, Task]) -> None:
    """Refuse an app without tasks, a task without functions, and what CloudFormation would refuse after minutes."""
    if not tasks:
        raise NoTasks(
            "the handlers package declares no task; add a module to it with a Task, an expand and a work function"
        )
    for task in tasks.values():
        _ = task.source, task.worker  # each raises InvalidTask where there is none
    outputs: dict[str, str] = {}
    for name in tasks:
        other = outputs.setdefault(output("", name), name)
        if other != name:
            raise DuplicateTask(f"tasks {other!r} and {name!r} have the same letters and digits; rename one of them")
    versions = RESOURCES_OF_SNAP_START * sum(task.snap_start for task in tasks.values())
    needed = RESOURCES_PER_APP + RESOURCES_PER_TASK * len(tasks) + versions
    if needed > STACK_RESOURCES:
        fit = (STACK_RESOURCES - RESOURCES_PER_APP) * len(tasks) // (needed - RESOURCES_PER_APP)
        raise TooManyTasks(
            f"{len(tasks)} tasks need about {needed} resources, and CloudFormation takes {STACK_RESOURCES} in a stack: "
            f"{fit} tasks; make two packages of handlers, and a stack of each in app.py"
        )
    if (size := _keeper_environment(tasks)) > limits.LAMBDA_ENVIRONMENT_BYTES:
        raise TooManyTasks(
            f"the keeper's environment would name {len(tasks)} tasks in about {size:,} bytes, and Lambda takes "
            f"{limits.LAMBDA_ENVIRONMENT_BYTES:,}; give the tasks shorter names, or make two packages of handlers, and "
            "a stack of each in app.py"
        )


def _keeper_environment(tasks: Mapping[str, Task]) -> int:
    """How many bytes tell the keeper the tasks, their dispatchers, and the mappings of their backfills, at most."""
    return _KEEPER_BYTES + sum(
        len(name) + len(name) + _FUNCTION_NAME + (len(name) + _MAPPING_ID if task.schedule else 0) + _AROUND
        for name, task in tasks.items()
    )
