"""What starts a task's runs: an EventBridge rule, or a schedule of EventBridge Scheduler where a rule can't serve."""

from aws_cdk import Duration, TimeZone
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as rule_targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as schedule_targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from drumbeat.schedule import At, Cron, Rate

from .function import MAX_AGE

ATTEMPTS = 185
"""AWS's own limit; MAX_AGE ends the retries of a fire that nobody takes."""


class Fire(Construct):
    """Each fire carries the task's name and the time it was scheduled for, so that a late one is still the same run."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  (CDK's name)
        *,
        task: str,
        schedule: Cron | Rate | At,
        dispatcher: lambda_.Function,
        dead_letters: sqs.Queue,
        group: scheduler.IScheduleGroup | None,
    ) -> None:
        super().__init__(scope, id)
        if isinstance(schedule, At) or schedule.needs_scheduler:
            self._schedule(task, schedule, dispatcher, dead_letters, group)
        else:
            self._rule(task, schedule, dispatcher, dead_letters)

    def _rule(self, task: str, schedule: Cron | Rate, dispatcher: lambda_.Function, dead_letters: sqs.Queue) -> None:
        events.Rule(
            self,
            "Rule",
            description=f"Fires the task {task}",
            schedule=events.Schedule.expression(schedule.expression),
            targets=[
                rule_targets.LambdaFunction(
                    dispatcher,
                    event=events.RuleTargetInput.from_object({"task": task, "scheduled_at": events.EventField.time}),
                    dead_letter_queue=dead_letters,
                    max_event_age=MAX_AGE,
                    retry_attempts=ATTEMPTS,
                )
            ],
        )

    def _schedule(
        self,
        task: str,
        schedule: Cron | Rate | At,
        dispatcher: lambda_.Function,
        dead_letters: sqs.Queue,
        group: scheduler.IScheduleGroup | None,
    ) -> None:
        window = schedule.window_minutes
        scheduler.Schedule(
            self,
            "Schedule",
            description=f"Fires the task {task}",
            schedule=scheduler.ScheduleExpression.expression(
                schedule.expression, TimeZone.of(schedule.timezone or "UTC")
            ),
            schedule_group=group,
            start=None if isinstance(schedule, At) else schedule.start,
            end=None if isinstance(schedule, At) else schedule.end,
            time_window=scheduler.TimeWindow.flexible(Duration.minutes(window))
            if window
            else scheduler.TimeWindow.off(),
            target=schedule_targets.LambdaInvoke(
                dispatcher,
                input=scheduler.ScheduleTargetInput.from_object(
                    {"task": task, "scheduled_at": "<aws.scheduler.scheduled-time>"}
                ),
                dead_letter_queue=dead_letters,
                max_event_age=MAX_AGE,
                retry_attempts=ATTEMPTS,
            ),
        )
