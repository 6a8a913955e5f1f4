"""Modules of a function's own: each execution environment imports its code apart from every other.

A Lambda environment is a process with its own `sys.modules`. Here one process serves all, so the modules that lie
in a function's code or layers are taken out of `sys.modules` when another environment runs and put back when it
runs again. So two functions with an `index.py` each, two copies of one package (drumbeat itself, bundled, while this
file runs from a checkout), and the globals of two concurrent environments don't meet.

Shared by all: the standard library, what is only installed here, packages with native extensions, and modules that
keep no state (see `stateless`).
boto3 and botocore always come from the installation, which is hooked; boto3's default session, and what is to be done
with each new session of botocore's, are an environment's own.
"""

import dataclasses
import importlib
import importlib.machinery
import logging
import os
import struct
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from itertools import takewhile
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import botocore

from .hidden import guarded
from .loading import Loader, execute, find

SHARED = frozenset({"boto3", "botocore", "s3transfer", "moto", "responses", "time_machine", "_time_machine"})
PRIVATE = frozenset({"aws_lambda_powertools", "pydantic"})
"""Never shared: Powertools keeps state in its modules, and asks `sys.modules` for pydantic, which may be only ours."""
_MACHINES = {"x86_64": 62, "AMD64": 62, "aarch64": 183, "arm64": 183}  # e_machine in an ELF header
_BOTOCORE: Any = botocore  # its private name is none of its stubs' business
_open: list["Importer"] = []


@lru_cache(maxsize=256)
def _contents(directory: Path) -> tuple[frozenset[str], frozenset[str]]:
    """The top-level modules in a directory: pure ones, and those with native extensions."""
    pure: set[str] = set()
    native: set[str] = set()
    if not directory.is_dir():
        return frozenset(), frozenset()
    for entry in sorted(directory.iterdir()):
        name = entry.name.partition(".")[0]
        if entry.is_dir() and entry.name.isidentifier():
            (native if any(entry.rglob("*.so")) else pure).add(name)
        elif entry.suffix == ".py" and name.isidentifier():
            pure.add(name)
        elif entry.suffix == ".so":
            native.add(name)
    return frozenset(pure), frozenset(native)


@lru_cache(maxsize=256)
def _runs_here(directory: Path, top: str) -> bool:
    """Whether a package's native extensions are for this interpreter and machine."""
    import platform  # noqa: PLC0415  only needed for native code

    suffixes = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    files = [*(directory / top).rglob("*.so"), *directory.glob(f"{top}.*.so")]
    for file in files:
        if ".cpython-" in file.name and not file.name.endswith(suffixes):
            return False
        with file.open("rb") as stream:
            header = stream.read(20)
        expected = _MACHINES.get(platform.machine())
        if header[:4] == b"\x7fELF" and expected and struct.unpack_from("<H", header, 18)[0] != expected:
            return False
    return True


class Namespace:
    """The modules, path and loggers of one execution environment."""

    def __init__(
        self, code: Path, layers: Iterable[Path], outer_path: Sequence[str], *, incomplete: bool = False
    ) -> None:
        layer_dirs = [part for layer in layers for part in (layer / "python", layer)]
        dirs = [directory for directory in (code, *layer_dirs) if directory.is_dir()]
        pure: set[str] = set(PRIVATE)
        found: set[str] = set()
        self.installed: set[str] = set(SHARED)  # found in the code, taken from the installation
        for directory in dirs:
            own, native = _contents(directory)
            found |= own | native
            pure |= own
            self.installed |= {top for top in native if not _runs_here(directory, top)}
            pure -= native
        self.own = frozenset(found)
        self.incomplete = incomplete  # a layer is left out: nobody knows what else there is
        self.tops = frozenset(pure - SHARED)
        self.dirs = [str(directory) for directory in dirs]
        self.path = [*self.dirs, *outer_path]
        self.directory = str(code)
        self.modules: dict[str, ModuleType] = {}
        self.newest = (0, "")  # how many others' modules there were when it began to run, and the last of them
        self.seen = -1  # len(sys.modules) when the modules were last looked through
        self.loggers: dict[str, Any] = {}
        self.root_level = logging.WARNING
        self.root_handlers: list[logging.Handler] = []
        self.initializers: list[Any] = []
        self.default_session: Any = None


def _active() -> Namespace | None:
    """Whose code runs now; modules that are shared outlive the cloud that made them, and ask the one that is open."""
    return _open[-1].active if _open else None


def _since(newest: tuple[int, str], modules: dict[str, ModuleType]) -> Iterable[str]:
    """The names that were added since there were so many, with that as the last; all if any was taken out meanwhile."""
    count, last = newest
    added = list(takewhile(lambda name: name != last, reversed(modules)))
    return reversed(added) if len(modules) == count + len(added) else list(modules)


class Importer:
    """Makes one namespace the active one at a time; None is the world outside."""

    def __init__(self, root_handler: logging.Handler) -> None:
        self.active: Namespace | None = None
        self._outer_path = list(sys.path)
        self._outer_loggers = logging.Logger.manager.loggerDict
        self._outer_root = (logging.root.level, logging.root.handlers)
        self._outer_initializers = _BOTOCORE._INITIALIZERS  # noqa: SLF001
        self._outer_session: Any = None
        self._hidden: dict[str, ModuleType] = {}
        self._outer_directory = os.getcwd()  # noqa: PTH109  in the hottest path
        self._root_handler = root_handler
        self._scanned: dict[frozenset[str], tuple[int, list[str]]] = {}
        self._write_bytecode = sys.dont_write_bytecode

    def open(self) -> None:
        _open.append(self)
        Loader.builtins = guarded(_active, lambda: self._outer_path)
        sys.meta_path.insert(0, self)
        dataclasses.__dict__["exec"] = execute

    def close(self) -> None:
        self.activate(None)
        _open.remove(self)
        sys.meta_path.remove(self)
        del dataclasses.__dict__["exec"]

    def namespace(self, code: Path, layers: Iterable[Path], *, incomplete: bool = False) -> Namespace:
        space = Namespace(code, layers, self._outer_path, incomplete=incomplete)
        space.loggers = {
            name: logger for name, logger in self._outer_loggers.items() if name.partition(".")[0] not in space.tops
        }
        space.root_handlers = [self._root_handler]
        space.initializers = list(self._outer_initializers)
        return space

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del target
        space = self.active
        if space is None:
            return None
        top = fullname.partition(".")[0]
        if path is not None:
            return find(path, fullname) if top in space.tops else None
        if top in space.installed:
            return PathFinder.find_spec(fullname, self._outer_path)
        if top in space.tops:
            return find(space.path, fullname)
        return None

    def activate(self, space: Namespace | None) -> None:
        """Swap `sys.modules`, `sys.path` and the loggers."""
        old = self.active
        if space is old:
            return
        modules = sys.modules
        if old is not None:
            self._leave(old, modules)
        if old is None or space is None or old.tops != space.tops:
            if old is not None:
                modules.update(self._hidden)
                self._hidden = {}
            if space is not None:
                self._hidden = {name: modules.pop(name) for name in self._to_hide(space.tops, modules)}
        self.active = space
        if space is None:
            os.chdir(self._outer_directory)
            sys.path[:] = self._outer_path
            sys.dont_write_bytecode = self._write_bytecode
            self._loggers(self._outer_loggers, *self._outer_root)
            self._sessions(self._outer_initializers, self._outer_session)
            return
        if old is None:
            self._outer_directory = os.getcwd()  # noqa: PTH109  in the hottest path
            self._outer_path = list(sys.path)
            self._outer_root = (logging.root.level, logging.root.handlers)
            self._outer_session = boto3.DEFAULT_SESSION
        space.newest = (len(modules), next(reversed(modules)))
        modules.update(space.modules)
        space.seen = len(modules) if space.modules else -1
        sys.path[:] = space.path
        os.chdir(space.directory)
        sys.dont_write_bytecode = True
        self._loggers(space.loggers, space.root_level, space.root_handlers)
        self._sessions(space.initializers, space.default_session)

    def _to_hide(self, tops: frozenset[str], modules: dict[str, ModuleType]) -> list[str]:
        """The outer modules whose names a function's code has, too; looked for again only if there are new modules."""
        count, names = self._scanned.get(tops, (-1, []))
        if count != len(modules):
            names = [name for name in modules if name.partition(".")[0] in tops]
            self._scanned[tops] = (len(modules), names)
        return names

    def _leave(self, old: Namespace, modules: dict[str, ModuleType]) -> None:
        if len(modules) == old.seen:
            for name in old.modules:
                modules.pop(name, None)
        else:
            names = [name for name in _since(old.newest, modules) if name.partition(".")[0] in old.tops]
            old.modules = {name: modules.pop(name) for name in names}
        old.path = list(sys.path)
        old.directory = os.getcwd()  # noqa: PTH109  in the hottest path
        old.root_level = logging.root.level
        old.default_session = boto3.DEFAULT_SESSION

    @staticmethod
    def _loggers(loggers: dict[str, Any], level: int, handlers: list[logging.Handler]) -> None:
        logging.Logger.manager.loggerDict = loggers
        logging.root.handlers = handlers
        if logging.root.level != level:
            logging.root.setLevel(level)

    @staticmethod
    def _sessions(initializers: list[Any], default: Any) -> None:
        _BOTOCORE._INITIALIZERS = initializers  # noqa: SLF001
        boto3.DEFAULT_SESSION = default
