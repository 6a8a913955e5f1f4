"""Logs, metrics and traces, through Powertools; service and namespace come from its own environment variables.

Nothing here is given an item, a result or the text of an error: those may hold a customer's data.
"""

import os
import traceback
from typing import Any

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.shared.functions import strtobool

from drumbeat.chunk import Chunk
from drumbeat.discovery import load
from drumbeat.errors import DrumbeatError, TaskModuleFailed
from drumbeat.ledger.count import Totals
from drumbeat.task import Task

from .services import Settings

logger = Logger()
metrics = Metrics()
_SAID_BY_THE_GROUP = ("function_name", "function_arn", "function_memory_size")  # of the logs: each function has its own
_settled: dict[str, dict[str, Any]] = {}


class InvocationFailed(DrumbeatError):
    """What a handler raises so that AWS tries again."""


def count(name: str, value: float = 1, *, task: str = "") -> None:
    """Add to a metric of this invocation; the keeper names the task that it counts for, as alarms are per task."""
    if not task or task == metrics.service:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
        return
    with single_metric(name=name, unit=MetricUnit.Count, value=value) as metric:
        metric.add_dimension("service", task)


def settled(chunk: Chunk, totals: Totals) -> None:
    """Note that a chunk was counted: an invocation says so in one line, with its metrics, for all of its chunks.

    CloudWatch bills lines by their bytes: one for each chunk costs half as much as writing it into the ledger.
    """
    run = _settled.setdefault(chunk.run.id, {"chunks": [], "succeeded": 0, "failed": 0, "dropped": 0})
    run["chunks"].append(chunk.number)
    for name in ("succeeded", "failed", "dropped"):
        run[name] += getattr(totals, name)


def _flush(request_id: str) -> None:
    if metrics.metric_set:
        if _settled:
            metrics.add_metadata("message", "chunks settled")
            metrics.add_metadata("settled", _settled)
            metrics.add_metadata("function_request_id", request_id)
        metrics.flush_metrics()
    elif _settled:  # the keeper's metrics are lines of their own, of the tasks that it counts for
        logger.info("chunks settled", settled=_settled)
    _settled.clear()


def frames(error: BaseException) -> list[str]:
    """Where an error came from, without what it says."""
    return [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]


def loaded(settings: Settings) -> Task:
    """The function's task.  What importing its module raises may quote a value of the environment: it isn't logged."""
    try:
        return load(settings.module, settings.task)
    except TaskModuleFailed as error:
        cause = error.__cause__ or error
        missing = cause.name if isinstance(cause, ModuleNotFoundError) else None
        logger.error(  # noqa: TRY400
            "task not loaded", error=type(cause).__name__, frames=frames(cause), missing=missing
        )
        raise InvocationFailed(f"module {settings.module} can't be imported: {type(cause).__name__}") from None


def _measured(handler: Any) -> Any:
    """Flush the metrics of each invocation, however it ends; unlike log_metrics, say nothing when there are none.

    Lambda logs what a handler raises: so an error whose text may quote an item is replaced by one that doesn't.
    """

    def measured(event: Any, context: Any) -> Any:
        logger.remove_keys(_SAID_BY_THE_GROUP)
        try:
            return handler(event, context)
        except (Exception, SystemExit) as error:  # noqa: BLE001  (it is raised again, without its text)
            logger.error(  # noqa: TRY400  (the text is what must not be logged)
                "invocation failed", error=type(error).__name__, frames=frames(error)
            )
            raise InvocationFailed(f"{type(error).__name__}; the log says where, the ledger why") from None
        finally:
            _flush(context.aws_request_id)

    return measured


def observed(handler: Any, *, tracing: bool) -> Any:
    """A Lambda handler that logs with the context's fields, flushes its metrics, and traces if it is asked to."""
    handler = logger.inject_lambda_context(_measured(handler), clear_state=True, log_event=False)
    if not tracing or strtobool(os.environ.get("POWERTOOLS_TRACE_DISABLED", "false")):
        return handler  # a disabled Tracer would still load the X-Ray SDK, which opens a socket
    from aws_lambda_powertools import Tracer  # noqa: PLC0415  (the X-Ray SDK is bundled only where a task traces)

    return Tracer().capture_lambda_handler(handler, capture_response=False, capture_error=False)
