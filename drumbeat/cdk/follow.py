"""What starts the runs of a task without a schedule: events, or the ends of the runs before them."""

from typing import Any

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from drumbeat.task import Task

from .fire import ATTEMPTS
from .function import MAX_AGE

SOURCE, DETAIL_TYPE = "drumbeat", "Run state changed"
ENDS = ("SUCCEEDED", "FAILED", "CANCELLED", "SKIPPED", "MISSED", "UPSTREAM_FAILED")
"""The states that a run after another one has to know of; docs/reference/events.md lists them all."""


class Follow(Construct):
    """A rule on the default bus; what it sends is only a hint to look into the ledger, so a forged one does nothing."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  (CDK's name)
        *,
        task: Task,
        dispatcher: lambda_.Function,
        dead_letters: sqs.Queue,
    ) -> None:
        super().__init__(scope, id)
        hint = events.RuleTargetInput.from_object(
            {"task": task.name, "follow": events.EventField.from_path("$.detail.run")}
        )
        events.Rule(
            self,
            "Rule",
            description=f"Starts the task {task.name}",
            event_pattern=_pattern(task),
            targets=[
                targets.LambdaFunction(
                    dispatcher,
                    event=hint if task.after else None,
                    dead_letter_queue=dead_letters,
                    max_event_age=MAX_AGE,
                    retry_attempts=ATTEMPTS,
                )
            ],
        )


def _pattern(task: Task) -> events.EventPattern:
    if task.on is None:
        detail = {"task": list(task.upstream), "state": list(ENDS)}
        return events.EventPattern(source=[SOURCE], detail_type=[DETAIL_TYPE], detail=detail)
    fields: dict[str, Any] = {name.replace("-", "_"): value for name, value in task.on.pattern.items()}
    return events.EventPattern(**fields)
