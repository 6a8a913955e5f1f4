"""What counted usage would have cost, line by line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from drumbeat.errors import DrumbeatError

from .prices import PRICES, Price


class UnknownUsage(DrumbeatError):
    """There is no price for what was counted."""


@dataclass(frozen=True)
class Line:
    """One line of a bill: `quantity` things at `unit_price` dollars for each `per` of them."""

    service: str
    what: str
    quantity: float
    unit_price: float
    per: float
    unit: str

    @property
    def dollars(self) -> float:
        return self.quantity / self.per * self.unit_price

    def __str__(self) -> str:
        price = f"${self.unit_price:.10f}".rstrip("0").rstrip(".") + f" per {self.unit}"
        return f"{self.service} {self.what}: {self.quantity:,.10g} x {price} = ${self.dollars:.6f}"


@dataclass(frozen=True)
class Bill:
    """Lines in the order of the price list."""

    lines: tuple[Line, ...]

    @property
    def dollars(self) -> float:
        return sum(line.dollars for line in self.lines)

    @property
    def by_service(self) -> dict[str, float]:
        """Dollars by service."""
        services = dict.fromkeys((line.service for line in self.lines), 0.0)
        for line in self.lines:
            services[line.service] += line.dollars
        return services

    def per_million(self, items: int) -> float:
        """Dollars for a million items at this bill's rate; 0 without items."""
        return self.dollars / items * 1e6 if items else 0.0


def bill(usage: Mapping[str, float], prices: Mapping[str, Price] = PRICES) -> Bill:
    """Price what was counted, as if it were all of an account's month: tiers start at their first step.

    `usage` has the names of the price list. Raises UnknownUsage for another one: nothing is left out in silence.
    """
    unknown = sorted(usage.keys() - prices.keys())
    if unknown:
        raise UnknownUsage(
            f"no price for {', '.join(unknown)}; the price list has {', '.join(prices)}: add it in drumbeat.plan.prices"
        )
    return Bill(tuple(line for name, price in prices.items() for line in _lines(usage.get(name, 0), price)))


def _lines(quantity: float, price: Price) -> Iterator[Line]:
    below = 0.0
    for bound, dollars in price.tiers:
        if quantity > below:
            within = min(quantity, bound) - below
            yield Line(price.service, price.what, within, dollars, price.per, price.unit)
        below = bound
