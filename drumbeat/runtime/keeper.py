"""Lambda entry point of the app's keeper."""

import os

from .keep import Keeper
from .observability import observed
from .services import Services, Settings

handler = observed(Keeper(Services(Settings.read(os.environ))), tracing=False)
