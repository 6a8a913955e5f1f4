"""The same work twice."""

from typing import Any

from drumbeat import Range, Run, Task


def work(item: Any, run: Run) -> Any:
    """Return the item."""
    del run
    return item


invoices = Task("invoices", retries=0)
invoices.expand(Range(0, 3))
invoices.work(work)

reports = Task("reports", retries=0)
reports.expand(Range(0, 5))
reports.work(work)
