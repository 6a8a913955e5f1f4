"""What a function's code may import: its own, the standard library, and what Lambda's Python runtime brings.

The developer's environment has more, which isn't there on AWS: an import of it by the function's code fails here, too.
Only that code is watched, through the `__import__` of its modules: boto3, moto and the local cloud import what they
like. A function with a layer that is left out may import what is installed: the layer may have it.
https://docs.aws.amazon.com/lambda/latest/dg/python-package.html#python-package-dependencies
"""

import builtins
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

from .loading import recall

if TYPE_CHECKING:
    from .code import Namespace

RUNTIME = frozenset({"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"})
_ANYWHERE = RUNTIME | sys.stdlib_module_names | frozenset(sys.builtin_module_names) | {"__main__"}


def guarded(active: "Callable[[], Namespace | None]", outer: Callable[[], Sequence[str]]) -> dict[str, Any]:
    """Return builtins whose `__import__` keeps to what the active environment has."""
    real = builtins.__import__

    def checked(name: str, scope: Any = None, local: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        if name in _ANYWHERE and not level:  # the most: handlers import in hot functions
            return real(name, scope, local, fromlist, level)
        space = active()
        if space is not None:
            full = _absolute(name, scope, level) if level else name
            top = full.partition(".")[0]
            if not level and top not in _ANYWHERE and top not in space.own and not space.incomplete:
                _check(name, top, tuple(outer()))
            if top in space.tops:
                recall(full, fromlist)
        return real(name, scope, local, fromlist, level)

    return {**vars(builtins), "__import__": checked}


def _absolute(name: str, scope: Any, level: int) -> str:
    """What a relative import means; nothing if it means nothing: Python refuses that itself."""
    base, *above = ((scope or {}).get("__package__") or "").rsplit(".", level - 1)
    if len(above) < level - 1:
        return ""
    return f"{base}.{name}" if name else base


def _check(name: str, top: str, outer: tuple[str, ...]) -> None:
    """Raise for a module that is only installed here; a handler's own sys.path counts, and a test's stand-in."""
    known = sys.modules.get(top)
    if known is not None and getattr(known, "__file__", None) is None and not hasattr(known, "__path__"):
        return
    added = [path for path in sys.path if path not in outer]
    if added and PathFinder.find_spec(top, added) is not None:
        return
    if known is not None or _installed(top, outer):
        raise ModuleNotFoundError(
            f"No module named {name!r} (it is installed here, but neither in the function's bundle or layers nor in"
            " Lambda's Python runtime; add it to the bundle's requirements)",
            name=name,
        )


@lru_cache(maxsize=1_024)
def _installed(top: str, outer: tuple[str, ...]) -> bool:
    return PathFinder.find_spec(top, outer) is not None
