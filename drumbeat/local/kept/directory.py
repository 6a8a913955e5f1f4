"""The folder of a kept cloud: what is where, one command at a time, all of a change or nothing of it.

    cloud.json            the version of this format, the settings, and which of the files below are current
    state-DIGEST.jsonl    what the cloud holds, a line each; the name is that of its content
    blobs/SHA256          the bodies of large objects
    cdk.out-DIGEST/       a copy of the synthesized app
    log.jsonl             all events since the beginning
    functions.jsonl       what the functions printed and logged
    lock                  held while a command works

A change is there when cloud.json is replaced; what is written before that is overwritten or removed the next time.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from .errors import Damaged, InUse, NotKept, OtherVersion

FORMAT = 1
HEADER, LOCK = "cloud.json", "lock"
LOG, OUTPUT = "log.jsonl", "functions.jsonl"
_OURS = (HEADER, LOCK, LOG, OUTPUT, "blobs", "state-", "cdk.out-", "draft")


def is_kept(folder: Path) -> bool:
    """Whether a kept cloud is in the folder."""
    return (folder / HEADER).is_file()


class Directory:
    """The folder, from `lock` to `unlock`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.header: dict[str, Any] = {}
        self._lock: IO[str] | None = None

    # -- one at a time -------------------------------------------------------------------------------------

    def lock(self, *, new: bool) -> None:
        """Take the folder; with `new` it is made, and must not hold anything."""
        if new:
            self._prepare()
        elif not is_kept(self.folder):
            raise NotKept(f"{self.folder} is no kept cloud: there is no {HEADER} in it; name another folder")
        lock = (self.folder / LOCK).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise InUse(f"another command works in {self.folder}; wait until it has ended") from None
        self._lock = lock
        try:
            if new and is_kept(self.folder):
                raise NotKept(f"{self.folder} is a kept cloud already; name another folder, or go on with it")
            self.header = {} if new else self._read_header()
        except BaseException:
            self.unlock()
            raise

    def unlock(self) -> None:
        """Let the next command in."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _prepare(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NotKept(f"{self.folder} can't be a folder ({error.strerror}); name another one") from None
        strange = sorted(path.name for path in self.folder.iterdir() if not path.name.startswith(_OURS))
        if strange:
            raise NotKept(f"{self.folder} is no kept cloud and not empty ({strange[0]}); name another folder")

    def _read_header(self) -> dict[str, Any]:
        path = self.folder / HEADER
        try:
            found = json.loads(path.read_text("utf-8"))
            number = found["drumbeat_cloud"]
        except (ValueError, KeyError, TypeError):
            raise NotKept(f"{self.folder} is no kept cloud: {HEADER} isn't drumbeat's; name another folder") from None
        if number != FORMAT:
            raise OtherVersion(
                f"{self.folder} has format {number}, this drumbeat keeps clouds in format {FORMAT}; use the release "
                f"that made it ({found.get('drumbeat', 'unknown')}), or begin in another folder"
            )
        header: dict[str, Any] = found
        return header

    # -- state ---------------------------------------------------------------------------------------------

    def lines(self) -> Iterator[str]:
        """The lines of the current state; raises Damaged, at the end, if it isn't what was written."""
        path, digest = self.folder / self.header["state"], hashlib.sha256()
        try:
            with path.open("rb") as file:
                for line in file:
                    digest.update(line)
                    yield line.decode()
        except FileNotFoundError:
            raise Damaged(f"{path} is not there; {self.folder} can't be used any more") from None
        if _state_name(digest.hexdigest()) != path.name:
            raise Damaged(f"{path} isn't as it was written; {self.folder} can't be used any more")

    def write_state(self, lines: Iterable[str]) -> str:
        """Write a state beside the current one; returns its name."""
        draft, digest = self.folder / "draft.jsonl", hashlib.sha256()
        with draft.open("wb") as file:
            for line in lines:
                data = f"{line}\n".encode()
                digest.update(data)
                file.write(data)
        name = _state_name(digest.hexdigest())
        draft.replace(self.folder / name)
        return name

    def append(self, name: str, lines: Iterable[str]) -> int:
        """Add lines to a log, behind those that the current state knows of; returns its size from then on."""
        path, known = self.folder / name, self.header.get("sizes", {}).get(name, 0)
        with path.open("ab") as file:
            file.truncate(known)
            file.seek(known)
            for line in lines:
                file.write(f"{line}\n".encode())
            return file.tell()

    def commit(self, header: dict[str, Any], blobs: set[str]) -> None:
        """Make what was written current, and remove what isn't any more."""
        draft = self.folder / "draft.json"
        draft.write_text(json.dumps(header, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        draft.replace(self.folder / HEADER)
        self.header = header
        kept = {header["state"], header["assembly"]}
        for path in self.folder.iterdir():
            if path.name.startswith(("state-", "cdk.out-", "draft")) and path.name not in kept:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in (self.folder / "blobs").glob("*"):
            if path.name not in blobs:
                path.unlink()

    # -- blobs and assemblies ------------------------------------------------------------------------------

    def put_blob(self, data: bytes) -> str:
        """Keep bytes under the digest of their content."""
        name = hashlib.sha256(data).hexdigest()
        path = self.folder / "blobs" / name
        if not path.is_file():
            path.parent.mkdir(exist_ok=True)
            draft = self.folder / "draft.blob"
            draft.write_bytes(data)
            draft.replace(path)
        return name

    def get_blob(self, name: str) -> bytes:
        """Read bytes back."""
        path = self.folder / "blobs" / name
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise Damaged(f"{path} is not there; {self.folder} can't be used any more") from None

    def copy_assembly(self, source: Path) -> str:
        """Copy a cloud assembly into the folder, under a name derived from its content."""
        name = f"cdk.out-{_digest(source)}"
        if not (self.folder / name).is_dir():
            draft = self.folder / "draft.out"
            shutil.rmtree(draft, ignore_errors=True)
            shutil.copytree(source, draft, ignore=shutil.ignore_patterns(".drumbeat", "__pycache__"))
            draft.replace(self.folder / name)
        return name


def _state_name(digest: str) -> str:
    return f"state-{digest[:16]}.jsonl"


def _digest(folder: Path) -> str:
    """A digest of all files, by their paths in the folder."""
    digest = hashlib.sha256()
    for top, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if one not in (".drumbeat", "__pycache__"))
        for name in sorted(files):
            path = Path(top, name)
            digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
