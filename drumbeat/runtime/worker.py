"""Lambda entry point of a task's worker."""

import os

from .collector import uncollected

with uncollected():
    from .observability import loaded, observed
    from .services import Services, Settings
    from .take import Worker

    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        from .restored import renew_when_restored

        renew_when_restored()
    _settings = Settings.read(os.environ)
    _task = loaded(_settings)
    handler = observed(Worker(_task, Services.ready(_settings)), tracing=_task.tracing)
