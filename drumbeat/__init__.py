"""Scheduled fan-out on AWS Lambda that you can run, test, price and trust before you deploy it."""

from drumbeat.at import At
from drumbeat.permission import Allow
from drumbeat.retry import Backoff
from drumbeat.run import Run
from drumbeat.schedule import Cron, Rate
from drumbeat.source import DynamoItems, Range, S3Lines, S3Objects
from drumbeat.task import Task

__all__ = [
    "Allow",
    "At",
    "Backoff",
    "Cron",
    "DynamoItems",
    "Range",
    "Rate",
    "Run",
    "S3Lines",
    "S3Objects",
    "Task",
]
