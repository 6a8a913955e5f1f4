"""The outputs of an app's stack, by which operators find what was deployed: cdk writes them, control reads them."""

TABLE, BUCKET, TASKS = "TableName", "BucketName", "TaskNames"
SCHEDULE_GROUP, SCHEDULE_ROLE = "ScheduleGroupName", "ScheduleRoleArn"
DISPATCHER, DEAD_FIRES, BACKFILL = "Dispatcher", "DeadFires", "Backfill"
"""Followed by the name of a task: `DispatcherNightlyInvoices`."""


def output(kind: str, task: str) -> str:
    """Return the name of an output that each task has; CloudFormation takes letters and digits only."""
    return kind + "".join(word.capitalize() for word in task.split("-"))
