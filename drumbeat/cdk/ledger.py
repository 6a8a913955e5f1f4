"""The tables of an app: the ledger that knows every run, and the records of idempotent items."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from drumbeat.task import Task

from .function import Function
from .guard import acknowledge

# ruff: noqa: A002  (id is CDK's name)

_USE = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")


class Ledger(Construct):
    """Kept when the stack is deleted: it is the only account of what was done."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        encryption_key: kms.IKey | None = None,
        deletion_protection: bool = False,
    ) -> None:
        """deletion_protection: whether DynamoDB refuses to delete the table until that is switched off."""
        super().__init__(scope, id)
        self.table = _table(
            self,
            partition="pk",
            sort="sk",
            expires="expires_at",
            removal=RemovalPolicy.RETAIN,
            key=encryption_key,
            deletion_protection=deletion_protection,
        )

    def grant_run(self, function: Function, task: Task) -> None:
        """Open, follow and complete a task's runs, and see how those before them have ended: dispatchers."""
        self._grant(function, (*_USE, "dynamodb:Query"), _own(task))  # Query: the parts of a run
        if task.upstream:
            before = [key for name in task.upstream for key in _of(name)]
            self._grant(function, ("dynamodb:GetItem", "dynamodb:Query"), before)

    def grant_settle(self, function: Function, task: Task) -> None:
        """Read a task's runs, settle their chunks, write their dead letters: workers."""
        self._grant(function, _USE, _own(task))

    def _grant(self, function: Function, actions: Sequence[str], keys: Sequence[str]) -> None:
        """Grant actions on records with these partition keys.

        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
        """
        leading = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(keys)}}
        function.allow(*actions, on=self.table.table_arn, **leading)

    def grant_keep(self, function: Function) -> None:
        """Do what both do, and look for runs: the keeper."""
        self.table.grant(function.role, *_USE, "dynamodb:Query")


def _of(task: str) -> list[str]:
    """The partitions of a task: itself, and whatever is of one of its runs, `KIND#TASK/TIME...`."""
    return [f"task#{task}", f"*#{task}/*"]


def _own(task: Task) -> list[str]:
    return [*_of(task.name), *(f"budget#{budget.name}" for budget in task.budgets)]


class IdempotencyRecords(Construct):
    """Which items had their effect, in Powertools' own layout; deleted with the stack, as its records expire anyway.

    https://docs.aws.amazon.com/powertools/python/latest/utilities/idempotency/#required-resources
    """

    def __init__(self, scope: Construct, id: str, *, encryption_key: kms.IKey | None = None) -> None:
        super().__init__(scope, id)
        self.table = _table(
            self,
            partition="id",
            sort=None,
            expires="expiration",
            removal=RemovalPolicy.DESTROY,
            key=encryption_key,
        )
        acknowledge(self.table, "data-kept", "records of effects in runs under way, which expire by themselves")

    def grant_use(self, function: Function) -> None:
        self.table.grant(
            function.role,
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
        )


def _table(
    scope: Construct,
    *,
    partition: str,
    sort: str | None,
    expires: str,
    removal: RemovalPolicy,
    key: kms.IKey | None,
    deletion_protection: bool = False,
) -> dynamodb.Table:
    return dynamodb.Table(  # not TableV2: emulators don't know the global table it makes
        scope,
        "Table",
        partition_key=dynamodb.Attribute(name=partition, type=dynamodb.AttributeType.STRING),
        sort_key=dynamodb.Attribute(name=sort, type=dynamodb.AttributeType.STRING) if sort else None,
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.AWS_MANAGED if key is None else dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        deletion_protection=deletion_protection,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        time_to_live_attribute=expires,
        removal_policy=removal,
    )
