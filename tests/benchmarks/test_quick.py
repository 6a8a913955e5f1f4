"""The benchmarks run: with tiny numbers, and without those contestants that aren't installed here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["ledger", "growth", "dispatch", "work", "cold"])
def test_a_benchmark_writes_its_figures_and_its_picture(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, f"benchmarks/{name}.py", "--quick", "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    assert 0 == done.returncode, done.stderr
    found = json.loads((tmp_path / f"{name}.json").read_text("utf-8"))
    assert found["machine"]["date"]
    wrong = [line for line in found["table"] if "drumbeat" in line and "Error" in line]
    assert [] == wrong
    assert (tmp_path / f"{name}.svg").read_text("utf-8").startswith("<svg")
