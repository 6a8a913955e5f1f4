"""Lambda entry point of the app's keeper."""

import os

from .collector import uncollected

with uncollected():
    from .keep import Keeper
    from .observability import observed
    from .services import Services, Settings

    handler = observed(Keeper(Services.ready(Settings.read(os.environ))), tracing=False)
