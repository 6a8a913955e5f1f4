"""What the tests read of the docs: code blocks and tables.

The title of a block says which file of an app it is; a block without one is run as it stands.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])
_FENCE = re.compile(r"^( *)```(\w*)(?: title=\"([^\"]+)\")?\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: str
    language: str
    title: str
    text: str

    @property
    def id(self) -> str:
        return f"{self.page}-{self.title or self.text.strip().splitlines()[0]}"


def blocks(language: str) -> Iterator[Block]:
    for path in PAGES:
        page = path.relative_to(ROOT).as_posix()
        for match in _FENCE.finditer(path.read_text("utf-8")):
            if match[2] == language:
                yield Block(page, match[2], match[3] or "", match[4])


def titled(folder: str) -> list[Block]:
    """The blocks that are files of an app, below a folder."""
    return [block for block in blocks("python") if block.title.startswith(folder)]


def section(page: str, heading: str = "") -> str:
    """A page of the reference, or what stands below one of its headings, up to the next."""
    text = (ROOT / "docs" / "reference" / page).read_text("utf-8")
    if not heading:
        return text
    [below] = re.findall(rf"^#+ {re.escape(heading)}$(.*?)(?=^#|\Z)", text, re.DOTALL | re.MULTILINE)
    return str(below)


def table(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    [first, *_] = re.findall(r"(?:^\|.*\n)+", section(page, heading), re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in first.splitlines()[2:]]


def names(cell: str) -> list[str]:
    """What is in code type."""
    return re.findall(r"`([^`]+)`", cell)


def first_cells(page: str, heading: str) -> list[str]:
    """What is in code type in the first column of a table."""
    return [name for row in table(page, heading) for name in names(row[0])]
