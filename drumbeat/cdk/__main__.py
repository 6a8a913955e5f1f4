"""`python -m drumbeat.cdk`: stage the bundle of the app in this folder: no later synth needs a package index.

`python -m drumbeat.cdk check` looks at the stacks in cdk.out, or in the folder that is named; `... sbom` writes down
what the bundle holds.
"""

import json
import sys
from pathlib import Path

from drumbeat.discovery import discover
from drumbeat.errors import DrumbeatError

from .bundle import sbom_of, stage
from .guard import findings


def check(folder: Path) -> None:
    """Say what the guard rules find in the templates of a folder; end with 1 if they find something."""
    templates = sorted(folder.rglob("*.template.json"))
    if not templates:
        raise SystemExit(f"{folder} holds no template; run cdk synth first")
    found = [
        f"{path.name}: {finding}" for path in templates for finding in findings(json.loads(path.read_text("utf-8")))
    ]
    if found:
        raise SystemExit("\n".join(found))


if __name__ == "__main__":
    try:
        match sys.argv[1:]:
            case []:
                stage(discover("handlers"))
            case ["check", *folders]:
                check(Path(next(iter(folders), "cdk.out")))
            case ["sbom"]:
                sys.stdout.write(sbom_of(stage(discover("handlers"))).read_text("utf-8"))
            case _:
                raise SystemExit("python -m drumbeat.cdk [check [FOLDER] | sbom]")
    except DrumbeatError as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
