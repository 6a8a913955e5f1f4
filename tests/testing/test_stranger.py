"""The wheel in an app of somebody else's, with folders of its own names and none of ours: the one the docs show."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from drumbeat.local.synth import SynthFailed, synthesize
from tests.docs.blocks import ROOT, blocks

PAGE = "docs/how-to/own-app.md"
WITHOUT_OURS = f"import sys\nsys.path[:] = [path for path in sys.path if path != {str(ROOT)!r}]\n"
WHERE = "import drumbeat, importlib.util as u; print(drumbeat.__file__, u.find_spec('stacks'), u.find_spec('handlers'))"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel installed; who has it on PYTHONPATH doesn't see the checkout."""
    wheels, folder = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    pip("wheel", "--no-build-isolation", "--wheel-dir", wheels, ROOT)
    pip("install", "--no-index", "--no-compile", "--target", folder, *wheels.glob("*.whl"))
    (folder / "sitecustomize.py").write_text(WITHOUT_OURS)
    return folder


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("theirs")
    for block in (*blocks("json"), *blocks("python")):
        if block.page == PAGE:
            (folder / block.title).parent.mkdir(exist_ok=True)
            (folder / block.title).write_text(block.text)
    (folder / ".drumbeat").mkdir()
    (folder / ".drumbeat" / "layers").symlink_to(ROOT / ".drumbeat" / "layers")  # so it needs no package index
    return folder


def pip(command: str, *arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "pip", command, "--quiet", "--no-deps", *arguments], check=True)


def python(*arguments: str, site: Path, folder: Path) -> str:
    """Run Python in a folder with the wheel; what it says, if all goes well."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def test_the_plugin_and_the_command_line_work_in_a_strangers_app(site: Path, app: Path) -> None:
    assert f"{site}/drumbeat/__init__.py None None" == python("-c", WHERE, site=site, folder=app).strip()

    assert "2 passed" in python("-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", site=site, folder=app)

    assert "jobs.billing" in python(str(site / "bin" / "drumbeat"), "tasks", site=site, folder=app)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (None, r'no cdk.json with "app": "python3 ..." and no app.py in .*; run in the folder of your app'),
        ('{"context": {}}', "no app.py in "),
        ('{"app": "python3 nowhere/main.py"}', r"the app of cdk.json \(python3 nowhere/main.py\) failed: .*can't open"),
        ('{"app": "python3 -c pass"}', r"\(python3 -c pass\) wrote no cloud assembly; call app.synth\(\) at its end"),
        ('{"app": ', r"cdk.json isn't JSON \(.*\); correct it"),
        ('{"context": []}', "isn't a JSON object with an object as its context"),
    ],
)
def test_an_app_that_cannot_be_synthesized_is_told_in_a_sentence(
    tmp_path: Path, settings: str | None, message: str
) -> None:
    if settings is not None:
        (tmp_path / "cdk.json").write_text(settings)

    with pytest.raises(SynthFailed, match=message):
        synthesize(tmp_path)


APP = """
import json, os, sys
out = os.environ["CDK_OUTDIR"]
os.makedirs(out)
told = {"python": sys.executable, "context": json.loads(os.environ["CDK_CONTEXT_JSON"])}
open(out + "/manifest.json", "w").write(json.dumps(told))
open("times", "a").write("once ")
"""


def test_the_app_is_started_as_the_cdk_does_and_again_when_what_it_is_made_of_has_changed(tmp_path: Path) -> None:
    (tmp_path / "cdk.json").write_text('{"app": "A=1 python infra/main.py", "context": {"both": 1, "set": 2}}')
    (tmp_path / "cdk.context.json").write_text('{"both": 0, "looked-up": 3}')
    for folder in ("infra", "jobs", "theirs"):
        (tmp_path / folder).mkdir()
    (tmp_path / "infra" / "main.py").write_text(APP)
    (tmp_path / "theirs" / "pyvenv.cfg").touch()

    first = synthesize(tmp_path)
    told = json.loads((first / "manifest.json").read_text())
    (tmp_path / "theirs" / "module.py").write_text("a virtual environment is not the app")
    synthesize(tmp_path)
    (tmp_path / "jobs" / "letter.html").write_text("what a task brings along is")
    second = synthesize(tmp_path)

    assert first.is_dir(), "somebody may still be using it"
    assert second == (tmp_path / ".drumbeat" / "cdk.out").resolve()
    assert Path(told["python"]).samefile(sys.executable)
    assert {"both": 1, "set": 2, "looked-up": 3} == told["context"]
    assert "once once " == (tmp_path / "times").read_text()
