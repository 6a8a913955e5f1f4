"""What a cold start costs: seconds of import, modules, bytes of the bundle; drumbeat against what one would write.

    python benchmarks/cold.py            needs benchmarks/requirements.txt; `make bench` installs them
    python benchmarks/cold.py --quick

Each contestant starts in a fresh interpreter, its bytecode compiled, many times in turn; what is measured is the CPU of
the initialisation: importing the handler's module, which makes its first AWS client.  The bundle is what must be
uploaded: everything but the Python and boto3 that Lambda has.
"""

import json
import os
import py_compile
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

from measure import FAKE, ROOT, Figures, bars, keep, machine, options, table

BOTO3 = """
import boto3
sqs = boto3.client("sqs")
dynamodb = boto3.client("dynamodb")
def handler(event, context):
    return None
"""
POWERTOOLS = """
import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function
logger, metrics, tracer = Logger(), Metrics(), Tracer()
processor = BatchProcessor(EventType.SQS)
dynamodb = boto3.client("dynamodb")
store = DynamoDBPersistenceLayer("table", boto3_client=dynamodb)
config = IdempotencyConfig(event_key_jmespath="id")
def handler(event, context):
    return None
"""
TASK = """
from drumbeat import Range, Task
bench = Task("bench")
bench.expand(Range(0, 10))
@bench.work
def work(item, run):
    return None
"""
PROBE = """
import sys, time, json
before, began = set(sys.modules), time.process_time()
import {module}
seconds = time.process_time() - began
found = set(sys.modules) - before
print(json.dumps({{"ms": seconds * 1e3, "modules": len(found)}}))
"""
TREES = ("aws_lambda_powertools", "typing_extensions", "jmespath")
"""What Powertools brings beside boto3."""


def contestants(folder: Path) -> dict[str, tuple[str, list[str]]]:
    """The module of each, and what its bundle has beside it."""
    tracer = [*TREES, "aws_xray_sdk", "wrapt"]
    files = {
        "boto3_handler": BOTO3,
        "powertools_handler": POWERTOOLS,
        "bench_task": TASK,
    }
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
        py_compile.compile(str(folder / f"{name}.py"))
    return {
        "an empty handler": ("json", []),
        "boto3, two clients": ("boto3_handler", []),
        "Powertools, in full": ("powertools_handler", tracer),
        "drumbeat worker": ("drumbeat.runtime.worker", ["drumbeat"]),
        "drumbeat dispatcher": ("drumbeat.runtime.dispatcher", ["drumbeat"]),
    }


def start(module: str, folder: Path) -> Figures:
    """Import a module in a fresh interpreter."""
    environ = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **FAKE,
        "PYTHONPATH": f"{folder}:{ROOT}",
        "DRUMBEAT_TASK": "bench",
        "DRUMBEAT_MODULE": "bench_task",
        "DRUMBEAT_TABLE": "table",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(module=module)], capture_output=True, text=True, check=False, env=environ
    )
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1]}
    found: Figures = json.loads(done.stdout.splitlines()[-1])
    return found


def bundle(names: list[str], folder: Path) -> tuple[int, int]:
    """Bytes of a bundle with these packages, unzipped and zipped; drumbeat's is staged by its own code."""
    if names == ["drumbeat"]:
        return _size(_staged(folder))
    work = folder / "bundle"
    shutil.rmtree(work, ignore_errors=True)
    for name in names:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            continue
        origin = Path(spec.origin)
        if origin.name == "__init__.py":
            shutil.copytree(origin.parent, work / name, dirs_exist_ok=True)
        else:
            work.mkdir(exist_ok=True)
            shutil.copy(origin, work)
    return _size(work) if names else (0, 0)


def _staged(folder: Path) -> Path:
    """The bundle that `drumbeat.cdk` makes of an app with one task."""
    app = folder / "app"
    (app / "handlers").mkdir(parents=True, exist_ok=True)
    for name, text in (("__init__.py", ""), ("requirements.txt", ""), ("bench.py", TASK)):
        (app / "handlers" / name).write_text(text)
    code = f"""
import sys; sys.path.insert(0, {str(app)!r})
from pathlib import Path
from drumbeat.cdk.bundle import stage
from drumbeat.discovery import discover
print(stage(discover("handlers"), cache=Path({str(ROOT / ".drumbeat")!r})))
"""
    python = ROOT / ".venv" / "bin" / "python"  # it has the CDK; the other contestants' environment needn't
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return Path(done.stdout.splitlines()[-1])


def _size(folder: Path) -> tuple[int, int]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    with tempfile.TemporaryFile() as made:
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files:
                archive.write(path, path.relative_to(folder))
        return sum(path.stat().st_size for path in files), made.tell()


def main() -> None:
    """All contestants in turns, a table, a picture."""
    given = options(__doc__)
    rounds = 1 if given.quick else given.rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        several = contestants(folder)
        found: dict[str, list[Figures]] = {each: [] for each in several}
        for number in range(rounds if given.quick else rounds + 1):  # the first compiles
            for each in several if number % 2 else reversed(several):
                found[each].append(start(several[each][0], folder))
        sizes = {}
        for each, (_, packages) in several.items():
            sizes[each] = (0, 0) if given.quick else bundle(packages, folder)
    rows, drawn = [], []
    middle = {each: _middle(turns[1:] or turns) for each, turns in found.items()}
    base = middle["Powertools, in full"]
    for each, ms in middle.items():
        turns = found[each]
        if "error" in turns[-1]:
            rows.append((each, turns[-1]["error"][:60], "", "", "", ""))
            continue
        unzipped, zipped = (f"{size / 1e6:.2f}" if size else "" for size in sizes[each])
        ratio = f"{ms / base:.2f}" if base == base else ""  # noqa: PLR0124  (nan)
        rows.append((each, f"{ms:.0f}", ratio, f"{turns[-1]['modules']:,}", unzipped, zipped))
        drawn.append((each, ms, "ours" if each.startswith("drumbeat") else "theirs"))
    where = machine("boto3", "aws-lambda-powertools", "aws-xray-sdk")
    heads = ("", "ms of CPU", "to Powertools in full", "modules", "bundle MB", "zipped MB")
    text = table(where, heads, rows)
    picture = bars("Milliseconds of initialisation", "fresh interpreters, bytecode compiled", drawn, log=False)
    keep(given, "cold", {"machine": where, "measures": found, "bundles": sizes}, text, picture)


def _middle(turns: list[Figures]) -> float:
    values = [found["ms"] for found in turns if "ms" in found]
    return statistics.median(values) if values else float("nan")


if __name__ == "__main__":
    main()
