"""How many items share a message, and how many messages an invocation, where the author leaves that to us.

A chunk should take a small part of its worker's timeout, so that little is done twice when a worker dies; an invocation
should take long enough that its own cost doesn't matter, and no longer, so that messages are worked side by side.

What an item takes is the author's guess, `item_s`, until the task's runs have shown it.
"""

from typing import TYPE_CHECKING, NamedTuple

from . import limits

if TYPE_CHECKING:
    from .task import Task

CHUNK_ITEMS = 100
LEARNED_ITEMS = 1000
"""The largest chunk that is chosen for quick items: what the death of a worker repeats stays small."""
SAVE_EVERY = 100
_SAVE_PART = 2  # one part of so many of what is saved
_CHUNK_PART = 0.25  # of the worker's timeout
_INVOCATION_S = 5.0  # below it, what an invocation costs beyond its work is more than a few percent
_LEARNED_S = 20.0  # of a chunk that has grown: where there are many, so long an end of the run doesn't matter
_BATCHES_A_WORKER = 4  # at least, in a run like those that were learned from: so all have something to do to the end
_RUNS_IN_ALL = 2  # whose items are in what is learned: 1 + 1/2 + 1/4 + ...
_FAILED_PART = 0.1  # of the attempts of a run; if more fail, how long they took says nothing of those that don't
_BATCH = limits.SQS_SOURCE_BATCH_WITHOUT_WINDOW


class Learned(NamedTuple):
    """What a task's runs have shown: the milliseconds that workers spent, on how many attempts at items.

    Each run counts half as much as the one after it.
    """

    ms: int = 0
    attempts: int = 0

    @property
    def item_s(self) -> float:
        """Seconds of a worker that one item took; 0 if that isn't known."""
        return self.ms / 1000 / self.attempts if self.attempts else 0.0

    def after(self, *, ms: int, attempts: int, succeeded: int) -> "Learned":
        """What is known after another run; the same as before if nothing was tried in it, or much of it failed."""
        if not ms or not attempts or attempts - succeeded > attempts * _FAILED_PART:
            return self
        return Learned(ms + self.ms // 2, attempts + self.attempts // 2)


NOTHING = Learned()


def learned_of_many(items: int, seconds: float) -> Learned:
    """What many runs of so many items show together, if each takes workers so many seconds."""
    return Learned(round(_RUNS_IN_ALL * seconds * 1000), _RUNS_IN_ALL * items)


def chunk_size_of(task: "Task", learned: Learned) -> int:
    """How many items a chunk of a run has, by what was known when the run was opened.

    Where the author hasn't said it: no more than a worker does in a quarter of its timeout, with all the chunks that
    it takes at once; and beyond the first guess as many as are done in twenty seconds, up to LEARNED_ITEMS, if a
    run like those before still has some batches for each worker.  Not if the task has a `combine`: one function holds
    the results of 256 chunks.  Items that are done at the same time take as long as one of them: for that, they aren't
    parted.  A task with budgets waits for them: how long it takes says nothing of its items.
    """
    guess, each = task.chunk_size, learned.item_s
    if not task.chooses_chunk_size or not each or task.budgets:
        return guess
    in_time = int(task.timeout_s * _CHUNK_PART / (each * task.batch_size))
    most = LEARNED_ITEMS if task.combiner is None else CHUNK_ITEMS
    quick = min(most, max(CHUNK_ITEMS, int(_LEARNED_S / each)))
    enough = learned.attempts // (_RUNS_IN_ALL * _BATCHES_A_WORKER * task.max_concurrency * task.batch_size)
    return max(1, min(guess, task.concurrency), min(in_time, max(guess, min(quick, enough))))


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
    """Up to ten messages, as many as are expected to be done in five seconds, or in a quarter of the timeout.

    To receive, invoke, delete and log costs as much as a fifth of a second of 512 MiB.
    """
    if not isinstance(task.chunk_size, int) or task.chunk_size < 1:
        return 1  # which the checks will refuse
    each = task.chunk_size * task.item_s / max(1, task.concurrency)
    fitting = limits.LAMBDA_SYNC_PAYLOAD_BYTES // task.chunk_bytes
    return max(1, min(_BATCH, int(min(_INVOCATION_S, task.timeout_s * _CHUNK_PART) / each), fitting))
