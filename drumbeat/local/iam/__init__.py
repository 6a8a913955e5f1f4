"""Evaluate the IAM policies of a deployment, as AWS would, on the calls that its functions and services make."""

from .authorizer import Authorizer
from .decision import Decision
from .usage import Unused

__all__ = ["Authorizer", "Decision", "Unused"]
