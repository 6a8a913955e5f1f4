"""A local cloud that is kept in a folder between commands: versioned, readable JSON, all of a change or nothing of it.

with KeptCloud.create("cloud", "cdk.out", start=datetime(2026, 11, 22, tzinfo=UTC)) as cloud:
cloud.advance(hours=1)
cloud.save()

with KeptCloud.load("cloud") as cloud:
...
"""

from .cloud import KeptCloud
from .directory import is_kept
from .errors import CannotKeep, Damaged, InUse, KeptError, NotKept, OtherVersion

__all__ = ["CannotKeep", "Damaged", "InUse", "KeptCloud", "KeptError", "NotKept", "OtherVersion", "is_kept"]
