"""The local cloud: an app of drumbeat, deployed into moto and run in virtual time."""

from .cloud import LocalCloud
from .faults import Faults

__all__ = ["Faults", "LocalCloud"]
