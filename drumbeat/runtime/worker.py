"""Lambda entry point of a task's worker."""

import os

from drumbeat.discovery import load
from drumbeat.runtime.observability import observed
from drumbeat.runtime.services import Services, Settings
from drumbeat.runtime.take import Worker

_settings = Settings.read(os.environ)
_task = load(_settings.module, _settings.task)
handler = observed(Worker(_task, Services(_settings)), tracing=_task.tracing)
