"""The whole engine in one process: dispatcher, worker, keeper and time; a run takes milliseconds.

What the local cloud does for real (sandboxes, IAM, templates) is left out; what Lambda and SQS promise is kept: three
tries of an asynchronous event under one request id, visibility, receive counts, the dead-letter queue.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, NamedTuple, NoReturn

from drumbeat import Run, Task
from drumbeat.ledger import reader
from drumbeat.ledger.letters import DeadLetter
from drumbeat.ledger.record import RUNNING, WAITING, Plan, RunRecord
from drumbeat.ledger.runs import Runs
from drumbeat.runtime import expand, observability, send, work
from drumbeat.runtime.batch import take_each
from drumbeat.runtime.deadletters import DeadLetters
from drumbeat.runtime.dispatch import Dispatcher
from drumbeat.runtime.services import Settings
from drumbeat.runtime.take import Worker
from drumbeat.runtime.watch import Watch
from drumbeat.signal import Fire
from tests.faults.memory import Crash, InMemory, Message, Params, World, unreachable

START = datetime(2026, 1, 1, tzinfo=UTC)
ROUND = timedelta(minutes=15)
CALL = timedelta(milliseconds=10)
TRIES, RETRY_S = 3, 60
MANY, MOST_CALLS = 10**9, 20_000
DISPATCHER = "dispatcher"


class Called(NamedTuple):
    """A call that a function made."""

    who: str
    operation: str
    about: str


@dataclass
class Invocation:
    """What one invocation may still do: its calls end with its time."""

    who: str
    request_id: str
    until: datetime
    is_dead: bool = False


class Engine:
    """One task, deployed."""

    def __init__(
        self,
        task: Task,
        *,
        faults: Mapping[int, str] | None = None,
        away: Callable[[str, datetime], bool] = lambda _service, _now: False,
        seed: int = 0,
        skew: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """faults: by the number of a call, from 1, what happens there; away: whether a service can't be reached."""
        observability.logger.setLevel("CRITICAL")
        observability.metrics.namespace, observability.metrics.service = "drumbeat", task.name
        self.task, self.faults, self.away = task, dict(faults or {}), away
        self.rng, self.skew = Random(seed), skew
        self.world = World(START, self._answer)
        self.calls: list[Called] = []
        self.metrics: dict[str, float] = {}
        self.dead_fires: list[Any] = []
        self.working: Invocation | None = None
        self.checked = START
        self._serial = 0
        self._settings = Settings(
            task=task.name,
            table="ledger",
            bucket="bucket",
            queue_url="https://sqs/live",
            backfill_url="https://sqs/backfill",
            dispatcher=DISPATCHER,
            tasks=task.name,
            dispatchers=f'{{"{task.name}": "{DISPATCHER}"}}',
        )
        self.outside = InMemory(self._settings, self.world, self.rng.random)
        self._worker: Worker | None = None

    # -- what a test does -----------------------------------------------------------------------------------

    def fire(self, at: datetime = START, **more: Any) -> Run:
        """Let the schedule be due."""
        run = Run(self.task.name, at, "bucket")
        self.invoke(Fire(run, **more).event())
        return run

    def invoke(self, event: Params, *, after_s: float = 0) -> None:
        """Send the dispatcher an event."""
        self.world.invoked.append((self.world.now + timedelta(seconds=after_s), DISPATCHER, event))

    def record(self, run: Run) -> RunRecord:
        """A run as the ledger has it."""
        found = Runs(self.outside.table).get(run)
        assert found is not None
        return found

    def plan(self) -> Plan:
        """Where the runs of this engine go."""
        return Plan(queue_url=self._settings.queue_url, dispatcher=DISPATCHER)

    def letters(self, run: Run) -> list[DeadLetter]:
        """What was given up of it."""
        services = self.outside
        return list(reader.dead_letters(services.dynamodb, services.s3, table="", bucket="", record=self.record(run)))

    def run(self, at: datetime = START, *, within: timedelta = timedelta(days=1)) -> RunRecord:
        """Fire, and let time pass until the run has ended and all is quiet."""
        run = self.fire(at)
        self.rest(within)
        return self.record(run)

    def rest(self, within: timedelta = timedelta(days=1)) -> None:
        """Let time pass until nothing is under way."""
        until, most = self.world.now + within, len(self.calls) + MOST_CALLS
        while self.busy():
            assert len(self.calls) < most, "it goes round in circles"
            assert self.world.now < until, f"not at rest within {within}: {self.world.invoked} {self.world.queues}"
            self.step()

    def busy(self) -> bool:
        """Whether something is under way."""
        return bool(self.world.invoked) or any(self.world.queues.values()) or self._has_open_runs()

    def step(self) -> None:
        """Do what is next in time."""
        due = [when for when, _, _ in self.world.invoked]
        due += [message.visible for queue in self.world.queues.values() for message in queue]
        following = min([*due, self.checked + ROUND])
        self.world.now = max(self.world.now, following)
        ready = [event for event in self.world.invoked if event[0] <= self.world.now]
        if ready:
            self.world.invoked.remove(ready[0])
            self._dispatch(ready[0][2])
        elif self.world.now >= self.checked + ROUND:
            self.check()
        else:
            self.deliver()

    def check(self) -> None:
        """One round of the keeper."""
        self.checked = self.world.now
        self._attempt("keeper", lambda _: Watch(self._services(), owner="keeper").look(self.task), timeout_s=300)

    def deliver(self, most: int | None = None) -> None:
        """Give a batch of visible messages to the worker, or those of the dead-letter queue to the keeper."""
        for name in ("live", "backfill"):
            if batch := self._receive(name, most or self.task.batch_size):
                self.work(name, batch)
        if batch := self._receive("dead", 10):
            letters = DeadLetters(self._services())
            self._take("dead", batch, lambda event, _: take_each(event, letters.take), "keeper", 300)

    def work(self, queue: str, batch: list[Message]) -> Any:
        """Let a worker take a batch."""
        worker = self._worker = self._worker or Worker(self.task, self._services())
        return self._take(queue, batch, worker, "worker", self.task.timeout_s)

    # -- Lambda and SQS ------------------------------------------------------------------------------------

    def _dispatch(self, event: Any, request_id: str = "", attempt: int = 1) -> None:
        request_id = request_id or self._id()

        def handle(context: Any) -> None:
            Dispatcher(self.task, self._services())(event, context)

        if self._attempt(DISPATCHER, handle, timeout_s=self.task.dispatcher_timeout_s, request_id=request_id) is None:
            return
        if attempt == TRIES:
            self.dead_fires.append(event)
            return
        self.world.now += timedelta(seconds=RETRY_S * attempt)
        self._dispatch(event, request_id, attempt + 1)

    def _receive(self, name: str, most: int) -> list[Message]:
        queue, batch = self.world.queues[name], []
        visibility = self.task.visibility_timeout_s if name != "dead" else 1800
        for message in [message for message in queue if message.visible <= self.world.now][:most]:
            if name != "dead" and message.receives == self.task.max_receives:
                queue.remove(message)
                message.receives = 0
                self.world.queues["dead"].append(message)
                continue
            message.receives += 1
            message.handle = f"{message.id}.{message.receives}"
            message.visible = self.world.now + timedelta(seconds=visibility)
            batch.append(message)
        return batch

    def _take(self, name: str, batch: list[Message], handler: Any, who: str, timeout_s: float) -> Any:
        records = [
            {
                "messageId": message.id,
                "body": message.body,
                "receiptHandle": message.handle,
                "attributes": {"ApproximateReceiveCount": str(message.receives)},
                "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{name}",
            }
            for message in batch
        ]
        answers: list[Any] = []
        handles = {message.id: message.handle for message in batch}
        error = self._attempt(
            who, lambda context: answers.append(handler({"Records": records}, context)), timeout_s=timeout_s
        )
        if error is not None:
            self._worker = None
            return None
        failed = {entry["itemIdentifier"] for entry in answers[0]["batchItemFailures"]}
        assert failed <= set(handles), "an id that isn't of the batch"
        queue = self.world.queues[name]
        queue[:] = [m for m in queue if m.id in failed or handles.get(m.id) != m.handle]
        return answers[0]

    def _attempt(
        self, who: str, handle: Callable[[Any], None], *, timeout_s: float, request_id: str = ""
    ) -> BaseException | None:
        """One invocation; what has ended it, if it didn't come to its end."""
        outer, real = self.working, (expand.time, work.time, send._ALONE)
        send._ALONE = MANY  # one call after the other: the same calls each time
        expand.time = work.time = SimpleNamespace(monotonic=self._clock_s)  # type: ignore[assignment]
        mine = Invocation(who, request_id or self._id(), self.world.now + timedelta(seconds=timeout_s))
        self.working = mine
        context = SimpleNamespace(
            aws_request_id=mine.request_id,
            get_remaining_time_in_millis=lambda: (mine.until - self.world.now) / timedelta(milliseconds=1),
        )
        try:
            handle(context)
        except Crash as crash:
            self.world.now = max(self.world.now, mine.until)
            return crash
        except Exception as error:  # noqa: BLE001  (Lambda takes down whatever a handler raises)
            return error
        finally:
            self.working, (expand.time, work.time, send._ALONE) = outer, real
            for name, metric in observability.metrics.metric_set.items():
                self.metrics[name] = self.metrics.get(name, 0) + sum(metric["Value"])
            observability.metrics.clear_metrics()
        return None

    # -- the seam ------------------------------------------------------------------------------------------

    def _answer(self, service: str, operation: str, params: Params, apply: Callable[[], Any]) -> Any:
        if self.working is None:
            return apply()
        self.world.now += CALL
        if self.working.is_dead or self.world.now >= self.working.until:
            raise Crash  # whatever cleans up in a dead process
        self.calls.append(Called(self.working.who, operation, _about(params)))
        if self.away(service, self.world.now):
            raise unreachable()
        match self.faults.get(len(self.calls)):
            case "crash before":
                self._die()
            case "crash after":
                apply()
                self._die()
            case "lost reply":
                apply()
                self.calls.append(self.calls[-1])
            case "throttle":
                self.calls.append(self.calls[-1])
            case "outage":
                self.calls += [self.calls[-1]] * 3
                raise unreachable()
            case "partial acceptance":
                params["refuse"].update({entry.get("Id", "") for entry in params["Entries"][:1]})
        return apply()

    def _die(self) -> NoReturn:
        assert self.working is not None
        self.working.is_dead = True
        raise Crash

    def _services(self) -> InMemory:
        return InMemory(self._settings, self.world, self.rng.random, skew_s=self.skew())

    def _clock_s(self) -> float:
        return self.world.now.timestamp()

    def _id(self) -> str:
        self._serial += 1
        return f"r{self._serial}"

    def _has_open_runs(self) -> bool:
        states = {item.get("state", {}).get("S") for (_, sk), item in self.world.records.items() if "run#" in sk}
        return bool(states & {RUNNING, WAITING})


def _about(params: Params) -> str:
    key = params.get("Key") or params.get("Item") or {}
    return key if isinstance(key, str) else "/".join(str(key[name]["S"]) for name in ("pk", "sk") if name in key)
