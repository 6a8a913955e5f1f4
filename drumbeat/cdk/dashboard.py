"""One dashboard per app: what fails, what waits, what works; a line per task in each graph."""

from collections.abc import Callable, Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from .keeper import Keeper
from .lane import Lane
from .metrics import FIRES_MISSED, ITEMS_FAILED, MALFORMED_FIRES, MALFORMED_MESSAGES, PERIOD, RUNS_FAILED, task_metric

_WIDTH = 8  # a third of the grid


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
        dashboard = cloudwatch.Dashboard(self, "Dashboard")
        for row in _ROWS:
            dashboard.add_widgets(*_graphs(row, lanes))
        dead = keeper.dead_letters.queue.metric_approximate_number_of_messages_visible(label="all tasks", period=PERIOD)
        dashboard.add_widgets(*_graphs(_MESSAGES, lanes), _graph("Dead letters", [dead]))
        dashboard.add_widgets(
            _graph("Malformed fires", [_ours(MALFORMED_FIRES)(lane) for lane in lanes]),
            _graph("Malformed messages", [_ours(MALFORMED_MESSAGES)(lane) for lane in lanes]),
            _graph("Errors", [*_errors(lanes), keeper.keeper.function.metric_errors(label="keeper", period=PERIOD)]),
        )


def _graph(title: str, lines: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, width=_WIDTH, left=lines)


def _graphs(row: "_Row", lanes: Sequence[Lane]) -> list[cloudwatch.GraphWidget]:
    return [_graph(title, [line(lane) for lane in lanes]) for title, line in row.items()]


def _ours(name: str) -> Callable[[Lane], cloudwatch.IMetric]:
    return lambda lane: task_metric(name, lane.task.name, label=lane.task.name)


def _waiting(lane: Lane) -> cloudwatch.IMetric:
    return lane.queue.metric_approximate_number_of_messages_visible(label=lane.task.name, period=PERIOD)


def _oldest(lane: Lane) -> cloudwatch.IMetric:
    return lane.queue.metric_approximate_age_of_oldest_message(label=lane.task.name, period=PERIOD)


def _concurrency(lane: Lane) -> cloudwatch.IMetric:
    return lane.worker.function.metric(
        "ConcurrentExecutions", label=lane.task.name, period=PERIOD, statistic=cloudwatch.Stats.MAXIMUM
    )


def _duration(lane: Lane) -> cloudwatch.IMetric:
    return lane.worker.function.metric_duration(label=lane.task.name, period=PERIOD)


def _throttles(lane: Lane) -> cloudwatch.IMetric:
    return lane.worker.function.metric_throttles(label=lane.task.name, period=PERIOD)


def _errors(lanes: Sequence[Lane]) -> list[cloudwatch.IMetric]:
    return [
        made.function.metric_errors(label=f"{lane.task.name} {kind}", period=PERIOD)
        for lane in lanes
        for kind, made in (("dispatcher", lane.dispatcher), ("worker", lane.worker))
    ]


_Row = dict[str, Callable[[Lane], cloudwatch.IMetric]]
_MESSAGES: _Row = {"Messages waiting": _waiting, "Oldest message": _oldest}
_ROWS: tuple[_Row, ...] = (
    {"Runs failed": _ours(RUNS_FAILED), "Fires missed": _ours(FIRES_MISSED), "Items failed": _ours(ITEMS_FAILED)},
    {"Workers at the same time": _concurrency, "Worker duration": _duration, "Workers throttled": _throttles},
)
