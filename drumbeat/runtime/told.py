"""Log items, for tasks that ask for it: of each attempt, what the author's function says may be logged of the item."""

from collections.abc import Callable, Mapping
from typing import Any

from .attempt import End, Outcome
from .load import Loaded
from .observability import logger

_ATTEMPTS = (End.DONE, End.FAILED, End.DEAD)


def log_items(redact: Callable[[Any], Any], items: Mapping[int, Loaded], outcomes: Mapping[int, Outcome]) -> None:
    """Log a line for each item that was tried; nothing of an item for which the function raises."""
    for index, outcome in outcomes.items():
        if outcome.end not in _ATTEMPTS:
            continue
        number, item, *_ = items[index]
        try:
            shown = redact(item)
        except (Exception, SystemExit) as error:  # noqa: BLE001  (the author's: what it says may quote the item)
            logger.warning("item not logged", number=number, error=type(error).__name__)
            continue
        error_type = None if outcome.error is None else type(outcome.error).__name__
        logger.info("item", number=number, item=shown, end=outcome.end.value, error=error_type)
