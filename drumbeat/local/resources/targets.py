"""What rules and schedules have in common: targets, and expressions that AWS would refuse."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from drumbeat.errors import InvalidSchedule
from drumbeat.local.deployment import Target
from drumbeat.schedule import parse_schedule

from .context import Declared, number


def target(given: Mapping[str, Any], *, id: str) -> Target:  # noqa: A002, the field's name
    transformer, retry = given.get("InputTransformer") or {}, given.get("RetryPolicy") or {}
    return Target(
        id=id,
        arn=given["Arn"],
        input=given.get("Input"),
        input_path=given.get("InputPath"),
        input_paths=transformer.get("InputPathsMap", {}),
        input_template=transformer.get("InputTemplate"),
        role_arn=given.get("RoleArn"),
        max_event_age_s=number(retry.get("MaximumEventAgeInSeconds", Target.max_event_age_s)),
        max_retry_attempts=number(retry.get("MaximumRetryAttempts", Target.max_retry_attempts)),
        dead_letter_arn=(given.get("DeadLetterConfig") or {}).get("Arn"),
        message_group_id=(given.get("SqsParameters") or {}).get("MessageGroupId"),
    )


def check_expression(
    declared: Declared,
    expression: str,
    *,
    timezone: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    window_minutes: int = 0,
) -> None:
    """Refuse what the service would refuse: moto takes any expression and any zone."""
    try:
        parse_schedule(expression, timezone=timezone, start=start, end=end, window_minutes=window_minutes)
    except InvalidSchedule as error:
        declared.reject(str(error))


def time(text: Any) -> datetime | None:
    """Read a StartDate or EndDate, ISO 8601, UTC where it doesn't say."""
    if not text:
        return None
    moment = datetime.fromisoformat(str(text))
    return moment if moment.tzinfo else datetime.fromisoformat(f"{text}+00:00")
