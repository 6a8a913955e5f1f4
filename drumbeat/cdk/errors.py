"""What can go wrong while an app is synthesized."""

from drumbeat.errors import DrumbeatError


class NoTasks(DrumbeatError):
    """The app declares no task."""


class TooManyTasks(DrumbeatError):
    """The tasks don't fit into one CloudFormation stack."""


class UnsupportedTarget(DrumbeatError):
    """Lambda has no such Python or processor."""


class SnapStartUnsupported(DrumbeatError):
    """Lambda takes no snapshots of functions on this Python."""


class HandlersMissing(DrumbeatError):
    """The package of the app's tasks can't be found."""


class RequirementsInvalid(DrumbeatError):
    """A requirements file holds something that isn't a pinned requirement."""


class RequirementsUnavailable(DrumbeatError):
    """pip couldn't fetch what the bundle needs."""


class BundleTooLarge(DrumbeatError):
    """The bundle is larger than Lambda takes."""
