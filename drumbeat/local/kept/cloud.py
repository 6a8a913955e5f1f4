"""A local cloud that is kept in a folder: made once, then loaded, used and saved as often as one likes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

from drumbeat.local.clock import Clock, to_datetime, to_ns
from drumbeat.local.cloud import LocalCloud
from drumbeat.local.faults import Seam
from drumbeat.local.log import Entry
from drumbeat.local.world import Seeds, World

from . import codec, state, timers
from .calls import Calls
from .directory import FORMAT, LOG, OUTPUT, Directory
from .errors import CannotKeep
from .inside import Inside

if TYPE_CHECKING:
    from drumbeat.local.output import Line


class KeptCloud(LocalCloud):
    """A local cloud whose state is in a folder; open it with `with`, and call `save` when all went well.

    What isn't saved didn't happen: the folder stays as the last `save` left it. The same folder and the same calls
    give the same folder, byte for byte. One KeptCloud at a time works in a folder.
    """

    def __init__(
        self,
        directory: Directory,
        assembly: Path,
        *,
        settings: Mapping[str, Any],
        is_changed: bool = False,
        **models: Any,
    ) -> None:
        """Use `create` or `load`. models: durations, memory and latency, as LocalCloud takes them."""
        self._directory, self._settings, self._is_changed = directory, dict(settings), is_changed
        self._session: int = directory.header.get("session", 0) + 1
        self._inside: Inside
        self._loaded = (0, 0, 0)
        self._draft: IO[str] | None = None
        self._told: dict[str, Line] = {}
        self.lost: Mapping[str, int] = {}
        options = {**self._settings, "start": datetime.fromisoformat(settings["start"])}
        options.pop("notes")
        super().__init__(assembly, log_sink=self._write, **options, **models)

    @classmethod
    def create(
        cls,
        folder: Path | str,
        assembly: Path | str,
        *,
        start: datetime,
        seed: int = 0,
        stacks: Sequence[str] | None = None,
        parameters: Mapping[str, str] = {},
        strict: bool = True,
        authorize: bool = True,
        notes: Mapping[str, Any] = {},
        **models: Any,
    ) -> Self:
        """Deploy a synthesized app into a new or empty folder, at the virtual time `start`.

        notes: plain values of the caller's own, kept as they are and read with `notes`.
        """
        directory = Directory(Path(folder))
        directory.lock(new=True)
        settings = {
            "start": to_datetime(to_ns(start)).isoformat(),
            "seed": seed,
            "stacks": None if stacks is None else list(stacks),
            "parameters": dict(parameters),
            "strict": strict,
            "authorize": authorize,
            "notes": dict(notes),
        }
        return cls._made(directory, settings, Path(assembly), **models)

    @classmethod
    def load(
        cls,
        folder: Path | str,
        *,
        redeploy: Path | str | None = None,
        notes: Mapping[str, Any] | None = None,
        **models: Any,
    ) -> Self:
        """Go on with a folder; `redeploy` is a newly synthesized app, to be deployed over what is there."""
        directory = Directory(Path(folder))
        directory.lock(new=False)
        settings = directory.header["settings"] | ({"notes": dict(notes)} if notes is not None else {})
        return cls._made(directory, settings, None if redeploy is None else Path(redeploy), **models)

    @classmethod
    def _made(cls, directory: Directory, settings: Mapping[str, Any], assembly: Path | None, **models: Any) -> Self:
        before = directory.header.get("assembly")
        try:
            name: str = directory.header["assembly"] if assembly is None else directory.copy_assembly(assembly)
            changed = before not in (None, name)
            cloud = cls(directory, directory.folder / name, settings=settings, is_changed=changed, **models)
        except BaseException:
            directory.unlock()
            raise
        cloud._assembly_name = name
        return cloud

    _assembly_name: str = ""

    @property
    def notes(self) -> Mapping[str, Any]:
        """What the creator of the folder has noted."""
        found: Mapping[str, Any] = self._settings["notes"]
        return found

    # -- open and close ------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            super().__enter__()
            try:
                self._fill()
            except BaseException:
                super().__exit__(None, None, None)
                raise
            self._draft = (self._directory.folder / "draft.log").open("w+", encoding="utf-8")
        except BaseException:
            self._directory.unlock()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if self._draft is not None:
            self._draft.close()
            self._draft = None
        with suppress(FileNotFoundError):
            (self._directory.folder / "draft.log").unlink()
        self._directory.unlock()

    def _make_world(self, clock: Clock, seeds: Seeds) -> World:
        world = super()._make_world(clock, seeds)
        seeds.session = self._session  # from now on: the deployment is the same each time
        return world

    def _fill(self) -> None:
        world = self._world
        self._inside = Inside(world, self._gateway, self._directory, self._is_changed)
        world.heard = Calls(world, self._settings["seed"])
        if self._directory.header:
            state.load(self._inside)
            self.lost = dict(self._inside.lost)
        self._loaded = self._moment()

    # -- saving --------------------------------------------------------------------------------------------

    def rest(self) -> None:
        """Let what runs end, while nothing new begins: what falls due meanwhile is late by that."""
        functions = self._world.functions
        self._capture.install()
        try:
            self._world.loop.run_only(timers.runs_code, lambda: not functions.running)
        finally:
            self._importer.activate(None)

    def save(self) -> bool:
        """Write the cloud to its folder, all or nothing, after `rest`; False if nothing has changed."""
        if type(self._faults) is not Seam:
            raise CannotKeep(f"{type(self._faults).__name__}: a cloud with faults can't be kept; leave them out")
        if not self._may_have_changed():
            return False
        self.rest()
        directory, inside = self._directory, self._inside
        inside.blobs = set()
        name = directory.write_state(codec.text(line) for line in state.save(self._inside))
        header = {
            "drumbeat_cloud": FORMAT,
            "drumbeat": _release(),
            "now": to_datetime(self._world.clock.ns).isoformat(),
            "session": self._session,
            "settings": self._settings,
            "assembly": self._assembly_name,
            "state": name,
        }
        if all(directory.header.get(name) == header[name] for name in ("state", "assembly", "settings")):
            return False
        header["sizes"] = {LOG: directory.append(LOG, self._events()), OUTPUT: directory.append(OUTPUT, self._said())}
        directory.commit(header, inside.blobs)
        if self._draft is not None:
            self._draft.seek(0)
            self._draft.truncate()
        self._told = {function: lines[-1] for function, lines in self._output.lines.items() if lines}
        return True

    def _may_have_changed(self) -> bool:
        """Whether it's worth to compare; who only looks needn't wait for that."""
        world, header = self._world, self._directory.header
        known = header.get("assembly") == self._assembly_name and header.get("settings") == self._settings
        assert isinstance(world.heard, Calls)
        return not known or world.heard.wrote or self._loaded != self._moment()

    def _moment(self) -> tuple[int, int, int]:
        """The time, what has happened, and what was set to happen."""
        loop = self._world.loop
        return loop.clock.ns, loop.events, loop._sequence  # noqa: SLF001

    def _write(self, entry: Entry) -> None:
        if self._draft is not None:
            self._draft.write(f"{entry.json()}\n")

    def _events(self) -> Iterator[str]:
        assert self._draft is not None
        self._draft.seek(0)
        for line in self._draft:
            yield line.rstrip("\n")

    def _said(self) -> Iterator[str]:
        """What was printed and logged since the last save, by time."""
        found = []
        for function, lines in self._output.lines.items():
            told = self._told.get(function)
            fresh = list(takewhile(lambda line, told=told: line is not told, reversed(lines)))  # type: ignore[misc]
            found += [(line.ns, function, number, line) for number, line in enumerate(reversed(fresh))]
        for _, function, _, line in sorted(found, key=lambda one: one[:3]):
            at = f"{line.time:%Y-%m-%dT%H:%M:%S.%f}Z"
            yield codec.text({"time": at, "function": function, "id": line.request_id, "text": line.text})


def _release() -> str:
    try:
        return version("drumbeat")
    except PackageNotFoundError:  # a checkout that isn't installed
        return ""
