"""What handlers print and log: kept per function with virtual time, never shown on the terminal."""

import json
import logging
import sys
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TextIO

from .baton import current
from .clock import Clock, to_datetime

KEEP = 20_000  # lines of one function, and metric values of all


@dataclass(frozen=True, slots=True)
class Line:
    """A line that a handler wrote."""

    ns: int
    request_id: str
    text: str

    @property
    def time(self) -> datetime:
        return to_datetime(self.ns)


@dataclass(frozen=True, slots=True)
class Metric:
    """A value in the embedded metric format."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    time: datetime
    value: float
    unit: str = "None"


class Output:
    """The lines of each function, and the metrics found in them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.lines: dict[str, deque[Line]] = {}
        self.metrics: deque[Metric] = deque(maxlen=KEEP)
        self.metric_sums: dict[tuple[str, str], float] = {}

    def write(self, function: str, request_id: str, text: str) -> None:
        lines = self.lines.setdefault(function, deque(maxlen=KEEP))
        lines.append(Line(self._clock.ns, request_id, text))
        if text.startswith("{") and '"_aws"' in text:
            for metric in read_emf(text, self._clock.now):
                self.metrics.append(metric)
                key = (metric.namespace, metric.name)
                self.metric_sums[key] = self.metric_sums.get(key, 0.0) + metric.value


def read_emf(text: str, now: datetime) -> Iterable[Metric]:
    """The metrics in a line of log; none if it isn't one.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    try:
        body = json.loads(text)
        directives = body["_aws"]["CloudWatchMetrics"]
    except (ValueError, KeyError, TypeError):
        return
    for directive in directives:
        for dimensions in directive.get("Dimensions") or [[]]:
            pairs = tuple((name, str(body.get(name))) for name in dimensions)
            for metric in directive.get("Metrics", ()):
                value = body.get(metric["Name"])
                for number in value if isinstance(value, list) else [value]:
                    if isinstance(number, int | float):
                        unit = metric.get("Unit", "None")
                        yield Metric(directive["Namespace"], metric["Name"], pairs, now, float(number), unit)


class Stream:
    """Stands for sys.stdout or sys.stderr: a handler's text goes to its function's lines, other text where it went."""

    def __init__(self, real: TextIO, output: Output) -> None:
        self.real = real
        self._output = output
        self._partial: dict[str, str] = {}

    def write(self, text: str) -> int:
        strand = current()
        if strand is None:
            return self.real.write(text)
        invocation = strand.invocation
        if invocation is None or invocation.over:
            return len(text)
        *lines, rest = (self._partial.pop(invocation.request_id, "") + text).split("\n")
        for line in lines:
            self._output.write(invocation.function.name, invocation.request_id, line)
        if rest:
            self._partial[invocation.request_id] = rest
        return len(text)

    def finish(self, function: str, request_id: str) -> None:
        """Flush what has no line end."""
        rest = self._partial.pop(request_id, None)
        if rest is not None:
            self._output.write(function, request_id, rest)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


class RootHandler(logging.Handler):
    """The handler that the Lambda runtime puts on the root logger, with its format."""

    def __init__(self, write: Callable[[str], Any]) -> None:
        super().__init__()
        self._write = write
        self.setFormatter(
            logging.Formatter("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(message)s", "%Y-%m-%dT%H:%M:%S")
        )

    def emit(self, record: logging.LogRecord) -> None:
        self._write(self.format(record) + "\n")


class Capture:
    """Replaces the process's streams while a local cloud is open."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._real = (sys.stdout, sys.stderr)
        self.root_handler = RootHandler(lambda text: sys.stdout.write(text))  # noqa: PLW0108  sys.stdout changes
        self.streams: tuple[Stream, ...] = ()

    def open(self) -> None:
        self._real = (sys.stdout, sys.stderr)
        self.streams = tuple(Stream(real, self._output) for real in self._real)
        sys.stdout, sys.stderr = self.streams

    def install(self) -> None:
        """Take the process's streams again, if others took them meanwhile: pytest does so between a test's phases."""
        for name, stream in zip(("stdout", "stderr"), self.streams, strict=True):
            real = getattr(sys, name)
            if real is not stream:
                stream.real = real
                setattr(sys, name, stream)

    def finish(self, function: str, request_id: str) -> None:
        for stream in self.streams:
            stream.finish(function, request_id)

    def close(self) -> None:
        sys.stdout, sys.stderr = self._real
