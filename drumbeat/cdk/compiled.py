"""Bytecode for a folder, and one time and mode for all files: the same input is the same bundle, byte for byte."""

import os
import subprocess
import sys
from pathlib import Path

from .target import Target

_WHEN = 315_619_200  # 1980-01-02, the earliest a zip file can say in any time zone
_IN_LAMBDA = "/var/task"


def compile_folder(folder: Path, *, target: Target) -> None:
    """Write bytecode that Python doesn't check against the source: Lambda can't write its own, and starts 1.8x slower.

    A process of its own with fixed hash seed, because what was imported before shows in bytecode.  Left out where the
    target is another Python: bytecode is of one version.  Files that don't compile (templates, code for a newer
    Python) stay as they are.
    """
    if target.is_this_python:
        subprocess.run(  # noqa: S603
            [
                sys.executable, "-m", "compileall", "-qq", "-f", "--invalidation-mode=unchecked-hash",
                "-s", str(folder), "-p", _IN_LAMBDA, str(folder),
            ],
            env={**os.environ, "PYTHONHASHSEED": "0"},
            capture_output=True,
            check=False,
        )  # fmt: skip
    make_alike(folder)


def make_alike(folder: Path) -> None:
    """Give all files the same time, and modes that no umask has a part in: Lambda reads them as another user."""
    for path in folder.rglob("*"):
        runs = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if runs else 0o644)
        os.utime(path, (_WHEN, _WHEN))
