"""How many items of a run have failed so far, well enough to stop a run early, at next to no cost.

The exact count is in the leaves, of which a large run has thousands.  Here a leaf reports how many of its items have
failed, whenever that is another `step` of them, and when the leaf is full: so nothing is ever counted that didn't fail,
and a run writes here rarely.  A run that tolerates less than 256 failures is stopped at the first one too many; one
that tolerates more, when leaves that are full, or have made a step, say so (a step is a 128th of what is tolerated).  A
report that a crash has swallowed is made up for by the leaf's next one.
"""

from .table import Key, Table

_STEPS = 128  # so that the record stays within a few write units


def report(
    table: Table,
    tree: str,
    leaf: str,
    failed: int,
    *,
    new: int,
    tolerated: int,
    expires_at: int,
    is_full: bool = False,
) -> bool:
    """Report that so many items have failed in a leaf; whether the run now has more failures than it tolerates.

    leaf: a name for it among the leaves of the run.
    new: how many of them weren't there before; while they make no step, and the leaf isn't full, nothing is reported.
    """
    step = max(1, tolerated // _STEPS)
    if failed // step == (failed - new) // step and not (is_full and step > 1):
        return False
    name = f"leaf{leaf}"
    item, _ = table.update(
        Key(f"failures#{tree}", "failures"),
        f"SET #{name} = :failed, #expires_at = :expires_at",
        f"attribute_not_exists(#{name}) OR #{name} < :failed",
        failed=failed,
        expires_at=expires_at,
    )
    reported = [int(number) for name, number in item.items() if name.startswith("leaf")]
    return sum(reported) > tolerated
