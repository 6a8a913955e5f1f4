"""How many items of a run have failed so far, well enough to stop a run early, at next to no cost.

The exact count is in the leaves, of which a large run has thousands.  Here each leaf reports every `step` of its
failures, as members of one set: so a repeat adds nothing, and nothing is ever counted that didn't fail.  A run that
tolerates few failures is stopped at the first one too many; one that tolerates many, at most a step a leaf later.
"""

from .table import Key, Table
from .tree import Node

_REPORTS = 128  # so that the record stays within about a write unit


def report(table: Table, tree: str, leaf: Node, failed: int, *, tolerated: int, expires_at: int) -> bool:
    """Report that so many items have failed in a leaf; whether the run now has more failures than it tolerates."""
    step = max(1, tolerated // _REPORTS)
    reports = {f"{leaf.index}.{number}" for number in range(1, min(failed // step, _REPORTS * 2) + 1)}
    if not reports:
        return False
    item, _ = table.update(
        Key(f"failures#{tree}", "failures"),
        "SET #expires_at = :expires_at ADD #reports :reports",
        reports=reports,
        expires_at=expires_at,
    )
    return len(item["reports"]) * step > tolerated
