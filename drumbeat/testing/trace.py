"""What a failed test shows of its cloud: the seed, the latest events, and where the whole log is."""

import re
import tempfile
from pathlib import Path

from .cloud import AppCloud

TAIL = 20
_CACHE = ".drumbeat"


def trace(cloud: AppCloud, name: str, *, tail: int = TAIL) -> str:
    """Write the log to a file named after the test, and tell what a reader needs first."""
    path = folder_of(cloud.assembly) / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name).strip('-')}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    cloud.log.write(path)
    entries = list(cloud.log)[-tail:]
    lines = [f"seed {cloud.seed}, {cloud.now:%Y-%m-%d %H:%M:%S} UTC in virtual time; the last {len(entries)} events:"]
    lines += [f"  {entry.text()}" for entry in entries]
    lines.append(f"all {len(cloud.log)} events: {path}")
    return "\n".join(lines)


def folder_of(assembly: Path | None) -> Path:
    """Where logs go: beside the synthesized app if drumbeat has put it into its own folder, else a temporary one."""
    if assembly is not None and assembly.parent.name == _CACHE:
        return assembly.parent / "logs"
    return Path(tempfile.gettempdir()) / "drumbeat-logs"
