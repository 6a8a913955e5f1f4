"""Arguments and options that several commands have."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from .edge import Refused

Run = Annotated[str, typer.Argument(metavar="RUN", help="TASK/TIME or TASK/TIME/NAME, or TASK/latest.")]
Task = Annotated[str, typer.Argument(metavar="TASK", help="The name of a task.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output, and nothing else.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A parameter; VALUE is JSON if it can be read so, else text."),
]
ErrorFilter = Annotated[
    str, typer.Option("--error", metavar="REGEX", help="Only items whose error this regular expression is found in.")
]
TIME = "ISO 8601 with a zone, such as 2026-11-22T00:00:00Z"


def read_settings(settings: list[str] | None) -> dict[str, Any]:
    """Read `--set` options: tenant=42 is a number, tenant=x a text, tenant='"42"' a text as well."""
    found: dict[str, Any] = {}
    for setting in settings or ():
        key, equals, value = setting.partition("=")
        if not equals or not key.strip():
            raise Refused(f"--set {setting!r} is no KEY=VALUE; write it like --set tenant=42")
        if key in found:
            raise Refused(f"--set {key} is given twice; leave one out")
        found[key] = _value(value)
    return found


def read_items(path: Path) -> Iterator[Any]:
    """Read items from a file of JSON Lines, one after the other."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _item(line, f"--items {path}, line {number}")
    except OSError as error:
        raise Refused(f"--items {path} can't be read ({error.strerror}); name a file of JSON Lines") from None
    except UnicodeDecodeError:
        raise Refused(f"--items {path} isn't UTF-8 text; name a file of JSON Lines") from None


def _item(line: str, where: str) -> Any:
    try:
        return json.loads(line, parse_constant=_no_number)
    except ValueError as error:
        raise Refused(f'{where} isn\'t JSON ({error}); write one item a line, such as {{"id": 1}}') from None


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except ValueError:
        return text


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no JSON number")
