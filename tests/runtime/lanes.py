"""What a test does to a task's lane."""

from drumbeat.local.deployment import EventSourceMapping
from drumbeat.testing.cloud import AppCloud


def live_mapping(cloud: AppCloud, task: str) -> EventSourceMapping:
    """What brings a task's worker the messages of its live queue."""
    found = (mapping for mapping in cloud.deployment.mappings if cloud.worker(task) in mapping.function_arn)
    return next(mapping for mapping in found if "Backfill" not in mapping.source_arn)


def pause_worker(cloud: AppCloud, task: str, *, paused: bool = True) -> None:
    """Let no worker take a message of the live queue, or let them again."""
    mapping = live_mapping(cloud, task)
    cloud.client("lambda").update_event_source_mapping(UUID=mapping.uuid, Enabled=not paused)
