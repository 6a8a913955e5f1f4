"""What can be seen of an open cloud: its deployment, log, picture, permissions, counters, logs, metrics and queues."""

from collections import Counter
from datetime import datetime
from typing import Any

from .clock import to_datetime
from .deployment import Deployment, Function
from .iam import Authorizer, RoleReport, report
from .log import EventLog
from .meter import Meter
from .output import Line, Metric, Output
from .timeline import Timeline
from .world import World, function_name


class Views:
    """The part of LocalCloud that changes nothing."""

    _world: World
    _output: Output

    @property
    def deployment(self) -> Deployment:
        return self._world.deployment

    @property
    def log(self) -> EventLog:
        return self._world.log

    @property
    def timeline(self) -> Timeline:
        """The run as a picture: `cloud.timeline.write("run.svg")`."""
        return self._world.timeline

    @property
    def authorizer(self) -> Authorizer | None:
        """What roles needed (`usage`) and what they were granted for nothing (`unused`); None with authorize=False."""
        return self._world.authorizer

    def permissions(self) -> tuple[RoleReport, ...]:
        """What each role needed, what it was granted for nothing, and the smallest policy; () with authorize=False."""
        return report(self.deployment, self._world.authorizer) if self._world.authorizer is not None else ()

    @property
    def requests(self) -> Counter[tuple[str, str]]:
        """Calls made by handlers, by (service, operation)."""
        return self._world.meter.requests

    @property
    def service_requests(self) -> Counter[tuple[str, str]]:
        """Calls that services made for the app: the pollers', empty long polls included."""
        found = Counter(self._world.meter.service_requests)
        found["sqs", "ReceiveMessage"] += self._empty_receives()
        return +found

    @property
    def billed(self) -> dict[str, float]:
        """Billing units; see `drumbeat.local.meter`."""
        found = dict(self._world.meter.billed)
        found["sqs_requests"] = found.get("sqs_requests", 0) + self._empty_receives()
        return found

    def _empty_receives(self) -> int:
        return sum(mapping.empty_receives() for mapping in self._world.mappings.all.values())

    @property
    def invocations(self) -> Counter[str]:
        return self._world.meter.invocations

    @property
    def meter(self) -> Meter:
        return self._world.meter

    @property
    def samples(self) -> dict[str, list[tuple[datetime, int]]]:
        """The highest number of concurrent invocations per function, for each second in which it changed."""
        return {
            name: [(to_datetime(int(second) * 1_000_000_000), active) for second, active in series]
            for name, series in self._world.functions.samples.items()
        }

    def logs(self, function: str) -> list[Line]:
        """What a function's handler printed and logged."""
        return list(self._output.lines.get(self._name(function), ()))

    def metrics(self) -> list[Metric]:
        """The values in the embedded metric format that handlers wrote."""
        return list(self._output.metrics)

    def events(self, source: str | None = None) -> list[dict[str, Any]]:
        """What was put on the buses, as rules see it: the newest 20,000, or those of one source."""
        return [event for event in self._world.bus.events if source in (None, event["source"])]

    def queue_depth(self, queue: str) -> tuple[int, int, int]:
        """Visible, in flight and delayed messages of a queue, by name, URL, ARN or logical id."""
        name = next((known.name for known in self.deployment.queues if queue == known.logical_id), queue)
        store = self._world.queues.by_name(name.rpartition("/")[2].rpartition(":")[2])
        if store is None:
            raise KeyError(f"no queue {queue!r}; there are {sorted(self._world.queues.stores)}")
        return store.visible, store.in_flight, store.delayed

    def functions(self) -> tuple[Function, ...]:
        return self.deployment.functions

    def _name(self, function: str) -> str:
        """The name of a function given by name, ARN or logical id."""
        for known in self.deployment.functions:
            if function in (known.logical_id, known.name):
                return known.name
        return function_name(function)
