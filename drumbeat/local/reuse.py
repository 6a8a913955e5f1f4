"""What botocore would do again for each session and client, done once a process, or faster; the answers are the same.

Each environment makes a session and clients of its own, as on AWS, and here that is a good part of a cold start.
Shared is only what is read from botocore's data files and from this machine; handlers, settings and credentials stay
each client's own.
"""

import copy
import inspect
import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from types import FunctionType, MethodType
from typing import Any
from urllib import request

from botocore import client, endpoint, hooks, httpsession, loaders, regions, session, utils

from .emitters import copied, registering

_hooks: Any = hooks  # its private names are none of its stubs' business
_session: Any = session.Session
_client: Any = client
_creator: Any = client.ClientCreator
_regions: Any = regions
_create_loader = lru_cache(session.create_loader)
_read_file = lru_cache(loaders.JSONFileLoader().load_file)
_create_ssl_context = lru_cache(httpsession.create_urllib3_context)
_event_names: dict[str, str] = {}
_methods: dict[str, dict[str, Any]] = {}
_models: dict[tuple[int, str], tuple[Any, ...]] = {}
_providers: dict[tuple[Any, ...], tuple[Any, ...]] = {}


def replacements() -> Iterator[tuple[Any, str, Any]]:
    """Where, which name, and what stands for it while a cloud is open."""
    yield session, "create_loader", _create_loader
    yield loaders.JSONFileLoader, "load_file", _load_file
    yield httpsession, "create_urllib3_context", _create_ssl_context
    yield hooks.EventAliaser, "__copy__", _copied_aliaser(hooks.EventAliaser.__copy__)
    yield hooks.EventAliaser, "__init__", _remembering_names(hooks.EventAliaser.__init__)
    yield hooks, "accepts_kwargs", _accepts_kwargs(_hooks.accepts_kwargs)
    yield _hooks._PrefixTrie, "__copy__", copied  # noqa: SLF001
    yield _session, "_register_builtin_handlers", registering(_session._register_builtin_handlers)  # noqa: SLF001
    for module in (endpoint, utils):
        yield module, "get_environ_proxies", _environ_proxies(utils.get_environ_proxies)
    yield _creator, "_create_methods", _methods_of(_creator._create_methods)  # noqa: SLF001
    yield client, "ServiceModel", _model_of(_client.ServiceModel)
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


def _copied_aliaser(copied: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Let a client, too, look up what its session has: a copy has the same names."""

    def copy_aliaser(self: Any) -> Any:
        made = copied(self)
        made._alias_name_cache = self._alias_name_cache  # noqa: SLF001
        return made

    return copy_aliaser


def _accepts_kwargs(ask: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Tell by a handler's code whether it takes any keyword: a session asks it of 130 handlers."""

    def accepts_kwargs(handler: Any) -> Any:
        if isinstance(handler, FunctionType | MethodType) and not hasattr(handler, "__signature__"):
            code = getattr(handler, "__code__", None)
            if code is not None:
                return code.co_flags & inspect.CO_VARKEYWORDS
        return ask(handler)

    return accepts_kwargs


def _environ_proxies(ask: Callable[[str], Any]) -> Callable[[str], Any]:
    """See first whether the environment names any proxy; only where nothing else does, as on Linux."""

    def get_environ_proxies(url: str) -> Any:
        only = request.getproxies is request.getproxies_environment
        if only and not any(name[-6:].lower() == "_proxy" for name in os.environ):
            return {}
        return ask(url)

    return get_environ_proxies


def _methods_of(make: Callable[[Any, Any], dict[str, Any]]) -> Callable[[Any, Any], dict[str, Any]]:
    """Make the methods of a service's clients once: they know nothing of the client that they are called on."""

    def create_methods(self: Any, service_model: Any) -> dict[str, Any]:
        name = service_model.service_name
        if name not in _methods:
            _methods[name] = make(self, service_model)
        return dict(_methods[name])

    return create_methods


def _model_of(make: Callable[..., Any]) -> Callable[..., Any]:
    """Parse a service's model once: a client's own is a copy, that has the operations and shapes of the first."""

    def service_model(service_description: Any, service_name: str) -> Any:
        key = (id(service_description), service_name)
        if key not in _models:
            _models[key] = make(service_description, service_name), service_description  # kept, as below
        return copy.copy(_models[key][0])

    return service_model


def _provider_of(make: Callable[..., Any]) -> Callable[..., Any]:
    """Read a service's rules for endpoints once; its data is the loader's, which is one for all."""

    def provider(ruleset_data: Any, partition_data: Any, excluded_params: Any = None) -> Any:
        key = (id(ruleset_data), id(partition_data), frozenset(excluded_params or ()))
        if key not in _providers:
            made = make(ruleset_data, partition_data, excluded_params)
            _providers[key] = made, ruleset_data, partition_data  # kept: so that no other gets their ids
        return _providers[key][0]

    return provider
