"""Lambda entry point of a task's dispatcher."""

import os

from drumbeat.discovery import load

from .dispatch import Dispatcher
from .observability import observed
from .services import Services, Settings

_settings = Settings.read(os.environ)
_task = load(_settings.module, _settings.task)
handler = observed(Dispatcher(_task, Services(_settings)), tracing=_task.tracing)
