"""Finding an app's tasks in its package of handlers."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drumbeat.discovery import discover, load
from drumbeat.errors import BudgetConflict, DuplicateTask, TaskModuleFailed, UnknownTask

Package = Callable[..., str]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    """Write modules into a package of its own and return the package's name."""
    monkeypatch.syspath_prepend(tmp_path)
    name = f"handlers_{tmp_path.name.replace('-', '_')}"

    def write(**modules: str) -> str:
        (tmp_path / name).mkdir()
        for module, source in {"__init__": "", **modules}.items():
            (tmp_path / name / f"{module}.py").write_text(source)
        return name

    yield write
    for module in [module for module in sys.modules if module.startswith(name)]:
        del sys.modules[module]


TASK = "from drumbeat import Task\ntask = Task({!r})\n"


def test_every_module_is_searched_for_tasks(package: Package) -> None:
    name = package(one=TASK.format("one"), two=TASK.format("two"), none="x = 1")

    found = discover(name)

    assert {"one": f"{name}.one", "two": f"{name}.two"} == {task.name: task.module for task in found.values()}
    assert found["one"] is load(f"{name}.one", "one")


def test_a_task_that_another_module_imports_is_one_task(package: Package) -> None:
    name = package(one=TASK.format("one"), two="from .one import task\n")

    assert ["one"] == list(discover(name))


def test_two_tasks_of_one_name_are_refused_with_both_places(package: Package) -> None:
    name = package(one=TASK.format("same"), two=TASK.format("same"))

    with pytest.raises(DuplicateTask, match=r"declared in .*\.one and again in .*\.two"):
        discover(name)


def test_a_module_that_fails_to_import_is_named_with_its_error(package: Package) -> None:
    name = package(broken="import nothing_of_this_name")

    with pytest.raises(TaskModuleFailed, match=r"\.broken can't be imported: ModuleNotFoundError: .*nothing_of"):
        discover(name)


def test_a_task_that_is_gone_is_named_with_those_that_are_there(package: Package) -> None:
    name = package(one=TASK.format("one"))

    with pytest.raises(UnknownTask, match=r"task 'old' isn't declared in .*\.one \(it has: one\)"):
        load(f"{name}.one", "old")


def test_tasks_that_disagree_on_a_budget_are_refused(package: Package) -> None:
    task = "from drumbeat import Budget, Task\ntask = Task({!r}, budgets=(Budget('stripe', per_second={}),))\n"

    with pytest.raises(BudgetConflict, match=r"'stripe' has per_second=50 in task 'one' and per_second=5 in"):
        discover(package(one=task.format("one", 50), two=task.format("two", 5)))
