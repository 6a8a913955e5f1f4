"""Which items the chunks of a redrive hold, without their messages."""

from dataclasses import replace
from typing import Any

from drumbeat import Task
from drumbeat.control import Control
from drumbeat.runtime.redriven import of_chunks
from drumbeat.runtime.services import Services, Settings
from drumbeat.testing.cloud import AppCloud
from tests.runtime.lanes import pause_worker

LATE = {"again": 36_000, "until": "2026-01-01T03:00:00Z"}


class Session:
    """The cloud as a botocore session."""

    def __init__(self, cloud: AppCloud) -> None:
        self._cloud = cloud

    def create_client(self, name: str, **_config: Any) -> Any:
        """A client on the cloud."""
        return self._cloud.client(name)


def test_the_manifest_is_cut_as_it_was_sent_and_other_chunks_are_noticed(cloud: AppCloud, control: Control) -> None:
    """Twelve dropped items are done again, ten to a chunk; the first chunk is settled, the second in a back-off."""
    pause_worker(cloud, "asking")
    run = cloud.fire("asking", items=[*range(11), LATE])
    cloud.advance(seconds=5)
    control.cancel(run.id)
    pause_worker(cloud, "asking", paused=False)
    cloud.run_until_idle()
    control.redrive(run.id)
    cloud.advance(seconds=30)
    record = cloud.show(run).record
    services = Services(Settings(bucket=cloud.bucket, table=cloud.table), session=Session(cloud))

    for by_reference in (None, False):
        found = of_chunks(services, Task("asking", chunk_size=7, by_reference=by_reference), record, [1])
        assert [(1, [(10, 10), (11, LATE)])] == [(n, [item[:2] for item in items.values()]) for n, items in found or ()]
    for size in (11, 6):
        assert of_chunks(services, Task("asking"), replace(record, chunk_size=size), [1]) is None
    cloud.client("s3").delete_object(Bucket=cloud.bucket, Key=record.items_key)
    assert of_chunks(services, Task("asking", chunk_size=10), record, [1]) is None
