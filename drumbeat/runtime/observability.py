"""Logs, metrics and traces, through Powertools; service and namespace come from its own environment variables.

Nothing here is given an item, a result or the text of an error: those may hold a customer's data.
"""

import traceback
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger()
metrics = Metrics()


def count(name: str, value: float = 1) -> None:
    """Add to a metric of this invocation."""
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def frames(error: BaseException) -> list[str]:
    """Where an error came from, without what it says."""
    return [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]


def observed(handler: Any, *, tracing: bool) -> Any:
    """A Lambda handler that logs with the context's fields, flushes its metrics, and traces if it is asked to."""
    handler = metrics.log_metrics(logger.inject_lambda_context(handler, clear_state=True))
    if not tracing:
        return handler
    from aws_lambda_powertools import Tracer  # noqa: PLC0415  (the X-Ray SDK is bundled only where a task traces)

    return Tracer().capture_lambda_handler(handler, capture_response=False, capture_error=False)
