"""What an app is made from: a hash that changes when its template or its bundle may."""

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import drumbeat

_BESIDE = {".py", ".json", ".toml", ".txt", ".in"}
"""In the app's own folder lie code and settings, and much that is neither; below it, a file may be a handler's data."""
_NOT_THE_APP = {"out", "tests", "docs", "inputs", "benchmarks", "dist", "build"}
_NEVER = {"cdk.out", "node_modules", "__pycache__"}
_LARGE_BYTES = 4 * 1024 * 1024


def key(app: Path) -> str:
    """A hash of everything that the template and the bundle are made from."""
    digest = hashlib.sha256(f"{sys.version} {app.resolve()}".encode())
    for top in (app, Path(drumbeat.__file__).parent):
        for path in _files(top):
            digest.update(f"{path}\0".encode())
            digest.update(_content(path))
    return digest.hexdigest()


def _files(top: Path) -> Iterator[Path]:
    for folder, below, names in os.walk(top):
        here = Path(folder)
        below[:] = sorted(name for name in below if _belongs(here / name, top))
        found = (here / name for name in sorted(names) if not name.startswith("."))
        yield from (path for path in found if path.is_file() and (here != top or path.suffix in _BESIDE))


def _belongs(folder: Path, top: Path) -> bool:
    if folder.name.startswith(".") or folder.name in _NEVER or (folder / "pyvenv.cfg").exists():
        return False
    return folder.parent != top or folder.name not in _NOT_THE_APP


def _content(path: Path) -> bytes:
    """A file's bytes; of a large one its size and when it was written."""
    status = path.stat()
    if status.st_size > _LARGE_BYTES:
        return f"{status.st_size} {status.st_mtime_ns}".encode()
    return path.read_bytes()
