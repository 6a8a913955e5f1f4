"""A task: when it fires, what its items are, what work one item needs. Declared once; the rest is derived."""

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import timedelta
from typing import Any, TypeVar, cast

from . import limits
from .at import At
from .budget import Budget
from .checks import check_combinations, check_expected, check_numbers, check_parameters, check_parts, check_text
from .errors import InvalidTask
from .event import Event
from .packing import chosen_batch_size, chosen_chunk_size
from .permission import Allow
from .retry import BORNE, Backoff
from .run import Run
from .schedule import Cron, Rate
from .source import DynamoItems, Range, S3Csv, S3Lines, S3Objects, Source

Expand = Callable[[Run], Iterable[Any] | Source]
Work = Callable[[Any, Run], Any]
Complete = Callable[[Run, Iterator[Any]], Any]
Combine = Callable[[Iterator[Any]], Any]
Given = TypeVar("Given", bound=Callable[..., Any] | S3Lines | S3Csv | S3Objects | Range | DynamoItems)
Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, eq=False)
class Task:
    """A declaration and its functions; a wrong one raises InvalidTask where it stands.

    name: lower-case letters, digits and hyphens; unique in an app.
    schedule: Cron, Rate or At; None for a task that is only started by hand, by an event or by other tasks.
    on: an Event: each event on the default bus that matches it starts a run, named by the event's id.
    after: tasks (or their names): a run starts when their runs of the same scheduled time have all ended well.
    when: what "well" means: "succeeded", or "ended" in any way.
    memory_mib, timeout_s: what one worker invocation gets (128-10,240 MiB; 1-900 s).
    max_concurrency: worker invocations at the same time (2-1,000).
    concurrency: items at the same time in an invocation: threads for a plain `work`, coroutines for `async def`.
    retries: how often a failed item is tried again, after `backoff`; then it is a dead letter.
    retry_on, give_up_on: types of exceptions: only these are tried again (by default all), these never.
    item_timeout_s: how long one item may take (above 0); None for as long as the invocation lasts.
    budgets: rates that this task's items share with whoever else names the same budget.
    chunk_size, chunk_bytes: how many items, and bytes of JSON, share one message at most; by default up to 100 items,
        fewer if they are expected to take more than a quarter of timeout_s; later as many as the task's own runs have
        shown to be right, up to 1,000.
    by_reference: whether messages say where their items are instead of holding them.  By default they do where the
        source can be read again by range (Range, S3Lines, S3Csv); with True, what another source or a function yields
        is first written to S3.
    parts: by how many dispatchers side by side a run is expanded (1-256); by default as many as its source is large
        for.  A function that yields items is called once for each, if it takes `part` (a Part).
    batch_size, batch_window_s: how many messages one invocation takes, and how long it may wait for them; by default
        up to ten that are expected to be done in five seconds, or a quarter of timeout_s.
    overlap: a fire while an earlier run of the task is active: "skip" it; let it wait, "buffer_one" at most or
        "buffer_all"; "cancel_other" runs for it; or "allow" it, up to `max_active_runs` at the same time.
    catch_up: a fire that never came, or came while the task was paused, is made up for if it is younger than this.
    deadline: how long after its start a run may take; what isn't done then has failed.
    tolerated_failure_count, tolerated_failure_percentage: how many items, and what share of them in percent, may fail.
        A run that exceeds what is declared stops early, and has failed.  Without either, a run does all of its items,
        and has failed if one did.
    idempotent_by: the field that identifies an item's effect: a crash in mid-chunk won't repeat what was done.
    item_s: seconds that one item is expected to take: a guess, for undeclared sizes, forecasts and virtual time.
    keep_results: keep what `work` returns even without a `complete` or `combine`: for the tasks that come after.
    permissions: what the functions may do on AWS, besides reading the task's source.
    environment: variables of the task's Lambda functions.
    tracing: X-Ray traces of the task's functions.
    snap_start: make the worker's environments from a snapshot of one that has started; needs Python 3.12 in Lambda.
    log_items: a function that is given an item and returns what may be logged of it; no item is logged without one.
    """

    name: str
    _: KW_ONLY
    schedule: Cron | Rate | At | None = None
    on: Event | None = None
    after: "Sequence[Task | str]" = ()
    when: str = "succeeded"
    memory_mib: int = 512
    timeout_s: int = 60
    max_concurrency: int = 50
    concurrency: int = 1
    retries: int = 3
    backoff: Backoff = field(default_factory=Backoff)
    retry_on: tuple[type[BaseException], ...] | None = None
    give_up_on: tuple[type[BaseException], ...] = ()
    item_timeout_s: float | None = None
    budgets: tuple[Budget, ...] = ()
    chunk_size: int = cast("int", None)
    chunk_bytes: int = 256 * 1024
    by_reference: bool | None = None
    parts: int | None = None
    batch_size: int = cast("int", None)
    batch_window_s: int = 0
    overlap: str = "skip"
    max_active_runs: int | None = None
    catch_up: timedelta | None = None
    deadline: timedelta | None = None
    tolerated_failure_count: int | None = None
    tolerated_failure_percentage: float | None = None
    keep_results: bool = False
    idempotent_by: str | None = None
    item_s: float = 0.1
    permissions: tuple[Allow, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    tracing: bool = False
    snap_start: bool = False
    log_items: Callable[[Any], Any] | None = None
    dispatcher_memory_mib: int = 1024
    dispatcher_timeout_s: int = limits.LAMBDA_TIMEOUT_S
    module: str = field(default="", repr=False)
    _chooses_chunk_size: bool = field(default=False, init=False, repr=False)
    _functions: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.module:
            object.__setattr__(self, "module", sys._getframe(2).f_globals.get("__name__", ""))  # noqa: SLF001
        for several in ("permissions", "after", "budgets", "give_up_on"):
            object.__setattr__(self, several, as_tuple(getattr(self, several)))
        if self.retry_on is not None:
            object.__setattr__(self, "retry_on", as_tuple(self.retry_on))
        check_text(self)
        check_expected(self)
        if self.chunk_size is None:
            object.__setattr__(self, "_chooses_chunk_size", True)
            object.__setattr__(self, "chunk_size", chosen_chunk_size(self, self.item_s))
        if self.batch_size is None:
            object.__setattr__(self, "batch_size", chosen_batch_size(self))
        check_numbers(self)
        check_combinations(self)

    @property
    def chooses_chunk_size(self) -> bool:
        """Whether the author leaves it to us how many items a chunk has."""
        return self._chooses_chunk_size

    @property
    def visibility_timeout_s(self) -> int:
        """Six times the function's timeout, plus the window, as AWS recommends for a queue that feeds a function.

        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        """
        return 6 * self.timeout_s + self.batch_window_s

    @property
    def max_receives(self) -> int:
        """How often SQS may deliver a message before it is a dead letter.

        Attempts are counted by drumbeat, and a throttled or unfinished delivery is none: so there is room above them,
        for an outage of what the items need, and more for a task with budgets, whose chunks come back until it is their
        turn.
        """
        return 2 * (self.retries + 1) + (100 if self.budgets else 10 + BORNE)

    @property
    def upstream(self) -> tuple[str, ...]:
        """The names of the tasks that come before this one."""
        return tuple(task if isinstance(task, str) else task.name for task in self.after)

    @property
    def active_limit(self) -> int | None:
        """How many runs may be active at the same time; None for any number."""
        return self.max_active_runs if self.overlap == "allow" else 1

    @property
    def keeps_results(self) -> bool:
        """Whether somebody reads what `work` returns."""
        return self.keep_results or self.fan_in is not None or self.combiner is not None

    @property
    def source(self) -> Expand | Source:
        """What was given to `expand`."""
        return cast("Expand | Source", self._function("expand"))

    @property
    def worker(self) -> Work:
        """What was given to `work`."""
        return cast("Work", self._function("work"))

    @property
    def fan_in(self) -> Complete | None:
        """What was given to `complete`, if anything."""
        return self._functions.get("complete")

    @property
    def combiner(self) -> Combine | None:
        """What was given to `combine`, if anything."""
        return self._functions.get("combine")

    def expand(self, given: Given) -> Given:
        """Take what yields a run's items: a function of the run, as a decorator, or a source, as a plain call.

        The function may return any iterable or a source.  It must yield the same items in the same order when it is
        called again for the same run: so a dispatcher that died goes on where it was.  One that takes longer than an
        invocation has another parameter, `skip`: how many items to leave out; one of a task with `parts` has `part`.
        """
        if not isinstance(given, Source):
            check_parameters(self, "expand", given, "run", *extras_of(given))
        check_parts(self, given)
        self._take("expand", given)
        return given

    def work(self, function: Function) -> Function:
        """Take the function that does one item, plain or `async def`; what it returns reaches `complete`."""
        check_parameters(self, "work", function, "item", "run")
        if self.idempotent_by and inspect.iscoroutinefunction(function):
            raise InvalidTask(
                f"task {self.name!r}: idempotent_by needs a plain work function (Powertools has no asynchronous "
                "idempotency); drop the async and use concurrency for threads"
            )
        self._take("work", function)
        return function

    def complete(self, function: Function) -> Function:
        """Take the function that is called with the run and its results, in item order, when a run has succeeded."""
        check_parameters(self, "complete", function, "run", "results")
        if inspect.iscoroutinefunction(function):
            raise InvalidTask(f"task {self.name!r}: complete is called in a plain function; drop the async")
        self._take("complete", function)
        return function

    def combine(self, function: Function) -> Function:
        """Take the function that makes one value of several: of what `work` returned, and of its own values again.

        It is called with an iterator, in no particular order, by many functions side by side; what it returns must be
        JSON.  `complete`, if there is one, is then given the single value that is left.
        """
        check_parameters(self, "combine", function, "values")
        if inspect.iscoroutinefunction(function):
            raise InvalidTask(f"task {self.name!r}: combine is called in a plain function; drop the async")
        self._take("combine", function)
        return function

    def _take(self, kind: str, given: object) -> None:
        if kind in self._functions:
            raise InvalidTask(f"task {self.name!r} has its {kind} already; declare a second task for another one")
        self._functions[kind] = given

    def _function(self, kind: str) -> Any:
        try:
            return self._functions[kind]
        except KeyError:
            raise InvalidTask(f"task {self.name!r} has no {kind}; decorate a function with @{kind}") from None


def as_tuple(given: Any) -> tuple[Any, ...]:
    """Several values as a tuple; a single one, by which the author meant a tuple of it, too."""
    return tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)


def extras_of(expand: Expand) -> tuple[str, ...]:
    """What else an expand function takes: `skip`, to leave out the first items itself; `part`, to yield one part."""
    return tuple(name for name in ("skip", "part") if name in inspect.signature(expand).parameters)
