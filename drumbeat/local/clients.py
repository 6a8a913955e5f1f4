"""Clients for the local cloud's own calls, quick to make: the service models are read once per process."""

import functools
from typing import Any

import botocore.loaders
import botocore.session
from botocore.config import Config

_CONFIG = Config(retries={"total_max_attempts": 1})


@functools.cache
def _loader() -> Any:
    return botocore.loaders.create_loader()


class Clients:
    """Make each client once, with credentials of its own so that none need be in the environment.

    The session is made here and now, so that it has the handlers that moto and the engine have registered by then.
    """

    def __init__(self) -> None:
        self._session = botocore.session.Session()
        self._session.register_component("data_loader", _loader())
        self._made: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str) -> Any:
        key = (service, region)
        if key not in self._made:
            self._made[key] = self._session.create_client(
                service,
                region_name=region,
                aws_access_key_id="local",
                aws_secret_access_key="local",  # noqa: S106, moto accepts any
                config=_CONFIG,
            )
        return self._made[key]
