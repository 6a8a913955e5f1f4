"""One invocation: its environment, context, deadline, and the code between the event and the outcome."""

import importlib
import json
import os
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .baton import Killed, Strand, current, no_handover
from .clock import SECOND
from .deployment import LATEST, Function
from .loop import Loop, Timer

if TYPE_CHECKING:
    from .code import Namespace


_NOT_PYTHON = "the local cloud runs Python; function {0.logical_id} is in {0.runtime}"
RESPONSE_BYTES = 6 * 1024 * 1024 + 100  # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an invocation came to: `error` is None, or the function error's kind ("Unhandled")."""

    payload: bytes
    error: str | None = None
    error_type: str = ""
    message: str = ""

    @property
    def ok(self) -> bool:
        return self.error is None

    def value(self) -> Any:
        return json.loads(self.payload) if self.payload else None


def failure(error_type: str, message: str, request_id: str, trace: list[str] | None = None) -> Outcome:
    """A function error as Lambda reports it: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html."""
    body = {"errorMessage": message, "errorType": error_type, "requestId": request_id}
    payload = json.dumps(body if trace is None else {**body, "stackTrace": trace}).encode()
    return Outcome(payload, "Unhandled", error_type, message)


class Context:
    """The context object: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html."""

    identity = None
    client_context = None

    def __init__(self, invocation: "Invocation") -> None:
        function = invocation.function
        self.function_name = function.name
        self.function_version = function.version(invocation.qualifier)
        self.invoked_function_arn = f"{function.arn}:{invocation.qualifier}" if invocation.qualifier else function.arn
        self.memory_limit_in_mb = str(function.memory_mib)
        self.aws_request_id = invocation.request_id
        self.log_group_name = function.log_group or f"/aws/lambda/{function.name}"
        self.log_stream_name = invocation.log_stream
        self._invocation = invocation

    def get_remaining_time_in_millis(self) -> int:
        left = self._invocation.deadline_ns - self._invocation.owed_ns - self._invocation.loop.clock.ns
        return max(0, left // 1_000_000)


class Invocation:
    """A call of a function in one of its environments. `over`: its outcome is known, nothing counts any more."""

    def __init__(
        self,
        *,
        function: Function,
        event: Any,
        request_id: str,
        loop: Loop,
        namespace: "Namespace",
        environ: Mapping[bytes, bytes],
        log_stream: str,
        trace: str,
        lineage: Mapping[str, int],
        finish: Callable[["Invocation", Outcome], None],
        write: Callable[[str], None],
        qualifier: str = "",
    ) -> None:
        self.function, self.event, self.request_id, self.loop = function, event, request_id, loop
        self.qualifier = qualifier
        self.namespace, self.environ, self.log_stream = namespace, dict(environ), log_stream
        self.trace, self.lineage = trace, lineage
        self.started_ns = self.deadline_ns = 0
        self.owed_ns = 0
        self.over = self.poisoned = False
        self.out_of_memory = False  # it is going to be, before its first line
        self.strands: dict[Strand, None] = {}
        self._finish = finish
        self._write = write
        self._watch: Timer | None = None

    def start(self, at: int, compute_before: int, compute_after: int, strand: Callable[..., Strand]) -> None:
        """Run the handler from `at`; half of the compute time passes before its first line and half after its last."""
        self.started_ns = at
        self.deadline_ns = at + self.function.timeout_s * SECOND
        begin = at + compute_before
        if begin >= self.deadline_ns:
            self.watch_deadline()
            return
        if self.out_of_memory:
            self.loop.at(begin, self._killed)
            return
        strand(lambda: self._perform(compute_after), self, begin)

    def watch_deadline(self) -> None:
        if self._watch is None:
            self._watch = self.loop.at(self.deadline_ns, self._expire)

    def _perform(self, compute_after: int) -> None:
        strand = current()
        assert strand is not None
        outcome = self._call(strand)
        if self.over:
            return
        at = self.loop.clock.ns + compute_after  # the handler is through: nobody has to hold the baton for that
        if at >= self.deadline_ns:
            self.watch_deadline()
        self.loop.at(at, self._computed, outcome)

    def _computed(self, outcome: Outcome) -> None:
        if not self.over:
            self.loop.at(self.loop.clock.ns, self.end, outcome)  # after what is due by now

    def _call(self, strand: Strand) -> Outcome:
        try:
            if not self.function.runtime.startswith("python"):
                raise LoadError("Runtime.Unsupported", _NOT_PYTHON.format(self.function))
            with no_handover(strand):
                handler = load(self.function.handler)
        except LoadError as error:
            return self._init_failed(error.error_type, str(error))
        except Exception as error:  # noqa: BLE001  whatever the module raises is its invocation's error
            return self._init_failed(type(error).__name__, str(error), error)
        try:
            result = handler(self.event, Context(self))
        except SystemExit as error:
            self.poisoned = True
            message = f"RequestId: {self.request_id} Error: Runtime exited with error: exit status {error.code or 0}"
            return failure("Runtime.ExitError", message, self.request_id)
        except Exception as error:  # noqa: BLE001  the edge between handler and cloud
            return self._raised(type(error).__name__, str(error), error)
        return self._answered(result)

    def _answered(self, result: Any) -> Outcome:
        try:
            payload = json.dumps(result).encode()
        except (TypeError, ValueError) as error:
            return self._raised("Runtime.MarshalError", f"Unable to marshal response: {error}", None)
        if len(payload) > RESPONSE_BYTES:
            message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES} bytes)."
            return self._raised("Function.ResponseSizeTooLarge", message, None)
        return Outcome(payload)

    def _init_failed(self, error_type: str, message: str, error: Exception | None = None) -> Outcome:
        self.poisoned = True
        return self._raised(error_type, message, error)

    def _raised(self, error_type: str, message: str, error: Exception | None) -> Outcome:
        trace = traceback.format_tb(error.__traceback__)[1:] if error is not None else []
        self._write("\n".join([f"[ERROR] {error_type}: {message}", *(line.rstrip() for line in trace)]))
        return failure(error_type, message, self.request_id, trace)

    def exited(self, status: int) -> None:
        """On a strand: the handler called `os._exit`, the whole environment is gone."""
        message = f"RequestId: {self.request_id} Error: Runtime exited with error: exit status {status}"
        self.crash(failure("Runtime.ExitError", message, self.request_id))
        raise Killed

    def crash(self, outcome: Outcome) -> None:
        """End at once, in the middle of things; the environment isn't used again."""
        self.poisoned = self.over = True
        self.loop.at(self.loop.clock.ns, self._crashed, outcome)

    def _crashed(self, outcome: Outcome) -> None:
        self.over = False
        self.end(outcome)
        self._kill()

    def _timed_out(self) -> Outcome:
        message = f"Task timed out after {self.function.timeout_s:.2f} seconds"
        self._write(f"{self.request_id} {message}")
        return failure("Sandbox.Timedout", f"RequestId: {self.request_id} Error: {message}", self.request_id)

    def _expire(self) -> None:
        self._watch = None
        if not self.over:
            self.poisoned = True
            self.end(self._timed_out())
            self._kill()

    def _killed(self) -> None:
        """https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html."""
        self.poisoned = True
        message = f"RequestId: {self.request_id} Error: Runtime exited with error: signal: killed"
        self._write(message)
        self.end(failure("Runtime.OutOfMemory", message, self.request_id))

    def _kill(self) -> None:
        for strand in list(self.strands):
            strand.kill()

    def hang(self) -> None:
        """The watchdog's: real time has run out."""
        if not self.over:
            self.poisoned = True
            self.end(self._timed_out())

    def end(self, outcome: Outcome) -> None:
        if self.over:
            return
        self.over = True
        if self._watch is not None:
            self.loop.cancel(self._watch)
            self._watch = None
        for strand in self.strands:
            strand.freeze()
        self._finish(self, outcome)


class LoadError(Exception):
    """The handler can't be loaded."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


def load(handler: str) -> Callable[[Any, Context], Any]:
    """Import "package/module.function" as Lambda does, with its messages."""
    module_name, _, attribute = handler.rpartition(".")
    module_name = module_name.replace("/", ".")
    if not module_name:
        raise LoadError("Runtime.MalformedHandlerName", f"Bad handler '{handler}': not enough values to unpack")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise LoadError("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        raise LoadError("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}") from error
    found = getattr(module, attribute, None)
    if found is None:
        raise LoadError("Runtime.HandlerNotFound", f"Handler '{attribute}' missing on module '{module_name}'")
    function: Callable[[Any, Context], Any] = found
    return function


def lambda_environ(
    function: Function,
    *,
    region: str,
    account: str,
    log_stream: str,
    version: str = LATEST,
    encode: Callable[[str], bytes] = os.fsencode,
) -> dict[bytes, bytes]:
    """The variables of a function's process.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime and, without
    the names of its log, https://docs.aws.amazon.com/lambda/latest/dg/snapstart-monitoring.html
    """
    log = {
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group or f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
    }
    snapshot = function.is_snapshot(version)
    variables = {
        "PATH": os.environ.get("PATH", ""),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mib),
        "AWS_LAMBDA_FUNCTION_VERSION": version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start" if snapshot else "on-demand",
        **({} if snapshot else log),
        "AWS_ACCESS_KEY_ID": f"ASIA{account}",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": "local",
        "LAMBDA_TASK_ROOT": str(function.code),
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "_HANDLER": function.handler,
        "POWERTOOLS_TRACE_DISABLED": "1",
        "AWS_XRAY_SDK_ENABLED": "false",
        **function.environment,
    }
    return {encode(key): encode(str(value)) for key, value in variables.items()}
