"""The local cloud: an app of drumbeat, deployed into moto and run in virtual time."""

from .chance import Faults
from .cloud import LocalCloud

__all__ = ["Faults", "LocalCloud"]
