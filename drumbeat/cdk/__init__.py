"""Constructs for an app of drumbeat: a stack composes them."""

from .alarms import Alarms
from .bundle import bundle_code, stage
from .capacity import check_tasks
from .dashboard import Dashboard
from .dead_letters import DeadLetters
from .encryption import customer_key, service_statements
from .fire import Fire, Schedules
from .function import Function
from .guard import Finding, acknowledge, findings
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
    "DeadLetters",
    "Finding",
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
    "acknowledge",
    "add_outputs",
    "bundle_code",
    "check_tasks",
    "customer_key",
    "findings",
    "service_statements",
    "stage",
]
