"""Synthesize the app as the CDK's own command does, if its sources have changed since the last time."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import drumbeat

from .errors import LocalError

ACCOUNT, REGION = "123456789012", "us-east-1"  # moto's account
_HASHED = {".py", ".json", ".toml", ".txt", ".in"}
_NOT_THE_APP = {"cdk.out", "node_modules", "out", "tests", "docs", "inputs", "benchmarks", "dist", "build"}


class SynthFailed(LocalError):
    """The app can't be synthesized."""


def synthesize(app: Path) -> Path:
    """Return the folder with the app's cloud assembly, `.drumbeat/cdk.out`, made again only if it is out of date."""
    assembly, stamp = app / ".drumbeat" / "cdk.out", app / ".drumbeat" / "cdk.out.key"
    if not (app / "app.py").is_file():
        raise SynthFailed(f"no app.py in {app}; run in the folder of your app, or name it with --app")
    assembly.parent.mkdir(exist_ok=True)
    with (app / ".drumbeat" / "cdk.out.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one process synthesizes, those beside it find it done
        now = key(app)
        if not (assembly.is_dir() and stamp.is_file() and stamp.read_text() == now):
            _require_node()
            stamp.unlink(missing_ok=True)
            shutil.rmtree(assembly, ignore_errors=True)
            _run(app, assembly)
            stamp.write_text(now)
    return assembly


def _require_node() -> None:
    if shutil.which("node") is None:
        raise SynthFailed("node isn't on the PATH, and the AWS CDK needs it; install Node.js 22 (20 will do)")


def _run(app: Path, assembly: Path) -> None:
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=app,
        env=_environment(app, assembly),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit status {done.returncode}"]
        raise SynthFailed(f"app.py failed: {lines[-1].strip()}") from RuntimeError(done.stderr)
    if not (assembly / "manifest.json").is_file():
        raise SynthFailed("app.py wrote no cloud assembly; call app.synth() at its end")


def _environment(app: Path, assembly: Path) -> dict[str, str]:
    """What `cdk synth` would set, without its validation: that takes seconds, and CI does it."""
    paths = [str(Path(drumbeat.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "CDK_OUTDIR": str(assembly.resolve()),
        "CDK_CONTEXT_JSON": json.dumps(_context(app / "cdk.json")),
        "CDK_DEFAULT_ACCOUNT": ACCOUNT,
        "CDK_DEFAULT_REGION": REGION,
        "CDK_VALIDATION": "false",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }


def _context(settings: Path) -> dict[str, object]:
    if not settings.is_file():
        return {}
    try:
        found: dict[str, object] = json.loads(settings.read_text()).get("context", {})
    except (AttributeError, ValueError) as error:
        raise SynthFailed(f"{settings} isn't a JSON object ({error}); correct it, or take `cdk init`'s") from None
    return found


def key(app: Path) -> str:
    """A hash of everything that the template and the bundle are made from."""
    digest = hashlib.sha256(f"{sys.version} {app.resolve()}".encode())
    for path in _sources(app):
        digest.update(f"{path}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources(app: Path) -> Iterator[Path]:
    own = (path for path in app.iterdir() if path.name not in _NOT_THE_APP and not path.name.startswith("."))
    for top in sorted((*own, Path(drumbeat.__file__).parent)):
        found = sorted(top.rglob("*")) if top.is_dir() else [top]
        yield from (path for path in found if path.suffix in _HASHED and path.is_file())
