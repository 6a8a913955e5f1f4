"""What botocore would do again for each session and client, done once a process, or faster; the answers are the same.

Each environment makes a session and clients of its own, as on AWS, and here that is a good part of a cold start.
Shared is only what is read from botocore's data files and from this machine; handlers, settings and credentials stay
each client's own.
"""

import inspect
from collections.abc import Callable, Iterator
from functools import lru_cache
from types import FunctionType, MethodType
from typing import Any

from botocore import client, hooks, httpsession, loaders, regions, session

_hooks: Any = hooks  # its private names are none of its stubs' business
_creator: Any = client.ClientCreator
_regions: Any = regions
_create_loader = lru_cache(session.create_loader)
_read_file = lru_cache(loaders.JSONFileLoader().load_file)
_create_ssl_context = lru_cache(httpsession.create_urllib3_context)
_event_names: dict[str, str] = {}
_methods: dict[str, dict[str, Any]] = {}
_providers: dict[tuple[Any, ...], tuple[Any, ...]] = {}


def replacements() -> Iterator[tuple[Any, str, Any]]:
    """Where, which name, and what stands for it while a cloud is open."""
    yield session, "create_loader", _create_loader
    yield loaders.JSONFileLoader, "load_file", _load_file
    yield httpsession, "create_urllib3_context", _create_ssl_context
    yield hooks.EventAliaser, "__init__", _remembering_names(hooks.EventAliaser.__init__)
    yield hooks, "accepts_kwargs", _accepts_kwargs(_hooks.accepts_kwargs)
    yield _hooks._PrefixTrie, "_recursive_copy", _copied  # noqa: SLF001
    yield _creator, "_create_methods", _methods_of(_creator._create_methods)  # noqa: SLF001
    yield regions, "EndpointProvider", _provider_of(_regions.EndpointProvider)


def _load_file(self: loaders.JSONFileLoader, file_path: str) -> Any:
    """Read a file once, whichever loader asks for it: a session may have one of its own."""
    del self
    return _read_file(file_path)


def _remembering_names(make: Callable[..., None]) -> Callable[..., None]:
    """Let all sessions look up together how botocore calls an event today."""

    def init(self: Any, event_emitter: Any, event_aliases: Any = None) -> None:
        make(self, event_emitter, event_aliases)
        if event_aliases is None:
            self._alias_name_cache = _event_names

    return init


def _accepts_kwargs(ask: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Tell by a handler's code whether it takes any keyword: a session asks it of 130 handlers."""

    def accepts_kwargs(handler: Any) -> Any:
        if isinstance(handler, FunctionType | MethodType) and not hasattr(handler, "__signature__"):
            code = getattr(handler, "__code__", None)
            if code is not None:
                return code.co_flags & inspect.CO_VARKEYWORDS
        return ask(handler)

    return accepts_kwargs


def _copied(self: Any, node: dict[Any, Any]) -> dict[Any, Any]:
    """The structure of a trie of handlers, without asking each of its lists how it is copied."""
    made: dict[Any, Any] = {}
    for key, value in node.items():
        if isinstance(value, dict):
            made[key] = _copied(self, value)
        elif isinstance(value, hooks.NodeList):
            made[key] = hooks.NodeList(value.first[:], value.middle[:], value.last[:])
        else:
            made[key] = value
    return made


def _methods_of(make: Callable[[Any, Any], dict[str, Any]]) -> Callable[[Any, Any], dict[str, Any]]:
    """Make the methods of a service's clients once: they know nothing of the client that they are called on."""

    def create_methods(self: Any, service_model: Any) -> dict[str, Any]:
        name = service_model.service_name
        if name not in _methods:
            _methods[name] = make(self, service_model)
        return dict(_methods[name])

    return create_methods


def _provider_of(make: Callable[..., Any]) -> Callable[..., Any]:
    """Read a service's rules for endpoints once; its data is the loader's, which is one for all."""

    def provider(ruleset_data: Any, partition_data: Any, excluded_params: Any = None) -> Any:
        key = (id(ruleset_data), id(partition_data), frozenset(excluded_params or ()))
        if key not in _providers:
            made = make(ruleset_data, partition_data, excluded_params)
            _providers[key] = made, ruleset_data, partition_data  # kept: so that no other gets their ids
        return _providers[key][0]

    return provider
