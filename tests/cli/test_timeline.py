"""`drumbeat local --timeline --log`: the same seed gives the same bytes, in another process too."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

FROM, TO = "2026-11-22T00:00:00Z", "2026-11-22T00:10:00Z"


def in_a_process(tiny, folder, seed, hash_seed):
    """The bytes of a log, a readable log and a picture that a process of its own has written."""
    code = "import sys; from drumbeat.cli.app import app; app(sys.argv[1:])"
    found = []
    for log in ("log.jsonl", "log.txt"):
        files = (folder / "line.svg", folder / log)
        done = subprocess.run(
            [
                *(sys.executable, "-c", code, "--app", str(tiny.path), "local", "--from", FROM, "--to", TO),
                *("--seed", seed, "--timeline", str(files[0]), "--log", str(files[1])),
            ],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            check=False,
            capture_output=True,
            text=True,
        )
        assert 0 == done.returncode, done.stderr
        found += [file.read_bytes() for file in files]
    return found


def test_two_processes_write_the_same_bytes_and_another_seed_others(tiny, tmp_path):
    first = in_a_process(tiny, tmp_path, "7", "1")

    assert first == in_a_process(tiny, tmp_path, "7", "2")
    assert first[1] != in_a_process(tiny, tmp_path, "8", "1")[1]
    assert "fire" == json.loads(first[1].splitlines()[0])["kind"]
    assert ET.fromstring(first[0]) is not None
    assert b"invoke.end" in first[3]


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
