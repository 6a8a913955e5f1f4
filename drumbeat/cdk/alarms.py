"""Alarms: what a person should know of, because nothing in the app will put it right."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .keeper import Keeper
from .lane import Lane
from .metrics import FIRES_MISSED, PERIOD, RUNS_FAILED, task_metric


class Alarms(Construct):
    """Per task: a failed run, a fire that never came, a fire nobody took; for the app: a check that failed."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  (CDK's name)
        *,
        lanes: Sequence[Lane],
        keeper: Keeper,
        actions: Sequence[cloudwatch.IAlarmAction] = (),
    ) -> None:
        """actions: what an alarm does, such as aws_cloudwatch_actions.SnsAction(topic); nothing by default."""
        super().__init__(scope, id)
        self._actions = actions
        for lane in lanes:
            task = lane.task.name
            of_task = Construct(self, task)
            self._above_zero(of_task, "RunsFailed", task_metric(RUNS_FAILED, task), f"A run of {task} has failed")
            if lane.task.schedule is not None:
                self._above_zero(
                    of_task, "FiresMissed", task_metric(FIRES_MISSED, task), f"A fire of {task} never came"
                )
            self._waiting(of_task, "DeadFires", lane.dead_fires, f"A fire of {task} couldn't be delivered")
        self._waiting(self, "DeadChecks", keeper.dead_checks, "The keeper couldn't check")

    def _waiting(self, scope: Construct, id: str, queue: sqs.Queue, text: str) -> None:  # noqa: A002
        waiting = queue.metric_approximate_number_of_messages_visible(period=PERIOD, statistic=cloudwatch.Stats.MAXIMUM)
        self._above_zero(scope, id, waiting, text)

    def _above_zero(self, scope: Construct, id: str, metric: cloudwatch.Metric, text: str) -> None:  # noqa: A002
        alarm = metric.create_alarm(
            scope,
            id,
            alarm_description=text,
            threshold=0,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(*self._actions)
