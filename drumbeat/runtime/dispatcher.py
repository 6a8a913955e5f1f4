"""Lambda entry point of a task's dispatcher."""

import os

from .collector import uncollected

with uncollected():
    from .dispatch import Dispatcher
    from .observability import loaded, observed
    from .services import Services, Settings

    _settings = Settings.read(os.environ)
    _task = loaded(_settings)
    handler = observed(Dispatcher(_task, Services.ready(_settings)), tracing=_task.tracing)
