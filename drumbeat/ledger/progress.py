"""How far a chunk has come that wasn't done in one go: written only after a failure, never on the happy path.

Each record has a version; a pass over the chunk writes version n + 1 only over version n.  Of two workers that hold
the same message (twins), the stale one is refused and leaves no trace: letters and results count only under the token
of an accepted pass.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from drumbeat.errors import Fenced, RecordInvalid
from drumbeat.limits import MAX_CHUNK_ITEMS

from .table import Key, Table


@dataclass(frozen=True)
class Progress:
    """The state of an unfinished chunk. Items are named by their index in the chunk.

    pending: attempts made so far, of each item that isn't done; None while no pass has recorded any.
    due: when an item that asked for it may be tried again (seconds since the epoch).
    worked_ms: milliseconds that its passes took.
    entered: the SQS receive count of a pass that has begun and hasn't reported back.
    doing: the item that a careful pass was at when it last wrote.
    passes: tokens of the accepted passes; parts: of those that stored results.
    final: nothing is pending; what remains is to count the chunk.
    rounds: how often the keeper has sent the chunk again since it last got on.
    gave_back: the last of the passes gave back what a halted redrive didn't do: it is counted as what it was before.
    """

    version: int = 0
    pending: Mapping[int, int] | None = None
    ok: int = 0
    failed: int = 0
    attempts: int = 0
    dropped: int = 0
    worked_ms: int = 0
    due: Mapping[int, int] = field(default_factory=dict)
    entered: int = 0
    doing: int | None = None
    passes: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    final: bool = False
    rounds: int = 0
    gave_back: bool = False

    @property
    def was_attempted(self) -> bool:
        """Whether a worker has shown to have begun with the chunk."""
        return self.pending is not None or self.entered > 0

    def left(self, count: int) -> dict[int, int]:
        """The items still to do, with their attempts so far."""
        return dict.fromkeys(range(count), 0) if self.pending is None else dict(self.pending)


def read(table: Table, run_id: str, chunk: int) -> Progress:
    """The progress of a chunk, whatever else a later release has added to it; version 0 if none is recorded."""
    item = table.get(progress_key(run_id, chunk))
    if item is None:
        return Progress()
    try:
        state = json.loads(item["progress"])
        pending, due = state.pop("pending"), state.pop("due")
        return Progress(
            version=item["version"],
            pending=None if pending is None else _singles(pending),
            due=_singles(due),
            passes=tuple(state.pop("passes")),
            parts=tuple(state.pop("parts")),
            **{name: state[name] for name in Progress.__dataclass_fields__ if name in state},
        )
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        raise RecordInvalid(f"the progress of chunk {chunk} of {run_id} isn't one; something else wrote it") from None


def write(table: Table, run_id: str, chunk: int, progress: Progress, *, token: str, expires_at: int) -> Progress:
    """Record the next version; raises Fenced if another pass did so first."""
    following = replace(progress, version=progress.version + 1)
    state = {name: value for name, value in vars(following).items() if name != "version"}
    state["pending"] = None if following.pending is None else _together(following.pending)
    state["due"] = _together(following.due)
    if not following.gave_back:
        del state["gave_back"]  # earlier releases don't read it
    item, accepted = table.put(
        progress_key(run_id, chunk),
        {
            "version": following.version,
            "progress": json.dumps(state),
            "token": token,
            "expires_at": expires_at,
        },
        "attribute_not_exists(#pk) OR #version = :version",
        version=progress.version,
    )
    if not accepted and (item.get("version"), item.get("token")) != (following.version, token):
        raise Fenced(f"{run_id}#{chunk}: another worker holds this chunk; this one stops")
    return following


def _together(found: Mapping[int, int]) -> list[list[int]]:
    """Neighbours of one value as [first, how many, value]: a careful pass writes this twice for each item."""
    runs: list[list[int]] = []
    for index, value in sorted(found.items()):
        if runs and index == runs[-1][0] + runs[-1][1] and value == runs[-1][2]:
            runs[-1][1] += 1
        else:
            runs.append([index, 1, value])
    return runs


def _singles(runs: list[list[int]]) -> dict[int, int]:
    """Each index with its value; raises ValueError for more than a chunk has."""
    if sum(abs(count) for _, count, _ in runs) > MAX_CHUNK_ITEMS:
        raise ValueError("more items than a chunk has")
    return {index: value for first, count, value in runs for index in range(first, first + count)}


def progress_key(run_id: str, chunk: int) -> Key:
    """A partition for each chunk."""
    return Key(f"chunk#{run_id}#{chunk}", "progress")
