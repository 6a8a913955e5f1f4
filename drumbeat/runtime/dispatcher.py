"""Lambda entry point of a task's dispatcher."""

import os

from drumbeat.discovery import load
from drumbeat.runtime.dispatch import Dispatcher
from drumbeat.runtime.observability import observed
from drumbeat.runtime.services import Services, Settings

_settings = Settings.read(os.environ)
_task = load(_settings.module, _settings.task)
handler = observed(Dispatcher(_task, Services(_settings)), tracing=_task.tracing)
