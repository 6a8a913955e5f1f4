"""An app made of the docs' own examples, synthesized once."""

import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from drumbeat.local.synth import synthesize

from .blocks import ROOT, titled


@pytest.fixture(scope="session")
def docs_apps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The assemblies of both `app.py` that the docs show, by title."""
    folders = {title: _app(tmp_path_factory.mktemp("app"), title) for title in ("app.py", "two_stacks.py")}
    with ThreadPoolExecutor() as pool:
        return dict(zip(folders, pool.map(synthesize, folders.values()), strict=True))


@pytest.fixture
def docs_handlers(docs_apps: dict[str, Path]) -> Iterator[None]:
    """The docs' handlers importable as `handlers`, as they are in an app's own tests."""
    folder = str(docs_apps["app.py"].parents[1])
    before = _forget("handlers")
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        _forget("handlers")
        sys.modules.update(before)


def _app(folder: Path, title: str) -> Path:
    """Write an app: the examples as its tasks, and the third-party code that the repository's app has at hand."""
    [block] = titled(title)
    (folder / "app.py").write_text(block.text)
    shutil.copy(ROOT / "cdk.json", folder)
    for package in ("handlers", "reports") if "reports" in block.text else ("handlers",):
        (folder / package).mkdir()
        (folder / package / "__init__.py").touch()
        shutil.copy(ROOT / "handlers" / "requirements.txt", folder / package)
    for example in titled("handlers/"):
        (folder / example.title).write_text(example.text)
    if (folder / "reports").is_dir():
        (folder / "reports" / "monthly.py").write_text(titled("handlers/")[0].text)
    (folder / ".drumbeat").mkdir()
    (ROOT / ".drumbeat" / "layers").mkdir(parents=True, exist_ok=True)
    (folder / ".drumbeat" / "layers").symlink_to(ROOT / ".drumbeat" / "layers")
    return folder


def _forget(package: str) -> dict[str, object]:
    names = [name for name in sys.modules if name == package or name.startswith(f"{package}.")]
    return {name: sys.modules.pop(name) for name in names}
