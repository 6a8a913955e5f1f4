"""The result as a person likes to read it."""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from drumbeat.ledger.record import FAILED, SUCCEEDED, RunRecord
from drumbeat.plan.bill import bill
from drumbeat.run import format_time, parse_time

from .plain import plain
from .simulation import Result
from .words import span

_MOST = 20
"""Rows of one kind; a day of `rate(1 minute)` has 1,440 runs."""
_WIDE = 124
"""Columns that the table of runs needs."""
_COLORS = {SUCCEEDED: "green", FAILED: "red"}
_APIS = {"SQS": "sqs", "DynamoDB": "dynamodb", "S3": "s3", "Lambda": "lambda", "EventBridge": "events"}


def show(result: Result, picture: Path | None, console: Console) -> None:
    """Print runs, dead letters, times, requests with their price, and where the results are."""
    order = result.order
    console.print()
    console.rule(f"[bold]{format_time(order.start)} to {format_time(order.end)}[/]", align="left", style="dim")
    console.print()
    if not result.runs:
        _part(console, "no fire in this time: try another --from and --to")
    elif console.width < _WIDE:
        _part(console, *_told(result))
    else:
        _part(console, _runs(result))
    if any(result.dead_letters.values()):
        console.print("[bold]dead letters[/]")
        _part(console, *_dead_letters(result))
    _part(console, _figures(result))
    _part(console, _requests(result), _polling(result))
    console.print("[bold]results[/]")
    _part(console, *_results(result, picture))


def _part(console: Console, *lines: str | Table) -> None:
    for line in lines:
        console.print(Padding(line, (0, 0, 0, 2), expand=False))
    console.print()


def _table(*columns: str, left: int = 1) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 3, 0, 0))
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < left else "right", no_wrap=number < left)
    return table


def _runs(result: Result) -> Table:
    columns = ("items", "chunks", "messages", "invocations", "retries", "dead letters", "took")
    table = _table("run", "state", *columns, left=2)
    for run in result.runs[:_MOST]:
        table.add_row(f"[cyan]{run.id}[/]", _state(run), *_counts(run, result), _took(run))
        if run.reason:
            table.add_row("", f"[dim]{plain(run.reason)}[/]")
    if len(result.runs) > _MOST:
        table.add_row(f"[dim]and {len(result.runs) - _MOST:,} more[/]")
    return table


def _told(result: Result) -> Iterator[str]:
    """The same where there is no room for a table."""
    for run in result.runs[:_MOST]:
        items, chunks, messages, invocations, retries, dead = _counts(run, result)
        yield f"[cyan]{run.id}[/]  {_state(run)} [dim]after[/] {_took(run)}"
        yield f"  {items} items in {chunks} chunks, {messages} messages, {invocations} invocations"
        yield f"  {retries} retries, {dead} dead letters{plain(f', {run.reason}' if run.reason else '')}"
    if len(result.runs) > _MOST:
        yield f"[dim]and {len(result.runs) - _MOST:,} more[/]"


def _counts(run: RunRecord, result: Result) -> tuple[str, ...]:
    watched = result.watch.runs.get(run.id)
    invocations = watched.invocations if watched else 0
    retries = max(0, run.attempts - run.succeeded - run.failed)
    dead = f"[red]{run.dead_letters:,}[/]" if run.dead_letters else "0"
    return (*(f"{count:,}" for count in (run.items, run.chunks, run.messages, invocations, retries)), dead)


def _state(run: RunRecord) -> str:
    return f"[{_COLORS.get(run.state, 'yellow')}]{run.state}[/]"


def _dead_letters(result: Result) -> Iterator[str]:
    letters = [(run, letter) for run, found in result.dead_letters.items() for letter in found]
    for run, letter in letters[:_MOST]:
        error = plain(f"{letter.error_type}: {letter.error}")
        yield f"[cyan]{run}[/] item {letter.number}, {letter.attempts} attempts: {error}"
    if len(letters) > _MOST:
        yield f"[dim]and {len(letters) - _MOST:,} more[/]"


def _figures(result: Result) -> Table:
    virtual = result.ended - result.order.start
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_row("[bold]fires[/]", f"{result.fires:,}")
    table.add_row(
        "[bold]invocations[/]", f"{sum(result.invocations.values()):,} of {len(result.invocations)} functions"
    )
    faster = f", {virtual.total_seconds() / result.real_s:,.0f} times faster" if result.real_s else ""
    table.add_row("[bold]virtual time[/]", span(virtual))
    table.add_row("[bold]real time[/]", f"{result.real_s:.1f} s{faster}")
    if not result.idle:
        table.add_row("[bold red]still busy[/]", "a day after the end; a run that waits for something?")
    return table


def _requests(result: Result) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("AWS requests", no_wrap=True)
    table.add_column("calls")
    table.add_column("billed")
    table.add_column("dollars", justify="right", no_wrap=True)
    for service, dollars in result.bill.by_service.items():
        calls = sorted(result.requests.get(_APIS.get(service, ""), {}).items(), key=lambda call: -call[1])
        billed = [f"{line.quantity:,.6g} {line.what}" for line in result.bill.lines if line.service == service]
        called = ", ".join(f"{count:,} {operation}" for operation, count in calls)
        table.add_row(service, called, ", ".join(billed), f"{dollars:.6f}")
    items = sum(run.items for run in result.runs)
    rate = f"[dim]a million items at this rate: ${result.bill.per_million(items):,.2f}[/]" if items else ""
    table.add_row("[bold]in all[/]", rate, "", f"[bold]{result.bill.dollars:.6f}[/]")
    return table


def _polling(result: Result) -> str:
    """Most of a quiet app's bill, and easily overlooked."""
    price = bill({"sqs_requests": result.polls}).dollars
    return f"[dim]${price:.6f} of it are the queues' pollers, which ask around the clock: {result.polls:,} times[/]"


def _results(result: Result, picture: Path | None) -> Iterator[str]:
    for file in result.published[:_MOST]:
        yield f"{plain(str(file.copy or file.key))}  [dim]{_size(file.size)}[/]"
    if len(result.published) > _MOST:
        yield f"[dim]and {len(result.published) - _MOST:,} more[/]"
    if picture is not None:
        yield f"{plain(str(picture))}  [dim]items done and concurrency over virtual time[/]"
    elif result.published:
        yield "[dim]in the local cloud's bucket, which is gone now; --out DIR keeps a copy[/]"
    for path, what in ((result.order.timeline, "fires, invocations and queues"), (result.order.log, "every event")):
        if path is not None:
            yield f"{plain(str(path))}  [dim]{what}[/]"
    if not result.published:
        yield "[dim]no run has published anything[/]"


def _took(run: RunRecord) -> str:
    if not run.completed_at:
        return "[yellow]not ended[/]"
    return span(parse_time(run.completed_at) - parse_time(run.scheduled_at))


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} kB" if size >= 1e3 else f"{size} bytes"  # noqa: PLR2004
