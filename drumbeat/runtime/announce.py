"""Tell others on EventBridge what has become of a run: at least once, with an id that is the same every time."""

import json
from typing import Any

from drumbeat.errors import DrumbeatError
from drumbeat.ledger.count import Totals
from drumbeat.ledger.record import RunRecord
from drumbeat.signal import SOURCE, hops_of

from .services import Services

DETAIL_TYPE = "Run state changed"


class AnnounceFailed(DrumbeatError):
    """EventBridge didn't take the announcement."""


def announce(services: Services, record: RunRecord, state: str = "", totals: Totals | None = None) -> None:
    """Put the event that a run has come to a state: by default the one of its record.

    The id is of the run, its redrive and the state, so that a listener can tell a repeat.  The reason isn't told: it
    may quote an error of the author's.
    """
    state, totals = state or record.state, totals or record.totals
    detail: dict[str, Any] = {
        "id": f"{record.tree}/{state}",
        "run": record.id,
        "task": record.task,
        "name": record.name,
        "state": state,
        "scheduled_at": record.scheduled_at,
        "redrive": record.round,
        "items": totals.items,
        "succeeded": totals.succeeded,
        "failed": totals.failed,
        "dropped": totals.dropped,
    }
    if hops := hops_of(record.run().params):
        detail["hops"] = hops
    answer = services.events.put_events(
        Entries=[{"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps(detail)}]
    )
    if answer["FailedEntryCount"]:
        raise AnnounceFailed(f"EventBridge refused to announce {record.id}: {answer['Entries'][0].get('ErrorCode')}")
