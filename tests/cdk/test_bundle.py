import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from drumbeat import Cron
from drumbeat.cdk import Target, requirements, sbom, stage
from drumbeat.cdk.bundle import sbom_of
from drumbeat.cdk.errors import HandlersMissing, RequirementsInvalid, RequirementsUnavailable, UnsupportedTarget
from tests.cdk.sample import make
from tests.cdk.wheels import make_wheel, wheel_of_installed

TASKS = {"a": make("a")}
ROOT = Path(__file__).parents[2]
OWN_PINS = [f"drumbeat/cdk/pins/{name}.txt" for name in ("base", "timezones", "tracing")]


def offer(folder, monkeypatch):
    """Let a folder of wheels be all that pip can reach, with what drumbeat itself needs."""
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    own = make_wheel(folder, "aws-lambda-powertools", "3.0", {"aws_lambda_powertools/__init__.py": ""})
    monkeypatch.setattr(requirements, "own", lambda _tasks: {"aws-lambda-powertools": own})
    return folder


def write_handlers(folder, monkeypatch):
    """Make a package of handlers with one module."""
    package = folder / "staged_handlers"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "a.py").write_text("from drumbeat import Task\n\na = Task('a')\n")
    monkeypatch.syspath_prepend(str(folder))
    return package


@pytest.fixture
def index(tmp_path, monkeypatch):
    return offer(tmp_path / "wheels", monkeypatch)


@pytest.fixture
def handlers(tmp_path, monkeypatch):
    return write_handlers(tmp_path / "app", monkeypatch)


@pytest.fixture
def staged(tmp_path, index, handlers):
    """A function that stages the app, in a cache by name."""
    assert index.exists()
    return lambda cache="cache", **target: stage(
        TASKS, handlers=handlers.name, cache=tmp_path / cache, target=Target(**target)
    )


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The app, staged once, for tests that only look."""
    folder = tmp_path_factory.mktemp("once")
    with pytest.MonkeyPatch.context() as monkeypatch:
        offer(folder / "wheels", monkeypatch)
        package = write_handlers(folder / "app", monkeypatch)
        return stage(TASKS, handlers=package.name, cache=folder / "cache")


def digest(folder):
    """Of every file: its name, mode, time and contents."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return [
        (str(path.relative_to(folder)), path.stat().st_mode, path.stat().st_mtime, sha256(path.read_bytes()))
        for path in found
    ]


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def test_the_bundle_has_core_control_ledger_runtime_and_handlers_and_no_other_room(bundle):
    assert {"control", "ledger", "runtime"} == {
        path.name for path in (bundle / "drumbeat").iterdir() if path.is_dir() and path.name != "__pycache__"
    }
    assert (bundle / "drumbeat" / "task.py").exists()
    assert (bundle / "staged_handlers" / "a.py").exists()
    assert (bundle / "aws_lambda_powertools" / "__init__.py").exists()


def test_the_bundle_imports_on_its_own(bundle):
    code = f"import sys; sys.path.insert(0, {str(bundle)!r}); from staged_handlers.a import a; print(a)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("Task(name='a'")


def test_bytecode_is_never_checked_against_its_source(bundle):
    compiled = list(bundle.rglob("*.pyc"))

    assert compiled
    assert {b"\x01\x00\x00\x00"} == {path.read_bytes()[4:8] for path in compiled}


def test_another_python_gets_no_bytecode(staged):
    other = "3.13" if sys.version_info[:2] != (3, 13) else "3.12"

    assert [] == list(staged(python=other).rglob("*.pyc"))


def test_the_same_input_is_the_same_bytes_wherever_whenever_and_under_whatever_umask(staged, handlers, index):
    line = make_wheel(index, "thing", "1.0", {"thing/__init__.py": "", "thing/data.txt": "1"})
    (handlers / "requirements.txt").write_text(line)
    one = staged("one")
    for path in handlers.iterdir():
        os.utime(path, (1, 1))
        path.chmod(0o600)
    before = os.umask(0o077)
    try:
        two = staged("deep/down/two")
    finally:
        os.umask(before)

    assert digest(one) == digest(two)
    assert {0o100644} == {mode for _, mode, _, _ in digest(two)}
    assert sbom_of(one).read_bytes() == sbom_of(two).read_bytes()


def test_what_a_bundle_holds_is_written_down_beside_it(staged, handlers, index):
    line = make_wheel(index, "thing", "1.0", {"thing/__init__.py": ""})
    (handlers / "requirements.txt").write_text(line)
    written = json.loads(sbom_of(staged()).read_text())

    names = {component["name"]: component["version"] for component in written["components"]}
    assert {"aws-lambda-powertools": "3.0", "thing": "1.0"} == {k: v for k, v in names.items() if k != "drumbeat"}
    [thing] = [component for component in written["components"] if component["name"] == "thing"]
    [page] = thing["externalReferences"]
    assert ("pkg:pypi/thing@1.0", line.rpartition(":")[2]) == (thing["purl"], page["hashes"][0]["content"])
    assert {"drumbeat", *(c["bom-ref"] for c in written["components"])} == set(written["dependencies"][0]["dependsOn"])
    assert [] == [error.message for error in cyclonedx().iter_errors(written)]
    broken = {**written, "components": [{"name": "thing"}]}
    assert [] != list(cyclonedx().iter_errors(broken))


def cyclonedx():
    """The schema of CycloneDX, as its own library brings it."""
    schemas = files("cyclonedx.schema") / "_res"
    known = [
        (name, Resource.from_contents(json.loads((schemas / found).read_text()), default_specification=DRAFT7))
        for found, name in (
            ("spdx.SNAPSHOT.schema.json", "http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json"),
            ("jsf-0.82.SNAPSHOT.schema.json", "http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json"),
        )
    ]
    schema = json.loads((schemas / f"bom-{sbom.SPEC}.SNAPSHOT.schema.json").read_text())
    return Draft7Validator(schema, registry=Registry().with_resources(known))


def test_a_bundle_has_a_handful_of_packages_and_each_is_pinned_by_hash():
    everything = [make("a", tracing=True, schedule=Cron("0 0 * * ? *", timezone="Asia/Tokyo"))]
    of_app = requirements.of_app(ROOT / "handlers" / "requirements.txt")

    assert {"aws-lambda-powertools", "typing-extensions", "aws-xray-sdk", "wrapt", "tzdata"} == set(
        requirements.own(everything)
    )
    assert {"airportsdata", "astral", "tzdata"} == set(of_app)


@pytest.mark.parametrize("lock", ["requirements.txt", "handlers/requirements.txt", *OWN_PINS])
def test_every_package_of_a_lock_is_pinned_with_a_hash(lock):
    packages = [line for line in (ROOT / lock).read_text().splitlines() if line and not line.startswith((" ", "#"))]
    text = (ROOT / lock).read_text()

    assert packages
    assert [] == [line for line in packages if not re.match(r"[A-Za-z0-9._-]+==[^ ]+", line)]
    assert len(packages) == len(
        re.findall(r"^[A-Za-z0-9][^\n]* \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    )


def test_the_cdk_command_line_is_locked_by_hash():
    lock = json.loads((ROOT / "package-lock.json").read_text())
    packages = {name: found for name, found in lock["packages"].items() if name}

    assert packages
    assert all(found["integrity"].startswith("sha512-") for found in packages.values())


def test_pip_is_asked_once_for_the_same_requirements(staged, handlers, monkeypatch):
    staged()
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    (handlers / "b.py").write_text("")

    assert (staged() / "staged_handlers" / "b.py").exists()


def test_a_requirement_that_pip_cannot_fetch_is_named_with_the_remedy(staged, handlers):
    (handlers / "requirements.txt").write_text("absent==1.0 --hash=sha256:" + 64 * "0" + "\n")

    with pytest.raises(RequirementsUnavailable, match=r"absent==1\.0 for Python (?s:.)*PIP_FIND_LINKS"):
        staged()


def test_a_requirement_whose_bytes_differ_is_refused(staged, handlers, index):
    line = make_wheel(index, "thing", "1.0", {"thing.py": ""})
    (handlers / "requirements.txt").write_text(line[:-4] + "beef\n")

    with pytest.raises(RequirementsUnavailable, match="thing"):
        staged()


def test_the_app_s_requirements_are_bundled_without_tests_and_records(staged, handlers, index):
    line = make_wheel(index, "thing", "1.0", {"thing/__init__.py": "", "thing/tests/test_it.py": ""})
    (handlers / "requirements.txt").write_text(f"# ours\n{line}\nboto3==1.0 --hash=sha256:00\n")
    folder = staged()

    assert (folder / "thing" / "__init__.py").exists()
    assert not (folder / "thing" / "tests").exists()
    assert ["METADATA"] == [path.name for path in (folder / "thing-1.0.dist-info").iterdir()]
    assert not (folder / "staged_handlers" / "requirements.txt").exists()


def test_the_app_s_pin_wins_over_drumbeat_s(staged, handlers, index):
    newer = make_wheel(index, "aws-lambda-powertools", "4.0", {"aws_lambda_powertools/event_handler/x.py": ""})
    (handlers / "requirements.txt").write_text(newer)

    assert (staged() / "aws_lambda_powertools" / "event_handler" / "x.py").exists()


@pytest.mark.parametrize("line", ["thing", "thing>=1", "thing==1.0", "-r other.txt"])
def test_a_requirement_without_pin_and_hash_is_refused(line):
    with pytest.raises(RequirementsInvalid, match="pip-compile --generate-hashes"):
        requirements.parse(line, origin="requirements.txt")


def test_tracing_and_time_zones_are_bundled_for_tasks_that_need_them():
    from drumbeat import Cron  # noqa: PLC0415

    plain = requirements.own([make("a")])
    traced = requirements.own([make("a", tracing=True)])
    zoned = requirements.own([make("a", schedule=Cron("0 0 * * ? *", timezone="Asia/Tokyo"))])

    assert {"aws-lambda-powertools", "typing-extensions"} == set(plain)
    assert {"aws-xray-sdk", "wrapt"} == traced.keys() - plain.keys()
    assert {"tzdata"} == zoned.keys() - plain.keys()


def test_drumbeat_s_own_part_stays_small(tmp_path, handlers, index, monkeypatch):
    lines = {name: wheel_of_installed(index, name) for name in ("aws-lambda-powertools", "typing-extensions")}
    (index / "aws_lambda_powertools-3.0-py3-none-any.whl").unlink()
    monkeypatch.setattr(requirements, "own", lambda _tasks: lines)
    folder = stage(TASKS, handlers=handlers.name, cache=tmp_path / "cache")
    zipped = tmp_path / "bundle.zip"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))

    assert zipped.stat().st_size <= 1_500_000, f"{zipped.stat().st_size:,} bytes"


def test_a_package_of_handlers_that_is_not_there_is_named(tmp_path):
    with pytest.raises(HandlersMissing, match="'nowhere'"):
        stage(TASKS, handlers="nowhere", cache=tmp_path)


def test_an_old_glibc_gets_old_wheels():
    assert "manylinux_2_26_aarch64" == Target(python="3.11").platforms[0]
    assert "manylinux_2_34_x86_64" == Target(python="3.12", architecture="x86_64").platforms[0]


@pytest.mark.parametrize("wrong", [{"python": "3.9"}, {"architecture": "riscv"}])
def test_a_target_that_lambda_lacks_is_refused(wrong):
    with pytest.raises(UnsupportedTarget, match=r"3\.11, 3\.12|arm64 or x86_64"):
        Target(**wrong)
