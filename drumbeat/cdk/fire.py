"""What starts a task's runs: an EventBridge rule, or a schedule of EventBridge Scheduler where a rule can't serve."""

from aws_cdk import Duration, RemovalPolicy, Stack, TimeZone
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as rule_targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as schedule_targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from drumbeat.at import At
from drumbeat.schedule import Cron, Rate

from .encryption import allow_key
from .function import MAX_AGE

ATTEMPTS = 185
"""AWS's own limit; MAX_AGE ends the retries of a fire that nobody takes."""
SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
"""https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html."""


class Schedules(Construct):
    """The one group that an app's schedules are in: those of the tasks, and those that are added while it runs.

    `runtime` is the role of the latter: Scheduler may assume it to invoke the dispatchers that were `allow`ed.
    """

    def __init__(self, scope: Construct, id: str, *, encryption_key: kms.IKey | None = None) -> None:  # noqa: A002
        super().__init__(scope, id)
        self._key = encryption_key
        self.group = scheduler.ScheduleGroup(self, "Group", removal_policy=RemovalPolicy.DESTROY)
        self.runtime = self.role(Construct(self, "Runtime"))

    def allow(self, dispatcher: lambda_.Function, dead_letters: sqs.Queue) -> None:
        """Let schedules that are added later fire a dispatcher, and keep what it didn't take."""
        self.runtime.add_to_policy(
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[dispatcher.function_arn])
        )
        self.runtime.add_to_policy(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[dead_letters.queue_arn]))

    def role(self, scope: Construct) -> iam.Role:
        """Return a role for the target of one schedule, which Scheduler may assume for this group only.

        CDK would make the same one, with the group's ARN as an attribute that emulators don't have.
        https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
        """
        stack = Stack.of(self)
        arn = stack.format_arn(
            service="scheduler", resource="schedule-group", resource_name=self.group.schedule_group_name
        )
        only_ours = {"StringEquals": {"aws:SourceAccount": stack.account, "aws:SourceArn": arn}}
        role = iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com", conditions=only_ours))
        allow_key(role, self._key, "sqs")  # for what it couldn't deliver
        return role


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
        schedules: Schedules | None = None,
    ) -> None:
        """schedules: needed where a rule can't serve."""
        super().__init__(scope, id)
        if not isinstance(schedule, At) and not schedule.needs_scheduler:
            self._rule(task, schedule, dispatcher, dead_letters)
        else:
            self._schedule(task, schedule, dispatcher, dead_letters, schedules or Schedules(self, "Schedules"))

    def _rule(self, task: str, schedule: Cron | Rate, dispatcher: lambda_.Function, dead_letters: sqs.Queue) -> None:
        target = rule_targets.LambdaFunction(
            dispatcher,
            event=events.RuleTargetInput.from_object({"task": task, "scheduled_at": events.EventField.time}),
            dead_letter_queue=dead_letters,
            max_event_age=MAX_AGE,
            retry_attempts=ATTEMPTS,
        )
        events.Rule(
            self,
            "Rule",
            description=f"Fires the task {task}",
            schedule=events.Schedule.expression(schedule.expression),
            targets=[target],
        )

    def _schedule(
        self,
        task: str,
        schedule: Cron | Rate | At,
        dispatcher: lambda_.Function,
        dead_letters: sqs.Queue,
        schedules: Schedules,
    ) -> None:
        target = schedule_targets.LambdaInvoke(
            dispatcher,
            input=scheduler.ScheduleTargetInput.from_object({"task": task, "scheduled_at": SCHEDULED_TIME}),
            dead_letter_queue=dead_letters,
            max_event_age=MAX_AGE,
            retry_attempts=ATTEMPTS,
            role=schedules.role(self),
        )
        window = schedule.window_minutes
        made = scheduler.Schedule(
            self,
            "Schedule",
            description=f"Fires the task {task}",
            schedule=scheduler.ScheduleExpression.expression(
                schedule.expression, TimeZone.of(schedule.timezone or "UTC")
            ),
            schedule_group=schedules.group,
            start=None if isinstance(schedule, At) else schedule.start,
            end=None if isinstance(schedule, At) else schedule.end,
            time_window=scheduler.TimeWindow.flexible(Duration.minutes(window)) if window else None,
            target=target,
        )
        made.node.add_dependency(schedules)  # it names the group by text, which is no dependency in itself
