"""Write what this release writes, for the next ones to read: `python -m tests.golden`, once, when a release is made."""

import json
import sys
from pathlib import Path
from typing import Any

from tests.golden.samples import VERSION, WORLDS, kept, messages, read_message, signals

FOLDER = Path(__file__).parent / VERSION


def written() -> dict[str, Any]:
    """The files of a release by their names."""
    bodies = messages()
    worlds = {f"{name.replace(' ', '-')}.json": kept(make()) for name, make in WORLDS.items()}
    return {
        "messages.json": bodies,
        "messages-as-read.json": {name: read_message(body) for name, body in bodies.items()},
        "signals.json": signals(),
        **worlds,
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, content in written().items():
        (FOLDER / name).write_text(json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    sys.stdout.write(f"{FOLDER} is what {VERSION} writes\n")
