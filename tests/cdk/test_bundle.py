import hashlib
import os
import subprocess
import sys
import zipfile

import pytest

from drumbeat.cdk import Target, requirements, stage
from drumbeat.cdk.errors import HandlersMissing, RequirementsInvalid, RequirementsUnavailable, UnsupportedTarget
from tests.cdk.sample import make
from tests.cdk.wheels import make_wheel, wheel_of_installed

TASKS = {"a": make("a")}


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
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(str(path.relative_to(folder)), hashlib.sha256(path.read_bytes()).hexdigest()) for path in found]


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


def test_the_same_input_is_the_same_bytes(staged):
    assert digest(staged("one")) == digest(staged("two"))


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
