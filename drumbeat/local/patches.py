"""What is replaced process-wide while a local cloud is open, and put back when it closes."""

import gc
import os
import random
import sys
from typing import Any
from uuid import UUID

from moto.core import base_backend
from moto.iam.access_control import PermissionResult
from moto.moto_api._internal import mock_random
from moto.s3.models import FakeBucket

from .baton import current
from .reuse import replacements
from .world import Seeds


class Patches:
    """Entropy becomes a function of the seed; `os._exit` ends an invocation instead of the process."""

    def __init__(self, seeds: Seeds) -> None:
        self._seeds = seeds
        self._entropy = seeds.stream("entropy")
        self._real: list[tuple[Any, str, Any]] = []
        self._state: Any = None

    def begin(self) -> None:
        """Draw from the start: what is drawn doesn't depend on what was, such as by a deployment."""
        self._entropy = self._seeds.stream("entropy")
        random.seed(self._entropy.getrandbits(64))
        mock_random.seed(self._entropy.getrandbits(64))

    def drawn(self) -> Any:
        """What differs after something was drawn."""
        return self._entropy.getstate(), random.getstate()

    def open(self) -> None:
        self._state = random.getstate()
        self.begin()
        real_exit, real_urandom = os._exit, os.urandom

        def exit_(status: int) -> None:
            strand = current()
            if strand is None or strand.invocation is None:
                real_exit(status)
            strand.invocation.exited(status)

        def urandom(size: int, /) -> bytes:
            return self._entropy.randbytes(size)

        # moto tells its backends apart by uuid, for the process's life: those must not repeat with the seed
        self._replace(base_backend, "uuid4", lambda: UUID(bytes=real_urandom(16), version=4))
        self._replace(os, "_exit", exit_)
        self._replace(os, "urandom", urandom)
        self._replace(random, "_urandom", urandom)  # what `secrets` and SystemRandom use
        self._replace(sys, "argv", list(sys.argv))
        self._replace(gc, "freeze", lambda: None)  # environments come and go in this process, and are to be collected
        for module, name, value in replacements():
            self._replace(module, name, value)
        # moto denies by a bucket policy without reading its conditions; the Authorizer reads them
        self._replace(FakeBucket, "get_permission", lambda *_: PermissionResult.NEUTRAL)

    def _replace(self, module: Any, name: str, value: Any) -> None:
        self._real.append((module, name, getattr(module, name)))
        setattr(module, name, value)

    def close(self) -> None:
        for module, name, real in reversed(self._real):
            setattr(module, name, real)
        self._real.clear()
        random.setstate(self._state)
