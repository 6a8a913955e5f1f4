"""The record of a run, as the ledger has it."""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from drumbeat.chunk import tree_of
from drumbeat.errors import MalformedFire, RecordInvalid
from drumbeat.packing import Learned, chunk_size_of
from drumbeat.run import Run

from .count import Totals
from .table import Item, Key

if TYPE_CHECKING:
    from drumbeat.task import Task

RETENTION = timedelta(days=90)

WAITING, RUNNING = "WAITING", "RUNNING"
SUCCEEDED, FAILED, CANCELLED, SKIPPED = "SUCCEEDED", "FAILED", "CANCELLED", "SKIPPED"
MISSED, UPSTREAM_FAILED = "MISSED", "UPSTREAM_FAILED"
STATES = (WAITING, RUNNING, SUCCEEDED, FAILED, CANCELLED, SKIPPED, MISSED, UPSTREAM_FAILED)
ENDED = (SUCCEEDED, FAILED, CANCELLED)
"""The ends of runs that were opened: these have counts, and can be redriven."""
OPENABLE = (MISSED, UPSTREAM_FAILED)
"""A fire may still open these: nothing has run under their names."""

CANCEL, ABANDON, TOLERANCE, DEADLINE, LOST = "cancel", "abandon", "tolerance", "deadline", "lost"
"""Why a run is halted."""
FAILING = (DEADLINE, LOST)
"""What isn't done when a run is halted so has failed; otherwise it is dropped."""


class Round(NamedTuple):
    """A run's first expansion, or one of its redrives: its tree, how many chunks it has, what it was to do.

    halt: why not all of that was done, if so.
    spread: of a run that was expanded in parts, how many chunks each of them has.
    """

    tree: str
    chunks: int
    manifest: str
    halt: str = ""
    spread: tuple[int, ...] = ()

    @property
    def trees(self) -> tuple[tuple[str, int], ...]:
        """The trees that hold its chunks, each with how many: one, or one for each part, in the order of items."""
        if not self.spread:
            return ((self.tree, self.chunks),)
        return tuple((f"{self.tree}+{part}", chunks) for part, chunks in enumerate(self.spread))


@dataclass(frozen=True)
class RunRecord:
    """A run as the ledger has it. Times as `format_time` writes them.

    chunks, items, messages: how far the expansion has come; in a redrive, that of the redrive, until it ends.
    worked_ms: milliseconds that workers have spent on it, once it has ended.
    learned_ms, learned_attempts: what the task's runs had shown when it was opened, see `drumbeat.packing.Learned`.
    chunk_size, chunk_bytes: how large its chunks are at most, fixed when it was opened, or when its redrive began.
    position, pin: how far in a source that is only referred to, and the ETag that it must have.
    parts, plan: in how many parts it is expanded, side by side (0: in one go), and as JSON which; spread: how many
    chunks they have, once all are sealed.
    part, first, span: of the record of a part: which one it is, the number of its first item, what of the source it
    expands (JSON).
    halt: why nothing more of the run is to be done, if so; the run ends when all its chunks are settled.
    round: how often the run was redriven, reopened_at: when it was the last time.
    history: the earlier rounds; base: what was counted before this one.
    again_failed, again_dropped: of the items that this round does again, how many had failed and were dropped.
    """

    id: str
    task: str
    scheduled_at: str
    state: str
    name: str = ""
    params: str = ""
    lane: str = "live"
    owner: str = ""
    epoch: int = 0
    chunks: int = 0
    items: int = 0
    messages: int = 0
    sealed: bool = False
    halt: str = ""
    verdict: str = ""
    reason: str = ""
    blocked_by: str = ""
    succeeded: int = 0
    failed: int = 0
    dropped: int = 0
    attempts: int = 0
    worked_ms: int = 0
    learned_ms: int = 0
    learned_attempts: int = 0
    chunk_size: int = 0
    chunk_bytes: int = 0
    started_at: str = ""
    deadline_at: str = ""
    completed_at: str = ""
    reopened_at: str = ""
    queue_url: str = ""
    dispatcher: str = ""
    tries: int = 0
    stop: int = -1
    takeovers: int = 0
    keeps_results: bool = False
    result: str = ""
    items_key: str = ""
    position: int = 0
    pin: str = ""
    parts: int = 0
    plan: str = ""
    spread: str = ""
    part: int = -1
    first: int = 0
    span: str = ""
    round: int = 0
    history: str = ""
    base: str = ""
    again_failed: int = 0
    again_dropped: int = 0
    expires_at: int = 0

    @classmethod
    def of(cls, item: Item) -> "RunRecord":
        """Read a record, whatever else a later release has added to it.

        Raises RecordInvalid for one that drumbeat can't have written, naming the field and not what is in it.
        """
        found = {name: item[name] for name in cls.__dataclass_fields__ if name in item}
        wrong = [name for name, value in found.items() if type(value) is not _TYPES[name]]
        wrong += [name for name in _COUNTS if not wrong and found.get(name, 0) < 0]
        try:
            run = Run.parse(found.get("id", ""))
        except MalformedFire:
            wrong.append("id")
        else:
            wrong += ["task"] * (found.get("task") != run.task) + ["state"] * (found.get("state") not in STATES)
        if wrong or "scheduled_at" not in found:
            which = f"{item.get('pk')!r} {item.get('sk')!r}"
            raise RecordInvalid(
                f"record {which}: a wrong {wrong[0] if wrong else 'scheduled_at'}; drumbeat didn't write it"
            )
        return cls(**found)

    @property
    def dead_letters(self) -> int:
        """Items that were given up."""
        return self.failed

    @property
    def tree(self) -> str:
        """The name of what counts the chunks of the present round, or of this part."""
        return tree_of(self.id, self.round, self.of_part)

    @property
    def top(self) -> tuple[str, int]:
        """The tree whose root has the totals of the present round, and how many children it counts: chunks, or parts.

        Parts have a tree of their own: chunks that a dispatcher sent before it died, and before another one divided
        the run, are counted in no tree that anybody looks at.
        """
        return (f"{self.tree}+", self.parts) if self.parts else (self.tree, self.chunks)

    @property
    def of_part(self) -> int | None:
        """Which part of a run this is the record of; None if it is a run's own."""
        return None if self.part < 0 else self.part

    @property
    def cut(self) -> Any:
        """What of the source this part expands, as the source has it; None if it is all of it."""
        return json.loads(self.span) if self.span else None

    @property
    def next_item(self) -> int:
        """The number of the item that the expansion has come to."""
        return self.first + self.items

    @property
    def rounds(self) -> tuple[Round, ...]:
        """All rounds in their order, the present one last."""
        earlier = json.loads(self.history) if self.history else []
        spread = json.loads(self.spread) if self.spread else []
        here = {"chunks": self.chunks, "manifest": self.items_key if self.round else "", "halt": self.halt}
        return tuple(
            Round(
                tree_of(self.id, number),
                found["chunks"],
                found["manifest"],
                found.get("halt", ""),
                tuple(found.get("spread", ())),
            )
            for number, found in enumerate([*earlier, here | {"spread": spread}])
        )

    def halted(self, round: int) -> str:  # noqa: A002  (the word of the glossary)
        """Why a round that is over was halted; nothing if it wasn't, or isn't over."""
        if round > self.round or (round == self.round and self.state not in ENDED):
            return ""
        return self.rounds[round].halt

    @property
    def totals(self) -> Totals:
        """What the run's record says was counted."""
        return Totals(self.succeeded, self.failed, self.attempts, self.dropped, self.worked_ms)

    @property
    def learned(self) -> Learned:
        """What the task's runs had shown when this one was opened."""
        return Learned(self.learned_ms, self.learned_attempts)

    def sizes(self, task: "Task") -> tuple[int, int]:
        """How many items, and how many bytes, a chunk has at most, whatever was deployed since the run was opened."""
        return self.chunk_size or chunk_size_of(task, self.learned), self.chunk_bytes or task.chunk_bytes

    def with_redrive(self, counted: Totals) -> Totals:
        """What the run has counted in all, if `counted` is what its present round has."""
        if not self.round:
            return counted
        base = Totals(**json.loads(self.base)["totals"])
        return Totals(
            base.succeeded + counted.succeeded,
            base.failed - self.again_failed + counted.failed,
            base.attempts + counted.attempts,
            base.dropped - self.again_dropped + counted.dropped,
            base.worked_ms + counted.worked_ms,
        )

    @property
    def all_items(self) -> int:
        """The items of the run, whatever round it is in."""
        return int(json.loads(self.base)["items"]) if self.round else self.items

    def run(self, bucket: str = "") -> Run:
        """What the author's functions are told of this run."""
        params: dict[str, Any] = json.loads(self.params) if self.params else {}
        return replace(Run.parse(self.id, bucket=bucket), params=params)


@dataclass(frozen=True)
class Plan:
    """What the ledger must know of a run so that others can go on with it: its task's addresses, its ways.

    items_key: the S3 key of items given by hand; keeps_results: whether somebody will read what work returns.
    chunk_bytes: how large a chunk is at most.
    """

    queue_url: str
    dispatcher: str
    keeps_results: bool = False
    items_key: str = ""
    chunk_bytes: int = 0


_TYPES = {name: declared.type for name, declared in RunRecord.__dataclass_fields__.items()}
_COUNTS = (
    *("epoch", "chunks", "items", "messages", "succeeded", "failed", "dropped", "attempts", "round", "position"),
    *("worked_ms", "learned_ms", "learned_attempts", "chunk_size", "chunk_bytes"),
)


def run_key(run: Run) -> Key:
    """All runs of a task share its partition, in the order of time."""
    return Key(f"task#{run.task}", f"run#{run.id.partition('/')[2]}")


def part_key(run_id: str, part: int) -> Key:
    """The parts of a run share a partition, in their order; a redrive has none."""
    return Key(f"parts#{run_id}", f"{part:06d}")


def key_of(record: RunRecord) -> Key:
    """Where a record is kept: that of a run, or of one of its parts."""
    return run_key(Run.parse(record.id)) if record.part < 0 else part_key(record.id, record.part)
