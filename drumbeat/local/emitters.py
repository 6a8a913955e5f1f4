"""Botocore's handlers of events: a session and each of its clients have some 130, nearly all of them the same.

Botocore registers them one by one for a session, and copies them for a client.  Here a copy shares what it copies: of
a node that is to change, and of those above it, it makes its own first.
"""

import copy
from collections.abc import Callable
from typing import Any

from botocore import handlers, hooks, session

_hooks: Any = hooks  # its private names are none of its stubs' business
_builtin: list[Any] = []
_registered: list[Any] = []  # the trie of what is built in; empty until the first session


class Trie(_hooks._PrefixTrie):  # type: ignore[misc]  # noqa: SLF001
    """Shares nodes with its copies; a node's `owner` says which trie may change it."""

    def __init__(self) -> None:
        super().__init__()
        self._root: dict[str, Any]
        self._mine: object = None

    def __copy__(self) -> "Trie":
        made = Trie()
        made._root = self._root
        made._mine, self._mine = object(), object()  # neither may change what both have
        return made

    def append_item(self, key: str, value: Any, section: int = _hooks._MIDDLE) -> None:  # noqa: SLF001
        node = self._own(key.split("."), make=True)
        if node["values"] is None:
            node["values"] = hooks.NodeList([], [], [])
        node["values"][section].append(value)

    def remove_item(self, key: str, value: Any) -> None:
        self._own(key.split("."), make=False)
        super().remove_item(key, value)

    def _own(self, parts: list[str], *, make: bool) -> dict[str, Any]:
        """Make the nodes of a key this trie's own, as far as there are any, and return the last."""
        mine = self._mine
        node = self._root = _owned(self._root, mine)
        for part in parts:
            children = node["children"]
            if part in children:
                node = children[part] = _owned(children[part], mine)
            elif make:
                node = children[part] = {"chunk": part, "values": None, "children": {}, "owner": mine}
            else:
                break
        return node


def _owned(node: dict[str, Any], owner: object) -> dict[str, Any]:
    return node if node.get("owner") is owner else _duplicate(node, owner)


def _duplicate(node: dict[str, Any], owner: object) -> dict[str, Any]:
    values = node["values"]
    return {
        "chunk": node["chunk"],
        "values": values and hooks.NodeList(values.first[:], values.middle[:], values.last[:]),
        "children": dict(node["children"]),
        "owner": owner,
    }


def copied(trie: Any) -> Trie:
    """In place of a plain trie's `__copy__`: one that may be shared, unlike what it copies."""

    def deeply(node: dict[str, Any]) -> dict[str, Any]:
        made = _duplicate(node, None)
        made["children"] = {part: deeply(child) for part, child in node["children"].items()}
        return made

    made = Trie()
    made._root = deeply(trie._root)  # noqa: SLF001
    return made


def registering(register: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Give a session a copy of what was registered for the first, as long as the same is built in."""

    def register_builtin_handlers(self: Any, events: Any) -> None:
        emitter: Any = events._emitter  # noqa: SLF001
        plain = (type(self), type(emitter)) == (session.Session, hooks.HierarchicalEmitter)
        if not plain or emitter._handlers._root["children"]:  # noqa: SLF001
            register(self, events)
            return
        if _builtin != handlers.BUILTIN_HANDLERS:
            register(self, events)
            _builtin[:] = handlers.BUILTIN_HANDLERS
            _registered[:] = [copy.copy(emitter._handlers)]  # noqa: SLF001
        emitter._handlers = copy.copy(_registered[0])  # noqa: SLF001

    return register_builtin_handlers
