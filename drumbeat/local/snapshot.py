"""Deploy once, open many times: what moto holds right after a deployment, kept to begin from again.

A fresh cloud is a copy of that state, which takes a hundredth of the time that the deployment's calls take.  A snapshot
is used only for the very same assembly, parameters and time, and only while moto holds nothing else.
"""

import copy
import copyreg
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from moto.core.base_backend import BackendDict

from .deployment import Deployment

_KEPT = 16
_LOCKS: tuple[Callable[[], Any], ...] = (threading.Lock, threading.RLock)
_kept: "OrderedDict[Hashable, _Snapshot]" = OrderedDict()


@dataclass(frozen=True)
class _Snapshot:
    """The state of each of moto's backends: (all of a service, account, Region, state); what deploying warned of."""

    deployment: Deployment
    notices: tuple[str, ...]
    states: list[tuple[Any, str, str, Any]]


def key(root: Path, *settings: Hashable) -> Hashable:
    """Name a deployment: the assembly's files as they are now, and all that it depends on besides."""
    files = sorted((*root.glob("*.json"), *root.glob("assembly-*/*.json")))
    return (root, tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files), *settings)


def restore(name: Hashable) -> tuple[Deployment, tuple[str, ...]] | None:
    """Put a deployment's state back into an empty moto; returns it with its notices, or None if there is none."""
    found = _kept.get(name)
    if found is None or _states() or not all(function.code.is_dir() for function in found.deployment.functions):
        return None
    _kept.move_to_end(name)
    for service, account, region, state in _copied(found.states):
        dict.__setitem__(service[account], region, state)
    return found.deployment, found.notices


def keep(name: Hashable, deployment: Deployment, notices: Sequence[str]) -> None:
    """Keep the state that moto holds now; state that can't be copied is not kept, and is deployed each time."""
    try:
        states = _copied(_states())
    except (TypeError, copy.Error):  # an open file, say, of a type that nobody deployed before
        return
    _kept[name] = _Snapshot(deployment, tuple(notices), states)
    while len(_kept) > _KEPT:
        _kept.popitem(last=False)


def is_empty() -> bool:
    """Whether moto holds nothing."""
    return not _states()


def _states() -> list[tuple[Any, str, str, Any]]:
    return [
        (service, account, region, state)
        for service in BackendDict._instances  # type: ignore[misc]  # noqa: SLF001  (moto has no other list of them)
        for account, regions in dict.items(service)
        for region, state in dict.items(regions)
    ]


def _copied(states: list[tuple[Any, str, str, Any]]) -> list[tuple[Any, str, str, Any]]:
    """One copy of all, so that what refers to each other across services still does."""
    shared = [service for service, *_ in states] + [service[account] for service, account, *_ in states]
    memo: dict[int, Any] = {id(one): one for one in shared}
    with _locks_made_anew(), patch.object(weakref.WeakValueDictionary, "__deepcopy__", _copied_weakly):
        return [(service, account, region, copy.deepcopy(state, memo)) for service, account, region, state in states]


def _copied_weakly(found: "weakref.WeakValueDictionary[Any, Any]", memo: dict[int, Any]) -> Any:
    """Refer to the copies; the standard library's own keeps to the originals."""
    made: weakref.WeakValueDictionary[Any, Any] = weakref.WeakValueDictionary()
    memo[id(found)] = made
    for name, value in found.items():
        made[name] = copy.deepcopy(value, memo)
    return made


@contextmanager
def _locks_made_anew() -> Iterator[None]:
    kinds = {type(make()): make for make in _LOCKS}
    with patch.dict(copyreg.dispatch_table, {kind: partial(_made_by, make) for kind, make in kinds.items()}):
        yield


def _made_by(make: Callable[[], Any], _lock: Any) -> tuple[Callable[[], Any], tuple[()]]:
    return make, ()
