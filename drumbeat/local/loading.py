"""How a module of a function's code is loaded: compiled once a process, executed once or for each environment."""

import importlib
import sys
from collections.abc import Sequence
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any, ClassVar

from .stateless import is_stateless

_compiled: dict[str, CodeType] = {}
_made: dict[str, tuple[ModuleType, tuple[str, ...]]] = {}  # with what the module had imported first
_texts: dict[str, CodeType] = {}


class Loader(SourceFileLoader):
    """Compiles a file once per process and writes nothing into the asset; imports in it are checked."""

    builtins: ClassVar[dict[str, Any]] = {}

    def get_code(self, fullname: str) -> CodeType | None:
        del fullname
        code = _compiled.get(self.path)
        if code is None:
            code = self.source_to_code(self.get_data(self.path), self.path)
            _compiled[self.path] = code
        return code

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = self.builtins
        super().exec_module(module)


class OnceLoader(Loader):
    """Gives every environment the module that the first one made."""

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        del spec
        module, _ = _made.get(self.path, (None, ()))
        return module

    def exec_module(self, module: ModuleType) -> None:
        if self.path in _made:
            _import_all(_made[self.path][1])
            return
        before = set(sys.modules)
        super().exec_module(module)
        below = (name for name in set(sys.modules) - before if isinstance(_loader(name), OnceLoader))
        _made[self.path] = module, tuple(sorted(below))


def _loader(name: str) -> object:
    return getattr(sys.modules[name], "__loader__", None)


def recall(full: str, parts: Sequence[str] | None) -> None:
    """Have what is shared of `from full import parts`, or of `import full`, without the ceremony of an import."""
    if full not in sys.modules and not _recalled(full):
        return
    if parts and getattr(sys.modules[full], "__path__", None) is not None:
        has = vars(sys.modules[full])
        for part in parts:
            if part not in has:
                _recalled(f"{full}.{part}")


def _recalled(name: str) -> bool:
    """Whether a module is a shared one that was made: the environment has it then, and its package knows it."""
    package, _, tail = name.rpartition(".")
    above = sys.modules.get(package)
    entries = getattr(above, "__path__", None)
    if entries is None:
        return False  # a package that isn't loaded itself
    found, kind = _find(tuple(entries), name)
    if kind is not OnceLoader or found is None or found.origin not in _made:
        return False
    module, below = _made[found.origin]
    sys.modules[name] = module
    _import_all(below)
    setattr(above, tail, module)
    return True


def _import_all(names: Sequence[str]) -> None:
    for name in names:
        if name not in sys.modules and not _recalled(name):
            importlib.import_module(name)


def execute(text: str, names: dict[str, Any], scope: dict[str, Any]) -> None:
    """In place of `exec` in `dataclasses`: what it makes the methods of is compiled once per process."""
    code = _texts.get(text)
    if code is None:
        code = _texts[text] = compile(text, "<string>", "exec")
    exec(code, names, scope)  # noqa: S102  as dataclasses does


def find(entries: Sequence[str], fullname: str) -> ModuleSpec | None:
    """A new spec, as an import changes it; where it was found is looked up once: assets don't change."""
    found, kind = _find(tuple(entries), fullname)
    if found is None or not isinstance(found.loader, SourceFileLoader):
        return found
    locations = found.submodule_search_locations
    spec = ModuleSpec(
        fullname, kind(fullname, found.loader.path), origin=found.origin, is_package=locations is not None
    )
    spec.has_location, spec.cached = True, found.cached
    if locations is not None:
        spec.submodule_search_locations = list(locations)
    return spec


@lru_cache(maxsize=10_000)
def _find(entries: tuple[str, ...], fullname: str) -> tuple[ModuleSpec | None, type[Loader]]:
    found = PathFinder.find_spec(fullname, entries)
    is_package = found is not None and found.submodule_search_locations is not None
    return found, OnceLoader if is_stateless(fullname, is_package=is_package) else Loader
