"""What a test does to a task's lane."""

from drumbeat.testing.cloud import AppCloud


def pause_worker(cloud: AppCloud, task: str, *, paused: bool = True) -> None:
    """Let no worker take a message of the live queue, or let them again."""
    worker = cloud.worker(task)
    for mapping in cloud.deployment.mappings:
        if worker in mapping.function_arn and "Backfill" not in mapping.source_arn:
            cloud.client("lambda").update_event_source_mapping(UUID=mapping.uuid, Enabled=not paused)
