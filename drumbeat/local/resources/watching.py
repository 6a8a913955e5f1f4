"""Logs and CloudWatch: kept for boto3 to see; nothing here acts."""

import json
from typing import Any

from drumbeat.local.template import Created

from .context import Creator, Declared, flag, number, tags

_LOG_GROUP_LIMIT, _ALARM_LIMIT = 512, 255
_ALARM = (
    "AlarmActions",
    "AlarmDescription",
    "ComparisonOperator",
    "DatapointsToAlarm",
    "Dimensions",
    "EvaluateLowSampleCountPercentile",
    "EvaluationPeriods",
    "ExtendedStatistic",
    "InsufficientDataActions",
    "MetricName",
    "Metrics",
    "Namespace",
    "OKActions",
    "Period",
    "Statistic",
    "Threshold",
    "ThresholdMetricId",
    "TreatMissingData",
    "Unit",
)
_WHOLE = ("DatapointsToAlarm", "EvaluationPeriods", "Period")


def create_log_group(declared: Declared) -> Created:
    context, logs = declared.context, declared.context.client("logs")
    name = declared.name(declared.get("LogGroupName"), limit=_LOG_GROUP_LIMIT)
    logs.create_log_group(logGroupName=name, tags={tag["Key"]: tag["Value"] for tag in tags(declared)})
    if "RetentionInDays" in declared.properties:
        logs.put_retention_policy(logGroupName=name, retentionInDays=number(declared.get("RetentionInDays")))
    return Created(name, {"Arn": context.arn("logs", f"log-group:{name}:*")})


def create_log_stream(declared: Declared) -> Created:
    name = declared.name(declared.get("LogStreamName"), limit=_LOG_GROUP_LIMIT)
    declared.context.client("logs").create_log_stream(
        logGroupName=declared.properties["LogGroupName"], logStreamName=name
    )
    return Created(name)


def create_metric_filter(declared: Declared) -> Created:
    name = declared.name(declared.get("FilterName"), limit=_LOG_GROUP_LIMIT)
    declared.context.client("logs").put_metric_filter(
        logGroupName=declared.properties["LogGroupName"],
        filterName=name,
        filterPattern=declared.properties["FilterPattern"],
        metricTransformations=[_transformation(one) for one in declared.properties["MetricTransformations"]],
    )
    return Created(name)


def create_subscription_filter(declared: Declared) -> Created:
    name = declared.name(declared.get("FilterName"), limit=_LOG_GROUP_LIMIT)
    role = {"roleArn": declared.get("RoleArn")} if declared.get("RoleArn") else {}
    declared.context.client("logs").put_subscription_filter(
        logGroupName=declared.properties["LogGroupName"],
        filterName=name,
        filterPattern=declared.properties["FilterPattern"],
        destinationArn=declared.properties["DestinationArn"],
        **role,
    )
    return Created(name)


def create_alarm(declared: Declared) -> Created:
    context = declared.context
    name = declared.name(declared.get("AlarmName"), limit=_ALARM_LIMIT)
    settings = declared.pick(*_ALARM)
    settings |= {key: number(settings[key]) for key in _WHOLE if key in settings}
    if "Threshold" in settings:
        settings["Threshold"] = float(settings["Threshold"])
    context.client("cloudwatch").put_metric_alarm(
        AlarmName=name, ActionsEnabled=flag(declared.get("ActionsEnabled", True)), Tags=tags(declared), **settings
    )
    return Created(name, {"Arn": context.arn("cloudwatch", f"alarm:{name}")})


def create_composite_alarm(declared: Declared) -> Created:
    """Only name it: moto 5.2.5 has no PutCompositeAlarm."""
    name = declared.name(declared.get("AlarmName"), limit=_ALARM_LIMIT)
    return Created(name, {"Arn": declared.context.arn("cloudwatch", f"alarm:{name}")})


def create_dashboard(declared: Declared) -> Created:
    name = declared.name(declared.get("DashboardName"), limit=_ALARM_LIMIT)
    body = declared.properties["DashboardBody"]
    text = body if isinstance(body, str) else json.dumps(body)
    declared.context.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=text)
    return Created(name)


def create_query_definition(declared: Declared) -> Created:
    """Only name it: moto 5.2.5 has no PutQueryDefinition."""
    query_id = declared.context.uuid(declared.logical_id)
    return Created(query_id, {"QueryDefinitionId": query_id})


def _transformation(given: dict[str, Any]) -> dict[str, Any]:
    api = {key[0].lower() + key[1:]: value for key, value in given.items()}
    if "defaultValue" in api:
        api["defaultValue"] = float(api["defaultValue"])
    if "dimensions" in api:
        api["dimensions"] = {dimension["Key"]: dimension["Value"] for dimension in api["dimensions"]}
    return api


CREATORS: dict[str, Creator] = {
    "AWS::CloudWatch::Alarm": create_alarm,
    "AWS::CloudWatch::CompositeAlarm": create_composite_alarm,
    "AWS::CloudWatch::Dashboard": create_dashboard,
    "AWS::Logs::LogGroup": create_log_group,
    "AWS::Logs::LogStream": create_log_stream,
    "AWS::Logs::MetricFilter": create_metric_filter,
    "AWS::Logs::QueryDefinition": create_query_definition,
    "AWS::Logs::SubscriptionFilter": create_subscription_filter,
}
