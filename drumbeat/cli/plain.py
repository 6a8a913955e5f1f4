"""Text that came from elsewhere, such as an item, an error or a run's reason, as a terminal may have it.

An escape sequence in an item could clear the screen, write into the clipboard or forge what stands above it; a mark of
the text's direction could turn what is read around; a bracket is markup to rich.
"""

import re

from rich.markup import escape

_MOVING = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0 and C1 controls, separators of lines, marks of direction (Unicode, UAX 9), halves of surrogate pairs."""


def visible(text: str, *, lines: bool = False) -> str:
    """The text with every character that would do something to a terminal written as Python would.

    lines: leave ends of lines as they are.
    """
    return _MOVING.sub(lambda found: "\n" if lines and found[0] == "\n" else ascii(found[0])[1:-1], text)


def plain(text: str, *, lines: bool = False) -> str:
    """The text as it is to be read, for a console of rich's."""
    return escape(visible(text, lines=lines))


def visible_json(text: str) -> str:
    """The same for a JSON document that is laid out in lines: what JSON leaves as it is becomes an escape of JSON's."""
    return _MOVING.sub(lambda found: "\n" if found[0] == "\n" else f"\\u{ord(found[0]):04x}", text)
