"""The tables of an app: the ledger that knows every run, and the records of idempotent items."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

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

    def grant_run(self, function: Function) -> None:
        """Open, follow and complete runs: dispatchers."""
        self.table.grant(function.role, *_USE, "dynamodb:Query")  # the parts of a run

    def grant_settle(self, function: Function) -> None:
        """Read a run, settle its chunks, write its dead letters: workers."""
        self.table.grant(function.role, *_USE)

    def grant_keep(self, function: Function) -> None:
        """Do what both do, and look for runs: the keeper."""
        self.table.grant(function.role, *_USE, "dynamodb:Query")


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
