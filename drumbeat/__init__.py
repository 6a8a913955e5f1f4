"""Scheduled fan-out on AWS Lambda that you can run, test, price and trust before you deploy it."""

from .at import At
from .budget import Budget
from .event import Event
from .outcome import Again, Dead
from .part import Part
from .permission import Allow
from .retry import Backoff
from .run import Run
from .schedule import Cron, Rate
from .source import DynamoItems, Range, S3Csv, S3Lines, S3Objects
from .task import Task

__all__ = [
    "Again",
    "Allow",
    "At",
    "Backoff",
    "Budget",
    "Cron",
    "Dead",
    "DynamoItems",
    "Event",
    "Part",
    "Range",
    "Rate",
    "Run",
    "S3Csv",
    "S3Lines",
    "S3Objects",
    "Task",
]
