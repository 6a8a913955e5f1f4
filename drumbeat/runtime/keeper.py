"""Lambda entry point of the app's keeper."""

import os

from drumbeat.runtime.keep import Keeper
from drumbeat.runtime.observability import observed
from drumbeat.runtime.services import Services, Settings

handler = observed(Keeper(Services(Settings.read(os.environ))), tracing=False)
