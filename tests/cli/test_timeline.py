"""`drumbeat local --timeline --log`: the same seed gives the same bytes, in another process too."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

FROM, TO = "2026-11-22T00:00:00Z", "2026-11-22T00:10:00Z"


def written(folder: Path, log: str, run: Callable[..., None], **settings: str) -> list[bytes]:
    """The bytes of the picture and the log that a command has written."""
    files = (folder / "line.svg", folder / log)
    run(
        *("local", "--from", FROM, "--to", TO, "--timeline", str(files[0]), "--log", str(files[1])),
        *(part for name, value in settings.items() for part in (f"--{name}", value)),
    )
    return [file.read_bytes() for file in files]


def in_a_process(tiny, hash_seed):
    """A command that runs in a process of its own."""

    def run(*arguments: str) -> None:
        code = "import sys; from drumbeat.cli.app import app; app(sys.argv[1:])"
        done = subprocess.run(
            [sys.executable, "-c", code, "--app", str(tiny.path), *arguments],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            check=False,
            capture_output=True,
            text=True,
        )
        assert 0 == done.returncode, done.stderr

    return run


def here(tiny):
    """A command that runs in this process."""

    def run(*arguments: str) -> None:
        assert 0 == tiny.run(*arguments).exit_code

    return run


def test_two_processes_write_the_same_bytes_and_another_seed_others(tiny, tmp_path):
    picture, log = written(tmp_path, "log.jsonl", in_a_process(tiny, "1"), seed="7")

    assert [picture, log] == written(tmp_path, "log.jsonl", in_a_process(tiny, "2"), seed="7")
    assert log != written(tmp_path, "log.jsonl", here(tiny), seed="8")[1]
    assert "fire" == json.loads(log.splitlines()[0])["kind"]
    assert ET.fromstring(picture) is not None


def test_a_log_to_read_is_the_same_again(tiny, tmp_path):
    first, second = (written(tmp_path, "log.txt", here(tiny), seed="7")[1] for _ in range(2))

    assert first == second
    assert b"invoke.end" in first


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("--timeline", "day.png"), "end its name in .svg"),
        (("--log", "day.csv"), "end its name in .jsonl or .txt"),
        (("--log", "nowhere/day.txt"), "there is no folder nowhere; make it first"),
    ],
)
def test_a_file_that_cant_be_written_is_refused_before_anything_runs(app, arguments, remedy):
    done = app.run("local", "--from", FROM, "--to", TO, *arguments)

    assert 2 == done.exit_code
    assert remedy in " ".join(done.stderr.split())
