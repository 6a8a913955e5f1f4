"""The table of promises and the tests agree."""

import ast
import re
from pathlib import Path

import pytest

from tests.faults.mutants.table import MUTANTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")] for line in re.findall(r"^\| \d.*$", PAGE, re.MULTILINE)
]


def test_every_failure_is_there_once() -> None:
    assert [str(number) for number in range(1, 36)] == [row[0] for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_test_that_proves_a_promise_is_collected(row: list[str]) -> None:
    promise, proof, how = row[2:5]
    [(path, name)] = re.findall(r"^`(tests/\S+\.py)::(test_\w+)`$", proof)

    assert promise
    assert how
    assert name in functions(ROOT / path)


def test_the_table_of_defects_is_that_of_the_last_run() -> None:
    """After a change of the list: make mutants."""
    table = PAGE.partition("<!-- mutants")[2]
    written = re.findall(r"^\| `([\w-]+)` \| (\d+) \| (.*) \| `(\S+)` \| `(tests/\S+)` \|$", table, re.MULTILINE)

    assert [(m.id, str(m.row), m.breaks, m.file) for m in MUTANTS] == [found[:4] for found in written]
    for *_, killer in written:
        path, _, name = killer.partition("::")
        assert name in functions(ROOT / path)


def functions(path: Path) -> set[str]:
    """The tests of a file, as pytest finds them."""
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}
