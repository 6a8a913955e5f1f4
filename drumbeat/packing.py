"""How many items share a message, and how many messages an invocation, where the author leaves that to us.

A chunk should take a small part of its worker's timeout, so that little is done twice when a worker dies; an invocation
should take long enough that its own cost doesn't matter, and no longer, so that messages are worked side by side.
"""

from typing import TYPE_CHECKING

from . import limits

if TYPE_CHECKING:
    from .task import Task

CHUNK_ITEMS = 100
SAVE_EVERY = 100
_SAVE_PART = 2  # one part of so many of what is saved
_CHUNK_PART = 0.25  # of the worker's timeout
_BATCH_S = 1.0
_BATCH = limits.SQS_SOURCE_BATCH_WITHOUT_WINDOW


def chosen_chunk_size(task: "Task", item_s: float) -> int:
    """Up to a hundred items, as many as a quarter of the timeout is expected to be enough for."""
    each = item_s / max(1, task.concurrency)
    return max(1, min(CHUNK_ITEMS, int(task.timeout_s * _CHUNK_PART / each)))


def calls_to_save(saved: int) -> int:
    """After how many more calls of SendMessageBatch the cursor moves, if that many are saved: a hundred at most.

    So a dispatcher that dies repeats a third of a small run, not all of it; and a large run pays nothing for that.
    """
    return min(SAVE_EVERY, max(_SAVE_PART, saved // _SAVE_PART))


def saves_of(calls: int) -> int:
    """How often the cursor moves in so many calls, if they take no longer than calls should."""
    saved = times = 0
    while saved < calls:
        saved, times = saved + calls_to_save(saved), times + 1
    return times


def chosen_batch_size(task: "Task") -> int:
    """Up to ten messages, as many as are expected to be done in a second."""
    if not isinstance(task.chunk_size, int) or task.chunk_size < 1:
        return 1  # which the checks will refuse
    each = task.chunk_size * task.item_s / max(1, task.concurrency)
    fitting = limits.LAMBDA_SYNC_PAYLOAD_BYTES // task.chunk_bytes
    return max(1, min(_BATCH, int(_BATCH_S / each), fitting))
