"""What a run asks of AWS, step by step: each with the arithmetic that its numbers come from."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .bill import Bill, bill
from .given import Timing
from .packing import Packing

Requests = Counter[tuple[str, str]]
"""By service and operation, as the local cloud counts them."""


@dataclass(frozen=True)
class Step:
    """One kind of call, or of use, and how often.

    what: what it is for; how: its number as a formula with the run's own numbers.
    price: the name in the price list; billed: how much of that, and billed_how, if that isn't the number of calls.
    by: who calls: one of our functions; the service's pollers; or nobody, if it is no call.
    """

    what: str
    how: str
    count: float
    price: str = ""
    service: str = ""
    operation: str = ""
    by: str = ""
    units: float | None = None
    units_how: str = ""

    @property
    def billed(self) -> float:
        """What is billed."""
        return self.count if self.units is None else self.units

    @property
    def formula(self) -> str:
        """What is billed, as a formula."""
        return self.units_how or self.how


POLLER = "poller"


@dataclass(frozen=True)
class Usage:
    """Everything that a run, or an idle month, asks of AWS; of a run also how it is packed, and what was assumed."""

    steps: tuple[Step, ...]
    packing: Packing | None = None
    timing: Timing | None = None

    @property
    def requests(self) -> Requests:
        """Calls that our functions make, by service and operation."""
        return _counted(step for step in self.steps if step.operation and step.by != POLLER)

    @property
    def polls(self) -> Requests:
        """Calls that AWS's pollers make in our name."""
        return _counted(step for step in self.steps if step.operation and step.by == POLLER)

    @property
    def invocations(self) -> dict[str, int]:
        """Invocations by function: dispatcher, worker, keeper."""
        found: Counter[str] = Counter()
        for step in self.steps:
            if step.price == "lambda_requests":
                found[step.by] += round(step.count)
        return dict(found)

    @property
    def billed(self) -> dict[str, float]:
        """What is billed, by the names of the price list."""
        found: dict[str, float] = {}
        for step in self.steps:
            if step.price and step.billed:
                found[step.price] = found.get(step.price, 0) + step.billed
        return found

    @property
    def bill(self) -> Bill:
        """The price of it all."""
        return bill(self.billed)

    def times(self, number: float) -> Mapping[str, float]:
        """What so many of it come to."""
        return {name: quantity * number for name, quantity in self.billed.items()}


def _counted(steps: Iterable[Step]) -> Requests:
    found: Requests = Counter()
    for step in steps:
        found[step.service, step.operation] += round(step.count)
    return Counter({call: number for call, number in found.items() if number})
