"""The plugin in a project that isn't ours: what loading it costs, and what a failing test shows."""

import subprocess
import sys
from pathlib import Path

FAILING = """
def test_expects_too_much(cloud):
    run = cloud.run("strict", items=[1, 2])

    assert 3 == len(run.succeeded)
"""


def test_loading_the_plugin_imports_neither_moto_nor_boto3():
    code = (
        "import sys, drumbeat.testing.plugin, drumbeat.testing;"
        "print([name for name in ('moto', 'boto3', 'botocore', 'aws_cdk') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()


def test_a_failing_test_shows_the_seed_the_latest_events_and_the_file_with_all(tmp_path, drumbeat_assembly):
    app = drumbeat_assembly.parents[1]
    (tmp_path / "pytest.ini").write_text(f"[pytest]\ndrumbeat_app = {app}\n")
    (tmp_path / "test_it.py").write_text(FAILING)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert 1 == done.returncode, done.stderr
    assert "seed 0, 2026-01-01" in done.stdout
    assert "invoke.end" in done.stdout
    path = Path(next(line for line in done.stdout.splitlines() if " events: " in line).partition(" events: ")[2])
    assert app / ".drumbeat" / "logs" == path.parent
    assert "invoke.start" in path.read_text()
