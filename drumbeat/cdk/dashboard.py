"""One dashboard per app: what fails, what waits, what works; a line per task in each graph."""

from collections.abc import Callable, Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from .keeper import Keeper
from .lane import Lane
from .metrics import FIRES_MISSED, ITEMS_FAILED, MALFORMED_FIRES, MALFORMED_MESSAGES, PERIOD, RUNS_FAILED, task_metric

_WIDTH = 8  # a third of the grid
_OURS = {
    "Runs failed": RUNS_FAILED,
    "Fires missed": FIRES_MISSED,
    "Items failed": ITEMS_FAILED,
    "Malformed fires": MALFORMED_FIRES,
    "Malformed messages": MALFORMED_MESSAGES,
}


class Dashboard(Construct):
    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  (CDK's name)
        *,
        lanes: Sequence[Lane],
        keeper: Keeper,
    ) -> None:
        super().__init__(scope, id)

        def graph(title: str, metric: Callable[[Lane], cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
            return cloudwatch.GraphWidget(title=title, width=_WIDTH, left=[metric(lane) for lane in lanes])

        def ours(title: str, name: str) -> cloudwatch.GraphWidget:
            return graph(title, lambda lane: task_metric(name, lane.task.name))

        dashboard = cloudwatch.Dashboard(self, "Dashboard")
        dashboard.add_widgets(*(ours(title, name) for title, name in _OURS.items()))
        dashboard.add_widgets(
            graph(
                "Messages waiting",
                lambda lane: lane.queue.metric_approximate_number_of_messages_visible(
                    label=lane.task.name, period=PERIOD
                ),
            ),
            graph(
                "Oldest message",
                lambda lane: lane.queue.metric_approximate_age_of_oldest_message(label=lane.task.name, period=PERIOD),
            ),
            graph(
                "Dead letters",
                lambda lane: lane.dead_letters.metric_approximate_number_of_messages_visible(
                    label=lane.task.name, period=PERIOD
                ),
            ),
        )
        dashboard.add_widgets(
            graph(
                "Workers at the same time",
                lambda lane: lane.worker.function.metric(
                    "ConcurrentExecutions",
                    label=lane.task.name,
                    period=PERIOD,
                    statistic=cloudwatch.Stats.MAXIMUM,
                ),
            ),
            graph(
                "Worker duration",
                lambda lane: lane.worker.function.metric_duration(label=lane.task.name, period=PERIOD),
            ),
            cloudwatch.GraphWidget(
                title="Errors",
                width=_WIDTH,
                left=[
                    function.function.metric_errors(label=label, period=PERIOD)
                    for label, function in [
                        *((f"{lane.task.name} dispatcher", lane.dispatcher) for lane in lanes),
                        *((f"{lane.task.name} worker", lane.worker) for lane in lanes),
                        ("keeper", keeper.keeper),
                    ]
                ],
            ),
        )
