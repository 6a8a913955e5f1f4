"""What the parts of a kept cloud share: the cloud from the inside, its blobs, and what to tell of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import CannotKeep

if TYPE_CHECKING:
    from drumbeat.local.gateway import Gateway
    from drumbeat.local.world import World

    from .directory import Directory

Line = dict[str, Any]
Save = Callable[["Inside"], Iterator[Line]]
Load = Callable[["Inside", Line], None]


@dataclass
class Inside:
    """A cloud that is saved, or filled from what was saved.

    `is_changed` says that other code was deployed than what was saved; what then has no place any more is `lost`.
    """

    world: "World"
    gateway: "Gateway"
    directory: "Directory"
    is_changed: bool = False
    blobs: set[str] = field(default_factory=set)
    lost: dict[str, int] = field(default_factory=dict)
    lines: dict[str, list[int]] = field(default_factory=dict)  # of the queues: which messages wait, in order
    armed: dict[str, Line] = field(default_factory=dict)  # by ARN: when it fires next

    def lose(self, what: str) -> None:
        """Note that there is no place for something; only new code may be the cause."""
        if not self.is_changed:
            raise CannotKeep(f"{what} is not in the deployed app; the folder was changed by hand")
        self.lost[what] = self.lost.get(what, 0) + 1


def state(found: object, kept: tuple[str, ...], anew: tuple[str, ...]) -> dict[str, Any]:
    """The attributes that are kept; one that is neither kept nor made anew must not be lost in silence."""
    held = vars(found)
    for name in held:
        if name not in kept and name not in anew:
            raise CannotKeep(
                f"{type(found).__module__}.{type(found).__name__} has an attribute {name!r} that drumbeat doesn't know "
                "how to keep; install the version of moto that drumbeat's requirements name"
            )
    return {name: held[name] for name in kept if name in held}
