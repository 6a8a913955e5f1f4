"""Files between the app's folder and its bucket: inputs go in before the first fire, results come out at the end."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .edge import Refused

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

INPUTS, RESULTS = "inputs", "results/"


@dataclass(frozen=True)
class Published:
    """An object that a run has published, and where it was copied to."""

    key: str
    size: int
    copy: Path | None = None


def put_inputs(s3: "S3Client", bucket: str, app: Path) -> int:
    """Put each file under `inputs/` into the bucket, under the same key; return how many."""
    files = sorted(path for path in (app / INPUTS).rglob("*") if path.is_file())
    for path in files:
        s3.put_object(Bucket=bucket, Key=path.relative_to(app).as_posix(), Body=path.read_bytes())
    return len(files)


def fetch_results(s3: "S3Client", bucket: str, runs: Iterable[str], out: Path | None) -> list[Published]:
    """List what these runs have published, copied to `out/TASK/TIME/` if a folder is given.

    Colons are left out of the folder's name: not every file system takes them.
    """
    found = []
    for run in runs:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{RESULTS}{run}/")
        for page in pages:
            for entry in page.get("Contents", ()):
                copy = None if out is None else out / entry["Key"].removeprefix(RESULTS).replace(":", "")
                if copy is not None:
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    s3.download_file(bucket, entry["Key"], str(copy))
                found.append(Published(entry["Key"], entry["Size"], copy))
    return found


def prepare(out: Path | None) -> None:
    """Make the folder for results, before anything runs; raises Refused if that can't be."""
    if out is None:
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"--out {out} can't be a folder ({error.strerror}); name another one") from None
