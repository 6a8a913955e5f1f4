"""What operators do, as a Python API: start, watch, cancel and redrive runs of a deployed app, and schedule more.

    control = Control(Deployment.of_stack(boto3.Session(), "Drumbeat"))
    run = control.run("invoices", items=["ann", "bob"])
    control.schedules.add("invoices", "tenant-42", Cron("0 6 * * ? *"), params={"tenant": 42})

What can't be done raises a DrumbeatError, of one sentence; what AWS refuses, an error of boto3's.
"""

from .backfill import BackfillPlan
from .control import Control
from .deployment import DeployedStack, Deployment
from .errors import (
    InvalidFilter,
    InvalidItems,
    InvalidParams,
    InvalidRange,
    NotDrumbeat,
    RunExists,
    RunUnknown,
    ScheduleExists,
    ScheduleUnknown,
    StackUnknown,
)
from .failures import ErrorCount, Failure
from .redrive import Redrive
from .schedules import ScheduleEntry, ScheduleView
from .status import Status

__all__ = [
    "BackfillPlan",
    "Control",
    "DeployedStack",
    "Deployment",
    "ErrorCount",
    "Failure",
    "InvalidFilter",
    "InvalidItems",
    "InvalidParams",
    "InvalidRange",
    "NotDrumbeat",
    "Redrive",
    "RunExists",
    "RunUnknown",
    "ScheduleEntry",
    "ScheduleExists",
    "ScheduleUnknown",
    "ScheduleView",
    "StackUnknown",
    "Status",
]
