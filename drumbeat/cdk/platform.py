"""What all functions of an app have in common."""

from dataclasses import dataclass, field

from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from .target import Target


@dataclass(frozen=True, kw_only=True)
class Platform:
    """The code, what it runs on, how long its logs are kept, and the customer's key, if there is one."""

    code: lambda_.Code
    target: Target = field(default_factory=Target)
    log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH
    encryption_key: kms.IKey | None = None
