"""What a picture of a run needs, gathered as it happens, in bounded memory: fires, invocations, messages."""

from collections import deque
from dataclasses import dataclass
from pathlib import Path

from .deployment import Deployment
from .log import Entry
from .series import Series

MOST_BARS = 300  # of one function; above, it is drawn as how many ran at once
OK, ERROR, TIMEOUT, THROTTLE = "ok", "error", "timeout", "throttle"
WAITING, IN_FLIGHT, RUNNING, FIRE = "waiting", "in flight", "running", "fire"


@dataclass(slots=True)
class Bar:
    """One invocation."""

    start_ns: int
    cold: bool
    lane: int
    end_ns: int | None = None
    outcome: str = OK


class FunctionTrack:
    """A function's invocations: each one while they are few, and always how many by outcome."""

    def __init__(self, start_ns: int) -> None:
        self.bars: list[Bar] = []
        self.series = Series(start_ns)
        self.counts = {OK: 0, ERROR: 0, TIMEOUT: 0, THROTTLE: 0}
        self.cold = self.running = self.peak = self.started = 0
        self._open: dict[str, Bar] = {}
        self._free: deque[int] = deque()
        self.lanes = 0

    def begin(self, ns: int, request_id: str, *, cold: bool) -> None:
        self.started += 1
        self.running += 1
        self.cold += cold
        self.peak = max(self.peak, self.running)
        self.series.level(ns, RUNNING, self.running)
        if self.started <= MOST_BARS:
            if not self._free:
                self._free.append(self.lanes)
                self.lanes += 1
            bar = self._open[request_id] = Bar(ns, cold, self._free.popleft())
            self.bars.append(bar)
        elif self.bars:
            self.bars.clear()
            self._open.clear()

    def end(self, ns: int, request_id: str, outcome: str) -> None:
        self.running -= 1
        self.counts[outcome] += 1
        self.series.count(ns, outcome)
        self.series.level(ns, RUNNING, self.running)
        bar = self._open.pop(request_id, None)
        if bar is not None:
            bar.end_ns, bar.outcome = ns, outcome
            self._free.append(bar.lane)
            self._free = deque(sorted(self._free))

    def throttled(self, ns: int) -> None:
        self.counts[THROTTLE] += 1
        self.series.count(ns, THROTTLE)


class Timeline:
    """Everything that is drawn, by name. `see` takes the entries of the log, `depth` the depths of queues."""

    def __init__(self, deployment: Deployment, *, start_ns: int, cold_ns: int) -> None:
        self.start_ns = self.end_ns = start_ns
        self.cold_ns = cold_ns
        self.fires: dict[str, Series] = {}
        self.functions: dict[str, FunctionTrack] = {}
        self.queues: dict[str, Series] = {}
        self.labels = {function.name: function.logical_id for function in deployment.functions}
        self.labels |= {queue.name: queue.logical_id for queue in deployment.queues}
        self.labels |= {rule.name: rule.logical_id for rule in deployment.rules}
        self.labels |= {schedule.name: schedule.logical_id for schedule in deployment.schedules}

    def see(self, entry: Entry) -> None:
        kind = entry.kind
        self.end_ns = entry.ns
        if kind == "fire":
            self._fires(entry.subject).count(entry.ns, FIRE)
        elif kind == "invoke.start":
            self._function(entry.subject).begin(entry.ns, entry.detail["id"], cold="cold" in entry.detail)
        elif kind == "invoke.end":
            error = entry.detail.get("error")
            outcome = OK if error is None else TIMEOUT if error == "Sandbox.Timedout" else ERROR
            self._function(entry.subject).end(entry.ns, entry.detail["id"], outcome)
        elif kind == "invoke.throttled":
            self._function(entry.subject).throttled(entry.ns)

    def depth(self, ns: int, queue: str, waiting: int, in_flight: int) -> None:
        series = self.queues.get(queue)
        if series is None:
            series = self.queues[queue] = Series(self.start_ns)
        self.end_ns = max(ns, self.end_ns)
        series.level(ns, WAITING, waiting)
        series.level(ns, IN_FLIGHT, in_flight)

    def _fires(self, name: str) -> Series:
        return self.fires.setdefault(name, Series(self.start_ns))

    def _function(self, name: str) -> FunctionTrack:
        found = self.functions.get(name)
        if found is None:
            found = self.functions[name] = FunctionTrack(self.start_ns)
        return found

    def svg(self) -> str:
        """The picture, as one SVG; the same bytes for the same run."""
        from .drawing import draw  # noqa: PLC0415  most runs are never drawn

        return draw(self)

    def write(self, path: Path | str) -> Path:
        """Write the picture to a file."""
        path = Path(path)
        path.write_text(self.svg(), encoding="utf-8")
        return path
