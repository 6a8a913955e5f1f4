"""The keeper: consumes the lanes' dead-letter queue, and looks after all runs from time to time."""

from typing import Any

from drumbeat.discovery import discover
from drumbeat.errors import MalformedFire

from .batch import take_each
from .deadletters import DeadLetters
from .observability import count as metric
from .observability import frames, logger
from .services import Services
from .watch import Watch


class Keeper:
    """Answers the events of the app's keeper function."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def __call__(self, event: Any, context: Any) -> Any:
        """Take dead letters, or make a round; one task that can't be looked at doesn't keep the others from it."""
        match event:
            case {"Records": list()}:
                letters = DeadLetters(self._services)
                return take_each(event, letters.take)
            case {"keeper": "check"}:
                return self._round(context.aws_request_id)
        metric("MalformedFires")
        raise MalformedFire('the keeper expects SQS messages or {"keeper": "check"}; correct the rule\'s input')

    def _round(self, owner: str) -> None:
        settings = self._services.settings
        tasks = discover(settings.handlers)
        failed = []
        for name in filter(None, settings.tasks.split(",")):
            try:
                Watch(self._services, owner=owner).look(tasks[name])
            except Exception as error:  # noqa: BLE001  (raised below, when all tasks had their turn)
                logger.error("round failed", task=name, error=type(error).__name__, frames=frames(error))
                failed.append(error)
        if failed:
            raise ExceptionGroup("the keeper's round failed", failed)
