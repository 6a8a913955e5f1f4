"""The metrics of an app: drumbeat's own, as Powertools emits them, in the words of the runtime."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE = "drumbeat"
RUNS_FAILED = "RunsFailed"
FIRES_MISSED = "FiresMissed"
ITEMS_FAILED = "ItemsFailed"
MALFORMED_FIRES = "MalformedFires"
MALFORMED_MESSAGES = "MalformedMessages"
PERIOD = Duration.minutes(5)


def task_metric(name: str, task: str, *, label: str | None = None) -> cloudwatch.Metric:
    """Return the sum over a period of one of the above; Powertools adds the dimension `service`.

    label: for graphs; an alarm on a labelled metric is written as a formula.
    """
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"service": task},
        statistic=cloudwatch.Stats.SUM,
        period=PERIOD,
        label=label,
    )
