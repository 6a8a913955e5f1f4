"""A chain: load and rates, then report after both, then mail after report; tidy after load, however it ended."""

from collections.abc import Iterator
from typing import Any

from drumbeat import Event, Range, Run, Task

load = Task("load", retries=0, keep_results=True)
load.expand(Range(0, 3))

rates = Task("rates", retries=0)
rates.expand(Range(0, 2))

report = Task("report", after=[load, rates])
mail = Task("mail", after=["report"], retries=0)
tidy = Task("tidy", after=[load], when="ended")
heard = Task("heard", on=Event(source="my.shop", detail={"state": ["ready"]}))


@load.work
@rates.work
@report.work
@mail.work
@tidy.work
@heard.work
def do(item: Any, run: Run) -> Any:
    """Return the item, or fail if it says so."""
    if item == "poison" or run.params.get("fail") == run.task:
        raise ValueError(item)
    return item


@rates.complete
def publish(run: Run, results: Iterator[int]) -> dict[str, Any]:
    """Return what becomes the run's result."""
    return {"sum": sum(results), "of": run.id}


@report.expand
def from_upstream(run: Run) -> Iterator[Any]:
    """Yield what the runs before this one have left."""
    yield list(run.results("load"))
    yield run.result("rates")


@report.combine
def gather(values: Iterator[Any]) -> list[str]:
    """Make one list."""
    return [str(value) for value in values]


mail.expand(lambda run: [run.result("report")])
tidy.expand(lambda run: [dict(run.params)])
heard.expand(lambda run: [run.params["event"]["detail"]])

squares = Task("squares", chunk_size=1, retries=0, item_s=0.01)
squares.expand(Range(0, 300))


@squares.work
def square(number: Any, run: Run) -> Any:
    """Return the square; of text, the text itself."""
    del run
    return number * number if isinstance(number, int) else number


@squares.combine
def add(values: Iterator[int]) -> int:
    """Add up; text among the numbers makes it raise."""
    return sum(values)


@squares.complete
def only_one(run: Run, results: Iterator[int]) -> list[int]:
    """Return what is left to fan in."""
    del run
    return list(results)
