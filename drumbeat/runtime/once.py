"""Idempotency per item, by Powertools, for tasks that name the field which identifies an item's effect."""

from typing import Any

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError

from drumbeat.errors import InProgress
from drumbeat.limits import SQS_RETENTION_S
from drumbeat.run import Run
from drumbeat.task import Task, Work

from .services import Services


class MissingKey(KeyError):
    """An item lacks the field that should identify its effect."""


def once(task: Task, services: Services, context: Any) -> Work:
    """The task's work, which within one run does each key once and then returns what it returned.

    The record of an attempt that died expires with the invocation's time, so a retry after the message's visibility
    may always run.
    """
    config = IdempotencyConfig(expires_after_seconds=SQS_RETENTION_S, lambda_context=context)
    store = DynamoDBPersistenceLayer(services.settings.idempotency_table, boto3_client=services.dynamodb)

    def keyed(*, key: dict[str, Any], item: Any, run: Run) -> Any:  # noqa: ARG001  (Powertools reads the key)
        return task.worker(item, run)

    keyed_once = idempotent_function(
        keyed, data_keyword_argument="key", persistence_store=store, config=config, key_prefix=task.name
    )

    def work(item: Any, run: Run) -> Any:
        field = task.idempotent_by
        if not isinstance(item, dict) or field not in item:
            raise MissingKey(f"task {task.name!r}: the item has no field {field!r}, which idempotent_by names")
        try:
            return keyed_once(key={"run": run.id, "key": item[field]}, item=item, run=run)
        except IdempotencyAlreadyInProgressError as error:
            raise InProgress from error

    return work
