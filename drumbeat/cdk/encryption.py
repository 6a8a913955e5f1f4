"""One switch for a key of the customer's own: with it everything that an app stores is encrypted under one KMS key.

Without it everything is encrypted too, under keys that AWS owns or manages, at no cost.
"""

from aws_cdk import ArnFormat, Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

DATA_KEY_REUSE = Duration.hours(1)
"""How long SQS uses a data key before it asks KMS for the next; of its 1 minute to 24 hours, fewer than 800 requests a
month for a queue.  https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
"""


def allow_key(role: iam.Role, key: kms.IKey | None, *services: str) -> None:
    """Let a role encrypt and decrypt with the app's key, through these services only; nothing where there is no key."""
    if key is None:
        return
    stack = Stack.of(role)
    via = [f"{service}.{stack.region}.{Aws.URL_SUFFIX}" for service in services]
    role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["kms:GenerateDataKey", "kms:Decrypt"],
            resources=[key.key_arn],
            conditions={"StringEquals": {"kms:ViaService": via}},
        )
    )


def customer_key(scope: Construct, id: str) -> kms.Key:  # noqa: A002  (CDK's name)
    """Make a key for an app: rotated every year, kept when the stack is deleted, used by whom the app needs.

    The account's IAM policies decide who else may use it, as the root statement, which CDK adds, says.
    """
    key = kms.Key(
        scope,
        id,
        description="Encrypts what the tasks' queues, tables, bucket, logs and variables hold",
        enable_key_rotation=True,
        removal_policy=RemovalPolicy.RETAIN,
    )
    for statement in service_statements(Stack.of(scope)):
        key.add_to_resource_policy(statement)
    return key


def service_statements(stack: Stack) -> tuple[iam.PolicyStatement, ...]:
    """What the policy of a key must say so that services can use it without a role of ours.

    EventBridge, which puts events that nobody took into an encrypted queue, for rules of this account only; CloudWatch
    Logs, for log groups of this account only.  Lambda and DynamoDB use grants that they make for whoever deploys; SQS,
    Scheduler and S3 act under the roles of functions and schedules.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    rules = stack.format_arn(service="events", resource="rule", resource_name="*")
    groups = stack.format_arn(
        service="logs", resource="log-group", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    return (
        iam.PolicyStatement(
            sid="EventsPutWhatNobodyTook",
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["kms:GenerateDataKey", "kms:Decrypt"],
            resources=["*"],
            conditions={
                "StringEquals": {"aws:SourceAccount": stack.account},
                "ArnLike": {"aws:SourceArn": rules},
            },
        ),
        iam.PolicyStatement(
            sid="LogsOfThisAccount",
            principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.amazonaws.com")],
            actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
            resources=["*"],
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        ),
    )
