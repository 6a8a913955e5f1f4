"""The bundle's third-party code: fetched by pip once for each set of pins and target, then kept."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .compiled import compile_folder
from .errors import RequirementsUnavailable
from .target import Target

_FORMAT = 2  # count up when what is kept of a wheel changes
_KEPT_METADATA = ("METADATA", "entry_points.txt", "top_level.txt", "licenses", "LICENSE", "LICENSE.txt")
_NOT_NEEDED = (
    # Powertools' HTTP router, what works only with packages that it doesn't install, and its classes for events, which
    # no task sees: two thirds of it.
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/utilities/auth_alpha",
    "aws_lambda_powertools/utilities/batch",
    "aws_lambda_powertools/utilities/data_classes",
    "aws_lambda_powertools/utilities/data_masking",
    "aws_lambda_powertools/utilities/kafka",
    "aws_lambda_powertools/utilities/parser",
)


def layer(lines: Mapping[str, str], *, target: Target, cache: Path, slim: bool = True) -> Path:
    """Return the folder that holds these requirements, installed for the target; asks pip only the first time.

    slim: leave out the parts of Powertools that drumbeat has no use for; not for an app that pins Powertools itself,
    or pydantic.
    Raises RequirementsUnavailable, naming the requirement, where pip can't have it.
    """
    key = hashlib.sha256(repr((_FORMAT, slim, target, sys.version_info[:2], sorted(lines.items()))).encode())
    folder = cache / "layers" / key.hexdigest()[:32]
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as work:
            fresh = Path(work) / "layer"
            _install(lines, target, fresh)
            _strip(fresh, slim=slim)
            compile_folder(fresh, target=target)
            move_into_place(fresh, folder)
    return folder


def move_into_place(fresh: Path, folder: Path) -> None:
    """Give a finished folder its name, in one step; another process may have been faster, with the same content."""
    try:
        fresh.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


def _install(lines: Mapping[str, str], target: Target, folder: Path) -> None:
    folder.mkdir()
    if not lines:
        return
    listed = folder.with_suffix(".txt")
    listed.write_text("\n".join(lines.values()) + "\n", "utf-8")
    platforms = [f"--platform={platform}" for platform in target.platforms]
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--no-color", "--no-input", "--disable-pip-version-check",
        "--no-compile", "--no-deps", "--require-hashes", "--only-binary=:all:", "--implementation=cp",
        f"--python-version={target.python}", *platforms, f"--target={folder}", f"--requirement={listed}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RequirementsUnavailable(_explain(done.stderr, lines, target))


def _explain(said: str, lines: Mapping[str, str], target: Target) -> str:
    named = [line.partition(" ")[0] for line in lines.values()]
    blamed = next((name for name in named if name in said), ", ".join(named))
    errors = [line for line in said.splitlines() if line.startswith("ERROR")] or said.splitlines()[-1:]
    return (
        f"pip couldn't fetch {blamed} for Python {target.python} on {target.architecture}: {' '.join(errors)}\n"
        "The first synth with new requirements needs pip and a package index, later ones don't: try again with a "
        "connection, or point pip at a folder of wheels (PIP_FIND_LINKS). A package without a wheel for this target "
        "can't be bundled."
    )


def leave_out(folder: Path) -> None:
    """Take away the parts of Powertools that drumbeat has no use for."""
    for name in _NOT_NEEDED:
        shutil.rmtree(folder / name, ignore_errors=True)


def _strip(folder: Path, *, slim: bool) -> None:
    if slim:
        leave_out(folder)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and (path.name in ("__pycache__", "tests") or path == folder / "bin"):
            shutil.rmtree(path)
        elif path.parent.suffix == ".dist-info" and path.name not in _KEPT_METADATA:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
