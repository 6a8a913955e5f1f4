"""The code of the app's functions: one asset, staged by plain pip, the same bytes for the same input."""

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from aws_cdk import aws_lambda as lambda_

import drumbeat
from drumbeat.task import Task

from . import requirements, sbom
from .compiled import compile_folder, make_alike
from .errors import BundleTooLarge, HandlersMissing
from .layer import layer, leave_out, move_into_place
from .target import Target

_FORMAT = 2
_ROOMS = ("control", "ledger", "runtime")
_LIMIT_BYTES = 250 * 1024 * 1024  # unzipped: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_KEPT = 5
CACHE = Path(".drumbeat")


def bundle_code(
    tasks: Mapping[str, Task], *, handlers: str = "handlers", target: Target | None = None, cache: Path = CACHE
) -> lambda_.Code:
    """Return the code for `DrumbeatStack`; see `stage`."""
    return lambda_.Code.from_asset(str(stage(tasks, handlers=handlers, target=target, cache=cache)))


def stage(
    tasks: Mapping[str, Task], *, handlers: str = "handlers", target: Target | None = None, cache: Path = CACHE
) -> Path:
    """Return a folder with what runs in Lambda: drumbeat's core, ledger and runtime, the handlers, their requirements.

    The app's requirements are read from `requirements.txt` in the package of handlers.  Everything is kept under
    `cache`: only new requirements need a package index.  What the bundle holds is written down beside it, in
    `sboms/BUNDLE.cdx.json`.
    """
    target = target or Target()
    package = _folder_of(handlers)
    app_lines = requirements.of_app(package / "requirements.txt")
    lines = requirements.merge(requirements.own(tasks.values()), app_lines)
    slim = "pydantic" not in lines and "aws-lambda-powertools" not in app_lines
    third_party = layer(lines, target=target, cache=cache, slim=slim)
    sources = dict(_sources(package, Path(*handlers.split("."))))

    folder = cache / "bundles" / _key(third_party.name, target, sources)
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as work:
            fresh = Path(work) / "bundle"
            for name, source in sources.items():
                (fresh / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, fresh / name)
            compile_folder(fresh, target=target)
            shutil.copytree(third_party, fresh, dirs_exist_ok=True)
            if slim:
                leave_out(fresh)  # a layer that is kept since an earlier release has more
            make_alike(fresh)
            _check_size(fresh)
            move_into_place(fresh, folder)
    _write_down(folder, lines, handlers)
    os.utime(folder)
    _forget_old(folder.parent)
    return folder


def sbom_of(bundle: Path) -> Path:
    """Where a bundle's bill of materials is."""
    return bundle.parents[1] / "sboms" / f"{bundle.name}.cdx.json"


def _write_down(bundle: Path, lines: Mapping[str, str], handlers: str) -> None:
    path = sbom_of(bundle)
    if path.exists():
        return
    path.parent.mkdir(exist_ok=True)
    try:
        version = metadata.version("drumbeat")
    except metadata.PackageNotFoundError:
        version = "0"  # a checkout that isn't installed
    path.write_text(sbom.text(sbom.document(bundle, lines, handlers=handlers, version=version)), "utf-8")


def _folder_of(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise HandlersMissing(f"no package {package!r} here; run in the folder that holds {package}/")
    return Path(next(iter(found.submodule_search_locations)))


def _sources(package: Path, destination: Path) -> Iterator[tuple[Path, Path]]:
    core = Path(drumbeat.__file__).parent
    for path in sorted(core.glob("*.py")):
        yield Path("drumbeat") / path.name, path
    for room in _ROOMS:
        for path in sorted((core / room).rglob("*.py")):
            yield Path("drumbeat") / path.relative_to(core), path
    for path in sorted(package.rglob("*")):
        inside = path.relative_to(package)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in inside.parts)
        if path.is_file() and not hidden and not inside.match("requirements.*"):
            yield destination / inside, path


def _key(third_party: str, target: Target, sources: Mapping[Path, Path]) -> str:
    digest = hashlib.sha256(repr((_FORMAT, third_party, target)).encode())
    for name, source in sources.items():
        digest.update(f"\0{name}\0{source.stat().st_size}\0".encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:32]


def _check_size(folder: Path) -> None:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if size > _LIMIT_BYTES:
        raise BundleTooLarge(
            f"the bundle has {size:,} bytes, Lambda takes {_LIMIT_BYTES:,} unzipped; the handlers' requirements and "
            "data files are the part you can make smaller"
        )


def _forget_old(folder: Path) -> None:
    newest_first = sorted(folder.iterdir(), key=lambda bundle: bundle.stat().st_mtime, reverse=True)
    for bundle in newest_first[_KEPT:]:
        shutil.rmtree(bundle, ignore_errors=True)
        sbom_of(bundle).unlink(missing_ok=True)
