"""A quote as a person reads it: every row with its arithmetic; and the same as JSON."""

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from drumbeat.plan.alternatives import Alternative
from drumbeat.plan.prices import AS_OF, PRICES, REGION
from drumbeat.plan.quote import Quote, explain
from drumbeat.plan.usage import Step


def show(found: Quote, console: Console, *, by_hand: bool) -> None:
    """Print packing, run, month and alternatives."""
    packing, task = found.packing, found.task
    console.print(f"[bold cyan]{task.name}[/]  {packing.items:,} items, {found.item_s:g} s of work each")
    console.print()
    for line in explain(found):
        console.print(f"  {line}", soft_wrap=True)
    _heading(console, "a run")
    console.print(_table(found.run.steps))
    each = found.orchestration_dollars / packing.items * 1e6 if packing.items else 0
    console.print(
        f"[bold]${found.run_dollars:,.6f}[/], of which ${found.work_dollars:,.6f} are the items' own work and "
        f"${found.orchestration_dollars:,.6f} handing it out: ${each:,.4f} for a million items",
        soft_wrap=True,
    )
    runs = f"{found.runs_per_month:,.10g} runs" + (" (it has no schedule: say --runs-per-month)" if by_hand else "")
    _heading(console, f"a month of {runs}, and what idles")
    console.print(_table(found.idle.steps))
    idle = found.idle.bill.dollars
    console.print(
        f"[bold]${found.month.dollars:,.2f}[/] = {found.runs_per_month:,.10g} x ${found.run_dollars:,.6f} + "
        f"${idle:,.2f} that idles, with the tiers of a month's use",
        soft_wrap=True,
    )
    _heading(console, "the same items in other ways")
    console.print(_compared(found))
    console.print(f"\n[dim]prices of {REGION} as of {AS_OF}, from {', '.join(_pages(found))}[/]", soft_wrap=True)
    console.print(
        "[dim]assumed: seconds of a call, of a cold start and of the keeper's round (drumbeat.plan.given, .idle); no "
        "free tier, no storage, no data transfer[/]",
        soft_wrap=True,
    )


def document(found: Quote) -> dict[str, Any]:
    """Everything as plain values."""
    requests = [
        {"service": service, "operation": operation, "count": count}
        for (service, operation), count in sorted((found.run.requests + found.run.polls).items())
    ]
    return {
        "task": found.task.name,
        "prices": {"region": REGION, "as_of": AS_OF.isoformat(), "sources": _pages(found)},
        "packing": {**vars(found.packing), "why": list(explain(found))},
        "later": found.later and {"packing": vars(found.later.packing), "dollars": found.later.bill.dollars},
        "run": {
            "dollars": found.run_dollars,
            "work_dollars": found.work_dollars,
            "orchestration_dollars": found.orchestration_dollars,
            "by_service": found.run.bill.by_service,
            "requests": requests,
            "rows": [_row(step) for step in found.run.steps],
        },
        "month": {
            "runs": found.runs_per_month,
            "dollars": found.month.dollars,
            "by_service": found.month.by_service,
            "idle_dollars": found.idle.bill.dollars,
            "idle_rows": [_row(step) for step in found.idle.steps],
        },
        "alternatives": [_told(other, found) for other in found.alternatives],
    }


def _row(step: Step) -> dict[str, Any]:
    price = PRICES.get(step.price)
    return {
        "service": price.service if price else step.service,
        "what": step.what,
        "by": step.by,
        "operation": step.operation,
        "requests": step.count if step.operation else 0,
        "formula": step.formula,
        "billed": step.billed if price else 0,
        "price": step.price,
        "dollars": _dollars(step),
    }


def _told(other: Alternative, found: Quote) -> dict[str, Any]:
    return {
        "name": other.name,
        "orchestration_dollars": other.run_dollars,
        "work_dollars": other.work_dollars,
        "month_dollars": other.month_dollars(found.runs_per_month),
        "rows": [_row(step) for step in (*other.orchestration, *other.work, *other.idle)],
        "source": other.source,
        "note": other.note,
    }


def _heading(console: Console, text: str) -> None:
    console.print()
    console.rule(f"[bold]{text}[/]", align="left", style="dim")


def _table(steps: Iterable[Step]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("service", "what", "arithmetic"):
        table.add_column(name, overflow="fold")
    for name in ("billed", "price", "dollars"):
        table.add_column(name, justify="right", no_wrap=True)
    order = {name: number for number, name in enumerate(PRICES)}
    priced = sorted((step for step in steps if step.price), key=lambda step: order[step.price])
    for step in priced:
        price = PRICES[step.price]
        unit = f"${price.tiers[0][1]:.10f}".rstrip("0").rstrip(".") + f" per {price.unit}"
        what = f"{step.what}" + (f" [dim]{step.operation}[/]" if step.operation else "")
        table.add_row(price.service, what, step.formula, f"{step.billed:,.6g}", unit, f"{_dollars(step):,.8f}")
    return table


def _compared(found: Quote) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("way", overflow="fold")
    table.add_column("handing out a run", overflow="fold")
    for name in ("dollars", "with the work", "a month"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_row(
        *("[bold cyan]drumbeat[/]", "as above", f"{found.orchestration_dollars:,.4f}"),
        *(f"{found.run_dollars:,.4f}", f"{found.month.dollars:,.2f}"),
    )
    for other in found.alternatives:
        lines = [*_lines(other.orchestration), *_lines(other.idle), f"[dim]{other.note}[/]"]
        table.add_row(
            other.name,
            "\n".join(lines),
            f"{other.run_dollars:,.4f}",
            f"{other.run_dollars + other.work_dollars:,.4f}",
            f"{other.month_dollars(found.runs_per_month):,.2f}",
        )
    return table


def _lines(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        price = PRICES[step.price]
        unit = f"${price.tiers[0][1]:.10f}".rstrip("0").rstrip(".")
        yield f"{step.what}: {step.formula} = {step.billed:,.6g} x {unit} per {price.unit}"


def _dollars(step: Step) -> float:
    price = PRICES.get(step.price)
    return step.billed / price.per * price.tiers[0][1] if price else 0.0


def _pages(found: Quote) -> list[str]:
    named = {step.price for step in (*found.run.steps, *found.idle.steps) if step.price}
    return sorted({PRICES[name].source for name in named} | set(found.sources))
