"""Put the code of functions and layers on disk, as folders that can be imported from.

An asset that is a folder is used where it is. A zip is unpacked, and inline code written, into `.drumbeat` in the
assembly, under a name derived from the content; what is there already is used again.
"""

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from drumbeat.local.errors import AssetMissing

from .context import Declared

_CACHE = ".drumbeat"


def directory(declared: Declared, code: Mapping[str, Any]) -> Path:
    """Return the folder with the code; `code` is a function's Code or a layer's Content, resolved."""
    root = declared.context.assembly.root / _CACHE
    if "ZipFile" in code:
        source = str(code["ZipFile"])
        module = "index.js" if str(declared.get("Runtime", "")).startswith("nodejs") else "index.py"
        digest = hashlib.sha256(f"{module}\0{source}".encode()).hexdigest()
        return _made(root / digest, lambda to: _write(to / module, source))
    if "ImageUri" in code:
        declared.reject("the local cloud runs no container images; use a zip asset for it")
    which = f"stack {declared.context.stack!r}, {declared.logical_id}"
    key = code.get("S3Key")
    if key is None:
        raise AssetMissing(f"{which}: its code is neither inline nor an asset: {dict(code)}; use Code.from_asset")
    path = declared.context.assembly.asset(key.rsplit("/", 1)[-1], wanted_by=which)
    if path.is_dir():
        return path
    return _made(root / hashlib.sha256(path.read_bytes()).hexdigest(), lambda to: _unzip(path, to))


def _made(folder: Path, fill: Callable[[Path], None]) -> Path:
    """Fill a folder beside it and rename, so that another process never sees it half full."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=folder.parent))
        fill(draft)
        try:
            os.replace(draft, folder)  # noqa: PTH105, Path.replace wants the same
        except OSError:  # another process was quicker
            shutil.rmtree(draft)
    return folder


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _unzip(path: Path, to: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        archive.extractall(to)
