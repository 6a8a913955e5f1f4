"""What happened, in order: one entry per event, the same bytes for the same seed."""

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from .clock import Clock, to_datetime

TEXT = (".txt", ".log")  # endings of a readable log's file; others have JSON Lines
KEEP = 200_000  # entries: a long run must not fill the memory


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. `kind` is `actor.verb` (for example `invoke.start`); `subject` is what it happened to."""

    ns: int
    kind: str
    subject: str
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def time(self) -> datetime:
        return to_datetime(self.ns)

    def text(self) -> str:
        detail = " ".join(f"{key}={value}" for key, value in self.detail.items())
        return f"{self.time:%Y-%m-%d %H:%M:%S.%f} {self.kind:<18} {self.subject} {detail}".rstrip()

    def json(self) -> str:
        when = f"{self.time:%Y-%m-%dT%H:%M:%S.%f}Z"
        return json.dumps({"time": when, "kind": self.kind, "subject": self.subject, **self.detail})


Sink = Callable[[Entry], None]


class EventLog:
    """Keeps the newest `keep` entries; `sinks` see every one. `dropped` counts those no longer kept."""

    def __init__(self, clock: Clock, *, keep: int | None = KEEP, sinks: Sequence[Sink] = ()) -> None:
        self._clock = clock
        self._entries: deque[Entry] = deque(maxlen=keep)
        self._sinks = tuple(sinks)
        self.count = 0

    def add(self, kind: str, subject: str, **detail: Any) -> None:
        entry = Entry(self._clock.ns, kind, subject, detail)
        self.count += 1
        self._entries.append(entry)
        for sink in self._sinks:
            sink(entry)

    @property
    def dropped(self) -> int:
        return self.count - len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def of(self, *kinds: str, subject: str | None = None) -> list[Entry]:
        """The entries of these kinds (`invoke` also means `invoke.start`), of one subject if given."""
        return [
            entry
            for entry in self._entries
            if (not kinds or entry.kind in kinds or entry.kind.partition(".")[0] in kinds)
            and (subject is None or entry.subject == subject)
        ]

    def text(self) -> str:
        return "".join(f"{entry.text()}\n" for entry in self._entries)

    def jsonl(self) -> str:
        return "".join(f"{entry.json()}\n" for entry in self._entries)

    def write(self, path: Path | str) -> Path:
        """Write the kept entries to a file: JSON Lines, or text if its name ends in .txt or .log."""
        path = Path(path)
        path.write_text(self.text() if path.suffix in TEXT else self.jsonl(), encoding="utf-8")
        return path
