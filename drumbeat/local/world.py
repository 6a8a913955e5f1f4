"""What the actors of the local cloud share, and how an ARN is told apart."""

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Protocol

from .clock import Clock
from .deployment import Deployment
from .faults import Seam
from .latency import Latency
from .log import EventLog
from .loop import Loop
from .meter import Meter

if TYPE_CHECKING:
    from .asynchronous import AsyncQueue
    from .bus import Bus
    from .delivery import Delivery
    from .fires import Fires
    from .functions import Functions
    from .iam import Authorizer
    from .mapping import Mappings
    from .queues import Queues
    from .services import Call
    from .streams import StreamMapping
    from .timeline import Timeline


class Seeds:
    """Independent generators by name, so that a draw more in one place doesn't move every other."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.session = 0  # of a kept cloud: each one draws anew, so that no generator's state has to be kept

    def stream(self, name: str) -> Random:
        part = f"{self.session}/{name}" if self.session else name
        return Random(f"{self._seed}/{part}")  # noqa: S311  a simulation, not a secret


class Heard(Protocol):
    """What a kept cloud hears of calls: before moto answers one, and when any has succeeded."""

    def begins(self, call: "Call") -> None: ...
    def ended(self, call: "Call", *, well: bool) -> None: ...


@dataclass
class World:
    """One local cloud from the inside."""

    deployment: Deployment
    clock: Clock
    loop: Loop
    log: EventLog
    meter: Meter
    latency: Latency
    seeds: Seeds
    timeline: "Timeline"
    queues: "Queues" = field(init=False)
    functions: "Functions" = field(init=False)
    mappings: "Mappings" = field(init=False)
    bus: "Bus" = field(init=False)
    fires: "Fires" = field(init=False)
    delivery: "Delivery" = field(init=False)
    async_queue: "AsyncQueue" = field(init=False)
    authorizer: "Authorizer | None" = None
    faults: Seam = field(default_factory=Seam)
    heard: Heard | None = None
    streams: "dict[str, list[StreamMapping]]" = field(default_factory=dict)  # by table

    def uuid(self, rng: Random) -> str:
        bits = f"{rng.getrandbits(128):032x}"
        return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"


def service_of(arn: str) -> str:
    """Return "sqs" of "arn:aws:sqs:...", "" of what isn't an ARN."""
    parts = arn.split(":", 3)
    return parts[2] if len(parts) > 3 and parts[0] == "arn" else ""  # noqa: PLR2004


def name_of(arn: str) -> str:
    """The last part of an ARN: a queue's, function's or bus's name."""
    return arn.rpartition(":")[2].rpartition("/")[2]


def function_name(name_or_arn: str) -> str:
    """The name in a function's name, partial ARN or ARN, without version or alias."""
    parts = name_or_arn.split(":")
    if name_or_arn.startswith("arn:"):
        return parts[6]
    return parts[2] if len(parts) > 2 and parts[1] == "function" else parts[0]  # noqa: PLR2004


def qualifier_of(name_or_arn: str) -> str:
    """The version or alias in a function's name, partial ARN or ARN; "" if there is none."""
    return name_or_arn.rpartition(f":{function_name(name_or_arn)}:")[2] if ":" in name_or_arn else ""
