"""What the items of the sweep's app did: a module of the test's process, shared by all of its functions."""

import sys
from collections import Counter

attempts: Counter[tuple[str, str]] = Counter()
done: set[tuple[str, str]] = set()
mended: set[str] = set()


def attempted(run_id: str, item: str) -> int:
    """Count an attempt; says which one it is."""
    attempts[run_id, item] += 1
    return attempts[run_id, item]


def attempts_of(run_id: str, item: str) -> int:
    """How often an item was begun."""
    return attempts[run_id, item]


def did(run_id: str, item: str) -> None:
    """Note that an item was done to its end."""
    done.add((run_id, item))


def done_of(run_id: str) -> set[str]:
    """The items that were done to their end, once at least."""
    return {item for run, item in done if run == run_id}


def forget() -> None:
    """Begin anew: runs of two clouds have the same ids."""
    attempts.clear()
    done.clear()
    mended.clear()


def mend(run_id: str) -> None:
    """Let the broken items of a run succeed from now on."""
    mended.add(run_id)


def is_mended(run_id: str) -> bool:
    """Whether they do."""
    return run_id in mended


def install() -> None:
    """Let the app's functions find this in `sys.modules`; to import it, it would have to be in their bundle."""
    sys.modules["faults_witness"] = sys.modules[__name__]
