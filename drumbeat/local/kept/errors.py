"""Why a directory can't be used as a kept cloud, or a cloud can't be kept. The docstring is the default message."""

from drumbeat.local.errors import LocalError


class KeptError(LocalError):
    """The kept cloud can't do this."""


class NotKept(KeptError):
    """The folder isn't a kept cloud."""


class OtherVersion(KeptError):
    """The folder was written by another version."""


class InUse(KeptError):
    """Another command works in the folder."""


class Damaged(KeptError):
    """The folder's files don't fit together."""


class CannotKeep(KeptError):
    """The cloud holds something that can't be kept; the folder stays as it was."""
