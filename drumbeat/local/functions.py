"""Lambda functions: environments, concurrency, synchronous and asynchronous invocations.

Environments and concurrency: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from .clock import SECOND, seconds
from .deployment import Function
from .pool import Allowance, Environment, Pool
from .sandbox import Invocation, Outcome, lambda_environ, load
from .world import World, function_name, qualifier_of

if TYPE_CHECKING:
    from .baton import Stage
    from .code import Importer, Namespace
    from .output import Capture, Output

ACCOUNT_CONCURRENCY = 1_000  # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
REQUESTS = 10  # a second per unit of concurrency: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
RECURSION_LIMIT = 16  # https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
Durations = Callable[[Function, Any, Random], float]
Memory = Callable[[Function, Any], float]  # MiB
Done = Callable[[Outcome], None]


class Throttled(Exception):
    """No concurrency is left for the function; `reason` as in TooManyRequestsException."""

    def __init__(self, reason: str) -> None:
        super().__init__("Rate Exceeded.")
        self.reason = reason


class Recursive(Exception):
    """The function calls itself through others too often: Lambda stops the chain."""


class Functions:
    """All functions of a deployment, by name."""

    def __init__(
        self,
        world: World,
        *,
        stage: "Stage",
        importer: "Importer",
        output: "Output",
        capture: "Capture",
        durations: Durations | None,
        memory: Memory | None = None,
        account_concurrency: int = ACCOUNT_CONCURRENCY,
        own_environments: bool = True,
    ) -> None:
        self._world, self._stage, self._importer = world, stage, importer
        self._output, self._capture = output, capture
        self._durations, self._memory = durations, memory
        self._own = own_environments
        self._shared: dict[str, Namespace] = {}
        self._ahead: dict[str, list[Namespace]] = {}
        self.account_concurrency = account_concurrency
        self.pools = {
            function.name: Pool(function, world.seeds.stream(f"function {function.name}"))
            for function in world.deployment.functions
        }
        self.running = 0
        self._requests = Allowance()  # of all functions without a reserved concurrency
        self.samples: dict[str, list[tuple[float, int]]] = {}

    def function(self, name_or_arn: str) -> Function | None:
        pool = self.pools.get(function_name(name_or_arn))
        return pool.function if pool is not None else None

    def change(self, name: str, **changes: Any) -> None:
        """Apply what an API call changed (reserved concurrency, retries)."""
        pool = self.pools[name]
        pool.function = replace(pool.function, **changes)

    def start(
        self,
        name_or_arn: str,
        event: Any,
        done: Done,
        *,
        source: str,
        lineage: Mapping[str, int] | None = None,
        request_id: str | None = None,
        synchronous: bool = True,
    ) -> Invocation:
        """Begin an invocation now; raises Throttled or Recursive instead.

        Lambda's own queue of asynchronous events invokes with synchronous=False: they aren't counted by the second.
        """
        pool = self.pools[function_name(name_or_arn)]
        function = pool.function
        turns = (lineage or {}).get(function.name, 0) + 1
        if turns > RECURSION_LIMIT and function.recursive_loop != "Allow":
            self._world.log.add("invoke.recursion", function.name, turns=turns, source=source)
            raise Recursive(function.name)
        qualifier = qualifier_of(name_or_arn)
        version = function.version(qualifier)
        self._admit(pool, version, synchronous)
        environment, is_new = self._environment(pool, version)
        world = self._world
        restored = is_new and function.is_snapshot(version)
        cold = is_new and not restored
        request_id = request_id or world.uuid(pool.rng)

        def finish(invocation: Invocation, outcome: Outcome) -> None:
            self._finished(pool, environment, invocation, outcome, cold)
            done(outcome)

        invocation = Invocation(
            function=function,
            qualifier=qualifier,
            event=event,
            request_id=request_id,
            loop=world.loop,
            namespace=environment.namespace,
            environ=environment.environ,
            log_stream=environment.log_stream,
            trace=f"Root=1-{world.clock.ns // SECOND:08x}-{pool.rng.getrandbits(96):024x}",
            lineage={**(lineage or {}), function.name: turns},
            finish=finish,
            write=lambda text: self._output.write(function.name, request_id, text),
        )
        invocation.environ[b"_X_AMZN_TRACE_ID"] = invocation.trace.encode()
        if self._memory is not None:
            self._importer.activate(None)  # the model is the operator's code
            invocation.out_of_memory = self._memory(function, event) > function.memory_mib
        compute = seconds(self._compute_s(function, event, pool.rng))
        at = world.clock.ns + world.latency.draw(world.latency.start, pool.rng)
        if is_new:
            at += seconds(world.latency.restore if restored else world.latency.cold_start)
            world.meter.cold_starts[function.name] += 1
        if restored:
            world.meter.bill("snap_start_restored_gb", function.memory_mib / 1024)
        world.meter.invocations[function.name] += 1
        how = {"cold": True} if cold else {"restored": True} if restored else {}
        world.log.add("invoke.start", function.name, id=request_id, source=source, **how)
        invocation.start(at, compute // 2, compute - compute // 2, self._stage.strand)
        return invocation

    def _compute_s(self, function: Function, event: Any, rng: Random) -> float:
        if self._durations is None:
            return self._world.latency.compute
        self._importer.activate(None)  # the model is the operator's code
        return self._durations(function, event, rng)

    def _admit(self, pool: Pool, version: str, synchronous: bool) -> None:
        reserved = pool.function.reserved_concurrency
        if reserved is not None:
            limit, used, reason = reserved, pool.active, "ReservedFunctionConcurrentInvocationLimitExceeded"
        else:
            held = sum(other.function.reserved_concurrency or 0 for other in self.pools.values())
            used = sum(other.active for other in self.pools.values() if other.function.reserved_concurrency is None)
            limit, reason = self.account_concurrency - held, "ConcurrentInvocationLimitExceeded"
        world = self._world
        if synchronous and used < limit:
            requests = pool.requests if reserved is not None else self._requests
            if not requests.take(world.clock.ns, REQUESTS * limit, REQUESTS * limit):
                rate = "FunctionInvocationRateLimitExceeded"
                limit, reason = used, rate if reserved is None else f"Reserved{rate}"
        pool.forget_idle(world.clock.ns - seconds(world.latency.environment_idle))
        if used < limit and not pool.has_idle(version) and not pool.may_grow(world.clock.ns):
            limit, reason = used, "FunctionInvocationRateLimitExceeded"
        if used >= limit:
            world.meter.throttles[pool.function.name] += 1
            world.log.add("invoke.throttled", pool.function.name, reason=reason)
            raise Throttled(reason)
        pool.active += 1
        self.running += 1
        pool.peak = max(pool.peak, pool.active)
        self._sample(pool)

    def _environment(self, pool: Pool, version: str) -> tuple[Environment, bool]:
        """One that is idle, or a new one, and whether it is new."""
        world, function = self._world, pool.function
        if pool.has_idle(version):
            return pool.take_idle(version), False
        pool.made += 1
        stream = f"{world.clock.now:%Y/%m/%d}/[{version}]{pool.rng.getrandbits(128):032x}"
        if self._own:
            ahead = self._ahead.get(function.name)
            namespace = ahead.pop() if ahead else self._namespace(function)
        else:
            if function.name not in self._shared:
                self._shared[function.name] = self._namespace(function)
            namespace = self._shared[function.name]
        deployment = world.deployment
        environ = lambda_environ(
            function, region=deployment.region, account=deployment.account, log_stream=stream, version=version
        )
        return Environment(pool.made, namespace, stream, environ, version), True

    def load_ahead(self, name: str, chance: Callable[[], Any]) -> None:
        """Load the code of an environment that will be made later; it is dropped if loading it changes `chance()`."""
        function = self.pools[name].function
        namespace = self._namespace(function)
        deployment, before = self._world.deployment, chance()
        environ = lambda_environ(function, region=deployment.region, account=deployment.account, log_stream="")
        outer = os.environ._data  # type: ignore[attr-defined]  # noqa: SLF001  a swap costs nothing
        os.environ._data = environ  # type: ignore[attr-defined]  # noqa: SLF001
        self._importer.activate(namespace)
        try:
            load(function.handler)
        except Exception:  # noqa: BLE001  who invokes it will see what it raises
            return
        finally:
            self._importer.activate(None)
            os.environ._data = outer  # type: ignore[attr-defined]  # noqa: SLF001
        if chance() == before:
            self._ahead.setdefault(name, []).append(namespace)

    def _namespace(self, function: Function) -> "Namespace":
        return self._importer.namespace(function.code, function.layers, incomplete=function.layers_missing)

    def _finished(
        self, pool: Pool, environment: Environment, invocation: Invocation, outcome: Outcome, cold: bool
    ) -> None:
        world, function = self._world, pool.function
        pool.active -= 1
        self.running -= 1
        self._sample(pool)
        environment.used_ns = world.clock.ns
        if not invocation.poisoned:
            pool.idle.append(environment)
        elapsed = world.clock.ns - invocation.started_ns + (seconds(world.latency.cold_start) if cold else 0)
        gb_s = -(-elapsed // 1_000_000) / 1000 * function.memory_mib / 1024  # billed per started millisecond
        meter = world.meter
        meter.gb_seconds[function.name] = meter.gb_seconds.get(function.name, 0.0) + gb_s
        meter.bill("lambda_gb_s", gb_s)
        meter.bill("lambda_requests", 1)
        if not outcome.ok:
            meter.errors[function.name] += 1
        self._capture.finish(function.name, invocation.request_id)
        detail = {} if outcome.ok else {"error": outcome.error_type, "message": outcome.message[:200]}
        ms = (world.clock.ns - invocation.started_ns) / 1e6
        world.log.add("invoke.end", function.name, id=invocation.request_id, ms=round(ms, 3), **detail)

    def _sample(self, pool: Pool) -> None:
        """The highest concurrency in each second of virtual time."""
        second = self._world.clock.ns // SECOND
        series = self.samples.setdefault(pool.function.name, [])
        if series and series[-1][0] == second:
            if pool.active > series[-1][1]:
                series[-1] = (second, pool.active)
        else:
            series.append((second, pool.active))
