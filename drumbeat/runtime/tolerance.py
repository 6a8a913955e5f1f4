"""How many failures a run may have."""

from typing import TYPE_CHECKING

from drumbeat.ledger.count import Totals
from drumbeat.ledger.record import RunRecord
from drumbeat.task import Task

if TYPE_CHECKING:
    from fractions import Fraction


def allowed(task: Task, record: RunRecord) -> int | None:
    """How many items may fail before a run stops early; None while that isn't known, or if nothing was declared."""
    limits = []
    if task.tolerated_failure_count is not None:
        limits.append(task.tolerated_failure_count)
    if task.tolerated_failure_percentage is not None and record.sealed:
        limits.append(int(record.items * _share(task.tolerated_failure_percentage)))
    return min(limits, default=None)


def exceeded(task: Task, totals: Totals) -> bool:
    """Whether a run with these totals has failed: if nothing was declared, a single failed item is enough."""
    count, share = task.tolerated_failure_count, task.tolerated_failure_percentage
    if count is None and share is None:
        return totals.failed > 0
    return (count is not None and totals.failed > count) or (
        share is not None and totals.failed > _share(share) * totals.items
    )


def _share(percentage: float) -> "Fraction":
    """Exactly what the author wrote: 0.7 % of 1,000 items are 7, which binary fractions don't say."""
    from fractions import Fraction  # noqa: PLC0415  (only where a task asks for it: it costs init time)

    return Fraction(str(percentage)) / 100


def said(task: Task) -> str:
    """What the task tolerates, in words."""
    count, share = task.tolerated_failure_count, task.tolerated_failure_percentage
    words = [f"{count}" if count is not None else "", f"{share:g} %" if share is not None else ""]
    return f"{' and '.join(filter(None, words)) or 'none'} are tolerated"
