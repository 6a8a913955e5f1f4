"""Each command in the docs exists, with these options."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from drumbeat.cli.app import app

from .blocks import PAGES, ROOT, blocks, first_cells, section

COMMANDS: Any = typer.main.get_command(app)


def _options(command: Any) -> set[str]:
    found = {option for parameter in command.params for option in parameter.opts if option.startswith("-")}
    return found | {"--help", "-h"}


def _command_lines() -> Iterator[str]:
    for block in blocks("sh"):
        yield from re.findall(r"^drumbeat [^\n]+$", block.text, re.MULTILINE)
    for page in PAGES:
        yield from re.findall(r"`(drumbeat [^`]+)`", page.read_text("utf-8"))


@pytest.mark.parametrize("name", COMMANDS.commands)
def test_every_option_of_a_command_is_in_the_reference(name: str) -> None:
    documented = re.findall(r"^\| `(--?[\w-]+)", section("command-line.md", f"drumbeat {name}"), re.MULTILINE)

    assert _options(COMMANDS.commands[name]) == {"--help", "-h", *documented}


def test_every_common_option_is_in_the_reference() -> None:
    documented = {name.split()[0] for name in first_cells("command-line.md", "Common options")}

    assert _options(COMMANDS) == documented


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")

    assert all(f"`drumbeat {name}" in readme for name in COMMANDS.commands)


@pytest.mark.parametrize("line", sorted(set(_command_lines())))
def test_a_command_exists_with_its_options(line: str) -> None:
    words = line.split()[1:]
    name = next((word for word in words if word in COMMANDS.commands), "")

    assert name or "--app" in words
    known = _options(COMMANDS) | (_options(COMMANDS.commands[name]) if name else set())
    assert {word for word in words if word.startswith("-")} <= known


def test_every_target_of_make_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    named = re.findall(r"`make ([a-z]+)`", text) + re.findall(r"^make ([a-z]+)$", text, re.MULTILINE)

    assert set(named) <= targets
