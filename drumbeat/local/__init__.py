"""The local cloud: an app of drumbeat, deployed into moto and run in virtual time."""

from .cloud import LocalCloud

__all__ = ["LocalCloud"]
