"""Which packages an app's tasks are in: `handlers`, or those that its synthesized stacks name."""

import json
from collections.abc import Iterator
from pathlib import Path

HANDLERS = "handlers"


def packages(app: Path) -> tuple[str, ...]:
    """Read the names from the stacks' keepers if there is no folder `handlers/`; such an app is synthesized for it."""
    if (app / HANDLERS).is_dir() or not any((app / name).is_file() for name in ("cdk.json", "app.py")):
        return (HANDLERS,)
    from drumbeat.local.synth import synthesize

    return tuple(dict.fromkeys(_named(synthesize(app)))) or (HANDLERS,)


def _named(assembly: Path) -> Iterator[str]:
    for template in sorted(assembly.rglob("*.template.json")):
        for resource in json.loads(template.read_text("utf-8")).get("Resources", {}).values():
            if resource["Type"] == "AWS::Lambda::Function":
                variables = resource["Properties"].get("Environment", {}).get("Variables", {})
                yield from filter(None, [variables.get("DRUMBEAT_HANDLERS")])
