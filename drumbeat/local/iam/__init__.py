"""Evaluate the IAM policies of a deployment, as AWS would, on the calls that its functions and services make."""

from .authorizer import Authorizer
from .decision import Decision
from .needs import Need
from .report import RoleReport, Used, report
from .usage import Unused

__all__ = ["Authorizer", "Decision", "Need", "RoleReport", "Unused", "Used", "report"]
