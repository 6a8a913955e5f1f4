"""What a deployed app tells about itself: the stack's outputs, from which `drumbeat.control` finds everything."""

from collections.abc import Sequence

from aws_cdk import CfnOutput, Stack

from drumbeat.outputs import (
    BACKFILL,
    BUCKET,
    DEAD_FIRES,
    DISPATCHER,
    SCHEDULE_GROUP,
    SCHEDULE_ROLE,
    TABLE,
    TASKS,
    output,
)

from .fire import Schedules
from .lane import Lane
from .ledger import Ledger
from .store import Store


def add_outputs(stack: Stack, *, lanes: Sequence[Lane], ledger: Ledger, store: Store, schedules: Schedules) -> None:
    """Add them to the stack itself, so that their names are as written in `drumbeat.outputs`."""
    CfnOutput(stack, BUCKET, value=store.bucket.bucket_name, description="Inputs and results")
    CfnOutput(stack, TABLE, value=ledger.table.table_name, description="The ledger of runs")
    CfnOutput(stack, TASKS, value=",".join(lane.task.name for lane in lanes), description="The tasks of this stack")
    CfnOutput(
        stack, SCHEDULE_GROUP, value=schedules.group.schedule_group_name, description="Where runtime schedules are"
    )
    CfnOutput(stack, SCHEDULE_ROLE, value=schedules.runtime.role_arn, description="What runtime schedules run as")
    for lane in lanes:
        task = lane.task.name
        CfnOutput(stack, output(DISPATCHER, task), value=lane.dispatcher.function.function_name)
        CfnOutput(stack, output(DEAD_FIRES, task), value=lane.dead_fires.queue_arn)
        if lane.backfill_mapping is not None:
            CfnOutput(stack, output(BACKFILL, task), value=lane.backfill_mapping.event_source_mapping_id)
