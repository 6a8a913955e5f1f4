"""Synthesize the app as the CDK's own command does, if its sources have changed since the last time."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import drumbeat

from .errors import LocalError
from .fingerprint import key

__all__ = ["ACCOUNT", "REGION", "SynthFailed", "key", "synthesize"]
ACCOUNT, REGION = "123456789012", "us-east-1"  # moto's account
_KEPT = 4


class SynthFailed(LocalError):
    """The app can't be synthesized."""


def synthesize(app: Path) -> Path:
    """Return the folder with the app's cloud assembly, made again only if what the app is made of has changed.

    The app is what `app` in its cdk.json starts, from that folder, as `cdk synth` would; without a cdk.json, app.py.
    Each state of the sources has a folder of its own, so that who still uses another keeps it; the newest is also
    called `.drumbeat/cdk.out`.
    """
    named, command = _command(app)
    home = app / ".drumbeat"
    home.mkdir(exist_ok=True)
    with (home / "cdk.out.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one process synthesizes, those beside it find it done
        assembly = home / f"cdk.out-{key(app)[:16]}"
        if not assembly.is_dir():
            _require_node()
            with tempfile.TemporaryDirectory(prefix="cdk.new-", dir=home) as work:
                _run(named, command, app, Path(work) / "cdk.out")
                (Path(work) / "cdk.out").rename(assembly)
        os.utime(assembly)
        _call_newest(home / "cdk.out", assembly)
        _forget_old(home)
    return assembly


def _call_newest(name: Path, assembly: Path) -> None:
    if name.is_symlink():
        name.unlink()
    else:
        shutil.rmtree(name, ignore_errors=True)
    name.symlink_to(assembly.name)


def _forget_old(home: Path) -> None:
    newest_first = sorted(home.glob("cdk.out-*"), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in newest_first[_KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


def _command(app: Path) -> tuple[str, str]:
    """What errors call it, and what the shell is told: `python` and `python3` are the interpreter that runs us."""
    command = _read(app / "cdk.json").get("app")
    if isinstance(command, str) and command.strip():
        return f"the app of cdk.json ({command})", command
    if (app / "app.py").is_file():
        return "app.py", "python3 app.py"
    raise SynthFailed(
        f'no cdk.json with "app": "python3 ..." and no app.py in {app}; run in the folder of your app, or name it '
        "with --app (pytest: with the setting drumbeat_app)"
    )


def _require_node() -> None:
    if shutil.which("node") is None:
        raise SynthFailed("node isn't on the PATH, and the AWS CDK needs it; install Node.js 22 (20 will do)")


def _run(named: str, command: str, app: Path, assembly: Path) -> None:
    done = subprocess.run(  # noqa: S602  (cdk.json is the app's own, and `cdk synth` gives it to the shell)
        command,
        shell=True,
        cwd=app,
        env=_environment(app, assembly),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit status {done.returncode}"]
        raise SynthFailed(f"{named} failed: {lines[-1].strip()}") from RuntimeError(done.stderr)
    if not (assembly / "manifest.json").is_file():
        raise SynthFailed(
            f"{named} wrote no cloud assembly; call app.synth() at its end, and give App() no outdir of its own"
        )


def _environment(app: Path, assembly: Path) -> dict[str, str]:
    """What `cdk synth` would set, without its validation: that takes seconds, and CI does it."""
    ours = Path(drumbeat.__file__).parents[1]
    modules = [str(ours), os.environ.get("PYTHONPATH", "")]
    programs = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    return {
        **os.environ,
        **({"VIRTUAL_ENV": sys.prefix} if sys.prefix != sys.base_prefix else {}),
        "CDK_OUTDIR": str(assembly.resolve()),
        "CDK_CONTEXT_JSON": json.dumps(_context(app)),
        "CDK_DEFAULT_ACCOUNT": ACCOUNT,
        "CDK_DEFAULT_REGION": REGION,
        "CDK_VALIDATION": "false",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        "PATH": os.pathsep.join(filter(None, programs)),
        "PYTHONPATH": os.pathsep.join(filter(None, modules)),
    }


def _context(app: Path) -> dict[str, Any]:
    """What was looked up, and what is set: that goes first."""
    return {**_read(app / "cdk.context.json"), **_read(app / "cdk.json").get("context", {})}


def _read(settings: Path) -> dict[str, Any]:
    if not settings.is_file():
        return {}
    try:
        found = json.loads(settings.read_text("utf-8"))
    except ValueError as error:
        raise SynthFailed(f"{settings} isn't JSON ({error}); correct it, or take `cdk init`'s") from None
    if not isinstance(found, dict) or not isinstance(found.get("context", {}), dict):
        raise SynthFailed(f"{settings} isn't a JSON object with an object as its context; take `cdk init`'s")
    return found
