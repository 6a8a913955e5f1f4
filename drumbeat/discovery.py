"""Find an app's tasks: the Task values that stand in the modules of its `handlers` package."""

import importlib
from collections.abc import Iterator
from types import ModuleType

from .budget import check_budgets
from .chains import check_chains
from .errors import DuplicateTask, TaskModuleFailed, UnknownTask
from .task import Task


def discover(package: str = "handlers") -> dict[str, Task]:
    """Import every module of the package, in the order of names, and return its tasks by name.

    Raises TaskModuleFailed for a module that can't be imported, DuplicateTask for two tasks of one name,
    InvalidTask for chains that have no beginning, BudgetConflict for a budget on which tasks don't agree.
    """
    import pkgutil  # noqa: PLC0415  (a function loads one module, and starts sooner)

    root = _import(package)
    names = [package, *(found.name for found in pkgutil.walk_packages(root.__path__, f"{package}."))]
    tasks: dict[str, Task] = {}
    for module in map(_import, names):
        for task in _tasks(module):
            other = tasks.setdefault(task.name, task)
            if other is not task:
                raise DuplicateTask(
                    f"task {task.name!r} is declared in {other.module} and again in {task.module}; rename one of them"
                )
    check_chains(tasks)
    check_budgets(tasks.values())
    return tasks


def load(module: str, name: str) -> Task:
    """Import one module and return its task of this name: what a Lambda function does when it starts."""
    tasks = {task.name: task for task in _tasks(_import(module))}
    if name not in tasks:
        raise UnknownTask(f"task {name!r} isn't declared in {module} (it has: {', '.join(tasks) or 'none'})")
    return tasks[name]


def _tasks(module: ModuleType) -> Iterator[Task]:
    return (value for value in vars(module).values() if isinstance(value, Task))


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise TaskModuleFailed(f"module {name} can't be imported: {type(error).__name__}: {error}") from error
