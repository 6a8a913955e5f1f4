"""Apps in temporary folders, and the command line run on them."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import aws_lambda_powertools
import pytest
import typing_extensions
from typer.testing import CliRunner, Result

import drumbeat
from drumbeat.cli.app import app as commands

TICKER = """
    from drumbeat import Cron, Range, Task

    ticker = Task("ticker", schedule=Cron("0 * * * ? *"), chunk_size=4)
    ticker.expand(Range(0, 10))

    @ticker.work
    def double(number, run):
        return 2 * number

    @ticker.complete
    def publish(run, results):
        import boto3
        text = ",".join(map(str, results))
        boto3.client("s3").put_object(Bucket=run.bucket, Key=f"{run.prefix}/doubled.txt", Body=text.encode())
"""
READER = """
    from drumbeat import Backoff, Cron, S3Lines, Task

    reader = Task(
        "reader",
        schedule=Cron("30 1 * * ? *", timezone="Europe/Berlin"),
        retries=1,
        backoff=Backoff(first_s=1, cap_s=1),
    )
    reader.expand(S3Lines("inputs/lines.jsonl"))

    @reader.work
    async def read(line, run):
        if line["bad"]:
            raise ValueError("this line [bold] is bad")
"""
APP = """
    from aws_cdk import App
    from aws_cdk import aws_lambda as lambda_

    from drumbeat.discovery import discover
    from stacks.drumbeat_stack import DrumbeatStack

    app = App()
    DrumbeatStack(app, "Tiny", tasks=discover(), code=lambda_.Code.from_asset("code"))
    app.synth()
"""


@dataclass
class Folder:
    """An app under test."""

    path: Path

    def write(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(dedent(text))

    def run(self, *arguments: str) -> Result:
        """Call `drumbeat --app FOLDER ...` as from a shell, with handlers imported anew."""
        path = list(sys.path)
        for name in [name for name in sys.modules if name.partition(".")[0] == "handlers"]:
            del sys.modules[name]
        try:
            return CliRunner().invoke(commands, ["--app", str(self.path), *arguments], catch_exceptions=False)
        finally:
            sys.path[:] = path
            for name in [name for name in sys.modules if name.partition(".")[0] == "handlers"]:
                del sys.modules[name]


@pytest.fixture
def app(tmp_path: Path) -> Folder:
    """A folder with two tasks, that is never synthesized."""
    return _tiny(tmp_path)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    """The same, ready to synthesize: its code is copied instead of bundled, so nothing is installed."""
    folder = _tiny(tmp_path_factory.mktemp("tiny"))
    folder.write("app.py", APP)
    folder.write("inputs/lines.jsonl", '{"bad": false}\n{"bad": true}\n{"bad": false}\n')
    core, code = Path(drumbeat.__file__).parent, folder.path / "code"
    for room in (".", "ledger", "runtime"):
        (code / "drumbeat" / room).mkdir(parents=True, exist_ok=True)
        for source in (core / room).glob("*.py"):
            shutil.copy(source, code / "drumbeat" / room)
    shutil.copytree(
        Path(aws_lambda_powertools.__file__).parent,
        code / "aws_lambda_powertools",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copy(typing_extensions.__file__, code)
    shutil.copytree(folder.path / "handlers", code / "handlers")
    return folder


def _tiny(path: Path) -> Folder:
    folder = Folder(path)
    folder.write("handlers/__init__.py", "")
    folder.write("handlers/ticker.py", TICKER)
    folder.write("handlers/reader.py", READER)
    return folder
