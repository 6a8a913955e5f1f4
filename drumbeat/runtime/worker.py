"""Lambda entry point of a task's worker."""

import os

from .collector import uncollected

with uncollected():
    from .observability import loaded, observed
    from .services import Services, Settings
    from .take import Worker

    _settings = Settings.read(os.environ)
    _task = loaded(_settings)
    handler = observed(Worker(_task, Services.ready(_settings)), tracing=_task.tracing)
