"""Each command in the docs exists, with these options."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from drumbeat.cli.app import app

from .blocks import PAGES, ROOT, blocks, first_cells, section

COMMANDS: Any = typer.main.get_command(app)


def _named(command: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each command, and those below it: `schedule`, `schedule add`."""
    for name, found in command.commands.items():
        yield prefix + name, found
        if hasattr(found, "commands"):
            yield from _named(found, f"{prefix}{name} ")


ALL: dict[str, Any] = dict(_named(COMMANDS))


def _options(command: Any) -> set[str]:
    options = [option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)]
    found = {option for option in options if option.startswith("-")}
    return found | {"--help", "-h"}


def _command_lines() -> Iterator[str]:
    for block in blocks("sh"):
        yield from re.findall(r"^drumbeat [^\n]+$", block.text, re.MULTILINE)
    for page in PAGES:
        yield from re.findall(r"`(drumbeat [^`]+)`", page.read_text("utf-8"))


@pytest.mark.parametrize("name", ALL)
def test_every_option_of_a_command_is_in_the_reference(name: str) -> None:
    rows = re.findall(r"^\| (`-[^|]*)", section("command-line.md", f"drumbeat {name}"), re.MULTILINE)
    documented = re.findall(r"`(--?[\w-]+)", " ".join(rows))

    assert _options(ALL[name]) == {"--help", "-h", *documented}


def test_every_common_option_is_in_the_reference() -> None:
    documented = {name.split()[0] for name in first_cells("command-line.md", "Common options")}

    assert _options(COMMANDS) == documented


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")

    assert all(f"drumbeat {name}" in readme for name in COMMANDS.commands)


@pytest.mark.parametrize("line", sorted(set(_command_lines())))
def test_a_command_exists_with_its_options(line: str) -> None:
    words = line.split()[1:]
    found = [name for name in ALL if f" {name} " in f" {' '.join(words)} "]

    assert found or {"--app", "--stack"} & set(words)
    known = _options(COMMANDS).union(*(_options(ALL[name]) for name in found))
    assert {word for word in words if word.startswith("-")} <= known


def test_every_target_of_make_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    named = re.findall(r"`make ([a-z]+)`", text) + re.findall(r"^make ([a-z]+)$", text, re.MULTILINE)

    assert set(named) <= targets
