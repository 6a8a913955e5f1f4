"""Put each defect of the table into a copy of the project, one at a time, and see that a test notices.

Run by `make mutants`; names of mutants as arguments choose some.  Ends with 1 if one survives; if all were judged and
none does, writes into docs/reliability.md which test has killed which.
"""

import argparse
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.faults.mutants.table import MUTANTS, Mutant

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- mutants: written by make mutants -->", "<!-- end of mutants -->"
TIME_S = 300
"""So long may the tests of a mutant take; one that makes them hang is noticed, too."""
_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", "node_modules", ".drumbeat", "__pycache__", "cdk.out", "out", ".*_cache", "results"
)
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
_TESTS_FAILED = 1  # pytest's own code; others say that it couldn't run


class Verdict(NamedTuple):
    """What became of a mutant: the test that has noticed it, or nothing."""

    mutant: Mutant
    killer: str
    seconds: float


def main() -> int:
    """Judge all mutants, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if not given.names or mutant.id in given.names]
    began = time.monotonic()
    verdicts = judge_all(chosen, jobs=min(given.jobs, len(chosen)))
    survivors = [verdict.mutant.id for verdict in verdicts if not verdict.killer]
    took = time.monotonic() - began
    sys.stdout.write(f"{len(verdicts) - len(survivors)} of {len(verdicts)} mutants killed in {took:.0f} s\n")
    if survivors:
        sys.stdout.write(f"these survive, so a test is missing: {', '.join(survivors)}\n")
    elif not given.names:
        write_page(verdicts)
    return bool(survivors)


def judge_all(chosen: Sequence[Mutant], *, jobs: int) -> list[Verdict]:
    """Each in one of so many copies of the project."""
    copies: queue.Queue[Path] = queue.Queue()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        for number in range(jobs):
            copies.put(Path(shutil.copytree(ROOT, Path(folder) / str(number), ignore=_LEFT_OUT)))

        def judge(mutant: Mutant) -> Verdict:
            copy = copies.get()
            began = time.monotonic()
            try:
                killer = killer_of(mutant, copy)
            finally:
                copies.put(copy)
            verdict = Verdict(mutant, killer, time.monotonic() - began)
            sys.stdout.write(f"{mutant.id:32} {killer or 'SURVIVES':90} {verdict.seconds:4.0f} s\n")
            sys.stdout.flush()
            return verdict

        return list(pool.map(judge, chosen))


def killer_of(mutant: Mutant, copy: Path) -> str:
    """The first test that fails with this defect; nothing if none does."""
    path = copy / mutant.file
    text = path.read_text()
    if text.count(mutant.old) != 1:
        raise SystemExit(f"mutant {mutant.id}: its old text is there {text.count(mutant.old)} times in {mutant.file}")
    path.write_text(text.replace(mutant.old, mutant.new))
    try:
        return next(filter(None, (failure_of(tests, copy) for tests in mutant.killers)), "")
    finally:
        path.write_text(text)


def failure_of(tests: str, copy: Path) -> str:
    """The first of these tests that fails, with what is in this copy."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", tests]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    try:
        ran = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=TIME_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{tests} (it hangs)"
    if ran.returncode not in (0, _TESTS_FAILED):
        raise SystemExit(f"{tests} can't be run:\n{ran.stdout[-3000:]}{ran.stderr[-1000:]}")
    found = _FAILED.search(ran.stdout)
    return found.group(1) if found else ""


def write_page(verdicts: Sequence[Verdict]) -> None:
    """Put the table into the page, between its marks."""
    rows = [
        f"| `{mutant.id}` | {mutant.row} | {mutant.breaks} | `{mutant.file}` | `{killer.partition('[')[0]}` |"
        for mutant, killer, _ in verdicts
    ]
    table = "\n".join(["| defect | row | what it breaks | in | killed by |", "|---|---|---|---|---|", *rows])
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")


if __name__ == "__main__":
    sys.exit(main())
