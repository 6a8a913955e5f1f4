"""The app as one stack: it composes drumbeat's constructs and owns nothing itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from drumbeat.cdk import (
    Alarms,
    Dashboard,
    DeadLetters,
    IdempotencyRecords,
    Keeper,
    Lane,
    Ledger,
    Platform,
    Schedules,
    Store,
    Target,
    add_outputs,
    check_tasks,
    customer_key,
)
from drumbeat.task import Task


class DrumbeatStack(Stack):
    """Everything that the tasks need; more tasks than fit into a stack go into two."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002  (CDK's name)
        *,
        tasks: Mapping[str, Task],
        code: lambda_.Code,
        handlers: str = "handlers",
        target: Target | None = None,
        keeper_every: Duration | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
        alarm_actions: Sequence[cloudwatch.IAlarmAction] = (),
        encryption_key: kms.IKey | bool = False,
        deletion_protection: bool = False,
        **stack: Any,
    ) -> None:
        """tasks, code, handlers and target: as they were given to `bundle_code`.

        keeper_every: how soon a run that stalled, or a lost fire, is noticed; a quarter of an hour by default.
        alarm_actions: what an alarm does; nothing by default.
        encryption_key: True for a key of the app's own, or a key that you have, to encrypt all that is stored with.
        deletion_protection: whether the ledger's table can't be deleted until this is switched off.
        """
        check_tasks(tasks)
        super().__init__(scope, id, **stack)
        own_key = customer_key(self, "Key") if encryption_key is True else None
        key = own_key if isinstance(encryption_key, bool) else encryption_key
        platform = Platform(code=code, target=target or Target(), log_retention=log_retention, encryption_key=key)
        ledger = Ledger(self, "Ledger", encryption_key=key, deletion_protection=deletion_protection)
        store = Store(self, "Store", encryption_key=key)
        schedules = Schedules(self, "Schedules", encryption_key=key)
        idempotency = (
            IdempotencyRecords(self, "Idempotency", encryption_key=key)
            if any(task.idempotent_by for task in tasks.values())
            else None
        )
        dead_letters = DeadLetters(self, "DeadLetters", encryption_key=key)
        lanes = [
            Lane(
                self,
                task.name,
                task=task,
                platform=platform,
                ledger=ledger,
                store=store,
                dead_letters=dead_letters,
                schedules=schedules,
                idempotency=idempotency,
            )
            for task in tasks.values()
        ]
        keeper = Keeper(
            self,
            "Keeper",
            lanes=lanes,
            platform=platform,
            ledger=ledger,
            store=store,
            dead_letters=dead_letters,
            every=keeper_every or Duration.minutes(15),
            handlers=handlers,
        )
        Alarms(self, "Alarms", lanes=lanes, keeper=keeper, actions=alarm_actions)
        Dashboard(self, "Dashboard", lanes=lanes, keeper=keeper)
        add_outputs(self, lanes=lanes, ledger=ledger, store=store, schedules=schedules)
