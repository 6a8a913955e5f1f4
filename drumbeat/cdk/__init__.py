"""Constructs for an app of drumbeat: a stack composes them."""

from .alarms import Alarms
from .bundle import bundle_code, stage
from .capacity import check_tasks
from .dashboard import Dashboard
from .fire import Fire, Schedules
from .function import Function
from .keeper import Keeper
from .lane import Lane
from .ledger import IdempotencyRecords, Ledger
from .outputs import add_outputs
from .platform import Platform
from .store import Store
from .target import Target

__all__ = [
    "Alarms",
    "Dashboard",
    "Fire",
    "Function",
    "IdempotencyRecords",
    "Keeper",
    "Lane",
    "Ledger",
    "Platform",
    "Schedules",
    "Store",
    "Target",
    "add_outputs",
    "bundle_code",
    "check_tasks",
    "stage",
]
