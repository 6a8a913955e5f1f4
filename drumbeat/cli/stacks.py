"""Which stacks an app is deployed as: those of its synthesized assembly that are drumbeat's."""

import json
from collections.abc import Iterator
from pathlib import Path

from drumbeat.outputs import TASKS

DEFAULT = "Drumbeat"
_ASSEMBLIES = (Path("cdk.out"), Path(".drumbeat/cdk.out"))


def stack_names(app: Path) -> tuple[str, ...]:
    """Read the names from the folder that `cdk synth` or `drumbeat local` has written; without one, the usual name."""
    for folder in _ASSEMBLIES:
        if (app / folder / "manifest.json").is_file():
            found = tuple(_of_assembly(app / folder))
            if found:
                return found
    return (DEFAULT,)


def _of_assembly(folder: Path) -> Iterator[str]:
    try:
        artifacts = json.loads((folder / "manifest.json").read_text("utf-8"))["artifacts"]
        for name, artifact in artifacts.items():
            if artifact["type"] == "aws:cloudformation:stack":
                properties = artifact["properties"]
                template = json.loads((folder / properties["templateFile"]).read_text("utf-8"))
                if TASKS in template.get("Outputs", {}):
                    yield properties.get("stackName", name)
    except (OSError, ValueError, KeyError):  # half-written, or of another release: as if it weren't there
        return
