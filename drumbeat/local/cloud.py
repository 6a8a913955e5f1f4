"""LocalCloud: deploy a synthesized app into moto and let it run in virtual time."""

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from moto import mock_aws

from .asynchronous import AsyncQueue
from .baton import Stage, Strand, in_strand, virtual_sleep
from .bus import Bus
from .clock import Clock, seconds, to_ns
from .code import Importer
from .delivery import Delivery
from .deploy import deploy
from .deployment import Deployment
from .environment import fake_environment, silence_moto_triggers
from .errors import LocalError
from .faults import Seam
from .fires import Fires
from .functions import ACCOUNT_CONCURRENCY, Durations, Functions, Memory
from .gateway import Gateway, is_open
from .iam import Authorizer
from .latency import Latency
from .log import KEEP, Entry, EventLog
from .loop import Loop
from .mapping import Mappings
from .memory import spare_the_collector
from .meter import Meter
from .output import Capture, Output
from .patches import Patches
from .queues import Queues
from .sandbox import Outcome
from .shortcut import Shortcut
from .threads import Threads
from .timeline import Timeline
from .views import Views
from .world import Seeds, World

Progress = Callable[[datetime, "LocalCloud"], None]
DEFAULT_START = datetime(2026, 1, 1, tzinfo=UTC)


class LocalCloud(Views):
    """An app deployed on a virtual AWS; open it with `with`.

    The same assembly, seed, start and calls give the same log, byte for byte.  `durations` adds seconds of compute to
    an invocation: `durations(function, event, rng) -> float`.  `memory` says how many MiB an invocation takes:
    `memory(function, event) -> float`; one that takes more than its function has is killed before its first line.
    """

    def __init__(
        self,
        assembly: Path | str | Deployment | Callable[[], Deployment],
        *,
        start: datetime = DEFAULT_START,
        seed: int = 0,
        durations: Durations | None = None,
        memory: Memory | None = None,
        latency: Latency | None = None,
        faults: Seam | None = None,
        authorize: bool = True,
        stacks: Sequence[str] | None = None,
        parameters: Mapping[str, str] = {},
        strict: bool = True,
        progress: Progress | None = None,
        progress_every: int = 1,
        own_environments: bool = True,
        account_concurrency: int = ACCOUNT_CONCURRENCY,
        log_keep: int | None = KEEP,
        log_sink: Callable[[Entry], None] | None = None,
        watchdog_s: float = 60.0,
    ) -> None:
        self._assembly, self._start, self._seed = assembly, start, seed
        self._durations, self._memory = durations, memory
        self._latency, self._faults = latency or Latency(), faults or Seam()
        self._authorize, self._stacks, self._parameters, self._strict = authorize, stacks, parameters, strict
        self._progress, self._every = progress, progress_every
        self._own, self._account_concurrency = own_environments, account_concurrency
        self._log_keep, self._log_sink, self._watchdog_s = log_keep, log_sink, watchdog_s
        self._stack = contextlib.ExitStack()
        self._clients: dict[str, Any] = {}
        self._world: World
        self._output: Output
        self._capture: Capture
        self._importer: Importer
        self._gateway: Gateway
        self._patches: Patches
        self._stage: Stage
        self._outer_environ: Any = None

    # -- open and close ------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        if is_open():
            raise LocalError("a local cloud is already open in this process; close it (leave its `with`) first")
        with contextlib.ExitStack() as stack:
            seeds = Seeds(self._seed)
            stack.enter_context(fake_environment())
            clock = Clock(self._start)
            clock.open(virtual_sleep, in_strand)
            stack.callback(clock.close)
            stack.enter_context(mock_aws(config={"lambda": {"use_docker": False}}))
            self._patches = patches = Patches(seeds)
            patches.open()
            stack.callback(patches.close)
            self._world = world = self._make_world(clock, seeds)
            patches.begin()
            self._output = Output(clock)
            self._capture = capture = Capture(self._output)
            self._importer = Importer(capture.root_handler)
            self._stage = stage = Stage(
                world.loop, watchdog_s=self._watchdog_s, enter=self._enter_turn, leave=self._leave_turn
            )
            world.queues = Queues(world)
            world.functions = Functions(
                world,
                stage=stage,
                importer=self._importer,
                output=self._output,
                capture=capture,
                durations=self._durations,
                memory=self._memory,
                account_concurrency=self._account_concurrency,
                own_environments=self._own,
            )
            world.async_queue = AsyncQueue(world)
            world.delivery = Delivery(world)
            world.bus = Bus(world)
            world.fires = Fires(world)
            world.mappings = Mappings(world)
            self._gateway = gateway = Gateway(world)
            for part in (capture, self._importer, gateway, Shortcut(gateway), Threads(stage)):
                part.open()
                stack.callback(part.close)
            stack.callback(stage.close)
            if self._progress is not None:
                world.loop.hook = self._hook()
            self._stack = stack.pop_all()
        spare_the_collector()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _make_world(self, clock: Clock, seeds: Seeds) -> World:
        given = self._assembly
        if isinstance(given, Deployment):
            deployment = given
        elif callable(given):
            deployment = given()
        else:
            folder, stacks, parameters = Path(given).resolve(), self._stacks, self._parameters
            deployment = deploy(folder, stacks=stacks, parameters=parameters, strict=self._strict)
        silence_moto_triggers(deployment)
        timeline = Timeline(deployment, start_ns=clock.ns, cold_ns=seconds(self._latency.cold_start))
        sinks = (timeline.see, *([self._log_sink] if self._log_sink is not None else []))
        world = World(
            deployment=deployment,
            clock=clock,
            loop=Loop(clock),
            log=EventLog(clock, keep=self._log_keep, sinks=sinks),
            timeline=timeline,
            meter=Meter(),
            latency=self._latency,
            seeds=seeds,
        )
        world.faults = self._faults
        self._faults.seed(seeds.stream("faults"))
        if self._authorize:
            world.authorizer = Authorizer(deployment)
        return world

    def _enter_turn(self, strand: Strand) -> None:
        invocation = strand.invocation
        if invocation is not None:
            self._outer_environ = os.environ._data  # type: ignore[attr-defined]  # noqa: SLF001  a swap costs nothing
            os.environ._data = invocation.environ  # type: ignore[attr-defined]  # noqa: SLF001
            self._importer.activate(invocation.namespace)
            self._world.clock.show(self._faults.skew_s(invocation.request_id))

    def _leave_turn(self) -> None:
        self._world.clock.show(0)
        if self._outer_environ is not None:
            os.environ._data = self._outer_environ  # type: ignore[attr-defined]  # noqa: SLF001
            self._outer_environ = None

    def _hook(self) -> Callable[[], None]:
        loop, every = self._world.loop, self._every

        def hook() -> None:
            if loop.events % every == 0 and self._progress is not None:
                self._importer.activate(None)
                self._progress(self.now, self)

        return hook

    # -- time ----------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return self._world.clock.now

    def advance(self, delta: timedelta | None = None, **parts: float) -> None:
        """Let virtual time pass: `advance(minutes=5)` or `advance(timedelta(...))`."""
        self._run(
            self._world.clock.ns + ((delta or timedelta()) + timedelta(**parts)) // timedelta(microseconds=1) * 1_000
        )

    def advance_to(self, moment: datetime) -> None:
        self._run(to_ns(moment))

    def run_until_idle(self, limit: timedelta | None = None) -> bool:
        """Run until nothing is under way; future fires don't count. False if `limit` (default a day) came first."""
        until = self._world.clock.ns + (limit or timedelta(days=1)) // timedelta(microseconds=1) * 1_000
        return self._run(until, lambda: not self.busy)

    @property
    def busy(self) -> bool:
        """Whether an invocation, an event on its way, or a message of a mapped queue is under way."""
        world = self._world
        return bool(
            world.functions.running or world.async_queue.pending or world.delivery.pending or world.mappings.busy
        )

    def next_fire(self) -> datetime | None:
        found = self._world.fires.next()
        return found[0] if found else None

    def _run(self, until: int, stop: Callable[[], bool] | None = None) -> bool:
        self._capture.install()
        try:
            return self._world.loop.run(until, stop)
        finally:
            self._importer.activate(None)

    def when_calm(self, call: Callable[[], None]) -> None:
        """Call this whenever an invocation is about to begin while no other code of the app is under way.

        The process may fork then; in the child, call `forked` before anything else.
        """
        self._stage.calm = call

    def forked(self) -> None:
        """Go on in a process that was forked in a calm moment."""
        self._stage.forked()

    def load_ahead(self, function: str) -> None:
        """Load a function's code once more, for an environment that is yet to come: who forks does it once for all."""
        self._world.functions.load_ahead(self._name(function), self._patches.drawn)

    # -- doing ---------------------------------------------------------------------------------------------

    def invoke(self, function: str, event: Any) -> Outcome:
        """Invoke synchronously, as the operator; time passes until the answer."""
        outcomes: list[Outcome] = []
        self._world.functions.start(self._name(function), event, outcomes.append, source="operator")
        self._run(self._world.clock.ns + 3_600_000_000_000, lambda: bool(outcomes))
        return outcomes[0]

    def invoke_async(self, function: str, event: Any) -> str:
        """Invoke asynchronously, as the operator; returns the request id."""
        return self._world.async_queue.accept(self._name(function), event, source="operator")

    def put_events(self, *entries: dict[str, Any]) -> list[dict[str, Any]]:
        """PutEvents with entries as boto3 takes them."""
        answer: list[dict[str, Any]] = self.client("events").put_events(Entries=list(entries))["Entries"]
        return answer

    def client(self, service: str) -> Any:
        """A boto3 client for the operator: not counted, not delayed, not checked against a role."""
        if service not in self._clients:
            self._clients[service] = boto3.client(service, region_name=self.deployment.region)
        return self._clients[service]
