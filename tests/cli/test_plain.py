"""What an item or an error says is shown to an operator, and does nothing to the terminal."""

import io
import json
import re
from pathlib import Path

from rich.console import Console

from drumbeat import cli
from drumbeat.cli.plain import plain, visible, visible_json

EVIL = "\x1b]52;c;cm0gLXJm\x07\x1b[2J\x9b31m[red]x[/red]\u202egpj.exe\ud800\r\nok"
HARMLESS = r"\x1b]52;c;cm0gLXJm\x07\x1b[2J\x9b31m[red]x[/red]\u202egpj.exe\ud800\r\nok"


def test_escape_sequences_directions_and_markup_are_shown_as_they_were_written() -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, color_system="truecolor", highlight=False, width=200)

    screen.print(plain(EVIL))

    assert f"{HARMLESS}\n" == screen.file.getvalue()


def test_ends_of_lines_stay_where_drumbeat_has_put_them() -> None:
    assert "a\nb\\x1b" == visible("a\nb\x1b", lines=True)


def test_a_json_document_says_the_same_and_moves_nothing() -> None:
    text = visible_json(json.dumps({"error": EVIL}, ensure_ascii=False, indent=2))

    assert {"error": EVIL} == json.loads(text)
    assert re.fullmatch(r"[ -~\n]*", text)


def test_no_command_escapes_in_a_way_of_its_own() -> None:
    modules = {path.stem for path in Path(cli.__file__).parent.glob("*.py") if "escape(" in path.read_text()}

    assert {"plain", "chart"} == modules  # chart writes SVG
