"""The third-party code of a bundle: drumbeat's own pins, then the app's, which win."""

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path

from drumbeat.task import Task

from .errors import RequirementsInvalid

IN_LAMBDA = frozenset({"boto3", "botocore", "s3transfer", "jmespath"})
"""What Lambda's Python runtimes bring: https://docs.aws.amazon.com/lambda/latest/dg/python-package.html."""
_PINNED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^]]*\])?\s*==\s*[^\s;*]+")


def own(tasks: Iterable[Task]) -> dict[str, str]:
    """Return what drumbeat's runtime needs for these tasks, as requirement lines by normalised name."""
    tasks = tuple(tasks)
    wanted = ["base"]
    if any(task.tracing for task in tasks):
        wanted.append("tracing")
    if any(getattr(task.schedule, "timezone", None) for task in tasks):
        wanted.append("timezones")
    folder = files("drumbeat.cdk") / "pins"
    return {
        name: line
        for group in wanted
        for name, line in parse((folder / f"{group}.txt").read_text("utf-8"), origin=f"{group}.txt").items()
    }


def of_app(path: Path) -> dict[str, str]:
    """Return what the app's own requirements file pins; nothing where there is no file."""
    return parse(path.read_text("utf-8"), origin=str(path)) if path.exists() else {}


def parse(text: str, *, origin: str) -> dict[str, str]:
    """Read a locked requirements file: one `name==version --hash=...` each; what Lambda brings is left out."""
    found: dict[str, str] = {}
    for line in _logical_lines(text):
        match = _PINNED.match(line)
        if match is None or "--hash=" not in line:
            raise RequirementsInvalid(
                f"{origin}: {line.partition(' --hash')[0]!r} isn't pinned with a hash, and the bundle must be the same "
                "tomorrow; list what you need in requirements.in and run pip-compile --generate-hashes requirements.in"
            )
        found[normalise(match[1])] = line
    return {name: line for name, line in found.items() if name not in IN_LAMBDA}


def merge(own_lines: Mapping[str, str], app_lines: Mapping[str, str]) -> dict[str, str]:
    """Join both, ordered by name; where both pin a package, the app's version is installed."""
    return dict(sorted({**own_lines, **app_lines}.items()))


def normalise(name: str) -> str:
    """https://packaging.python.org/en/latest/specifications/name-normalization/."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _logical_lines(text: str) -> Iterable[str]:
    joined = re.sub(r"\\\s*\n\s*", " ", text)
    for line in joined.splitlines():
        kept = re.sub(r"(^|\s)#.*", "", line).strip()
        if kept:
            yield kept
