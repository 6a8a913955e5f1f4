"""Lambda entry point of a task's worker."""

import os

from drumbeat.discovery import load

from .observability import observed
from .services import Services, Settings
from .take import Worker

_settings = Settings.read(os.environ)
_task = load(_settings.module, _settings.task)
handler = observed(Worker(_task, Services(_settings)), tracing=_task.tracing)
