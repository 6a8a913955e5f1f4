"""Files between the app's folder and its bucket: inputs go in before the first fire, results come out at the end."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .edge import Refused

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from drumbeat.local.log import Entry

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


def check_new_file(path: Path | None, option: str, endings: tuple[str, ...]) -> None:
    """Raise Refused, before anything runs, if a file can't be written there or its name doesn't tell its form."""
    if path is None:
        return
    if path.suffix not in endings:
        raise Refused(f"{option} {path}: end its name in {' or '.join(endings)}, that says what to write")
    if not path.parent.is_dir():
        raise Refused(f"{option} {path}: there is no folder {path.parent}; make it first")


@contextmanager
def written(path: Path | None) -> Iterator[Callable[["Entry"], None]]:
    """Give what writes each entry of the event log to a file as it happens, so that none is kept."""
    if path is None:
        yield lambda _entry: None
        return
    with path.open("w", encoding="utf-8", newline="\n") as file:
        if path.suffix == ".txt":
            yield lambda entry: print(entry.text(), file=file)
        else:
            yield lambda entry: print(entry.json(), file=file)
