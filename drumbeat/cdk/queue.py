"""The queues of an app have this in common: encrypted, and TLS only."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .encryption import DATA_KEY_REUSE

KEPT_AS_SOURCE = Duration.days(4)
KEPT_AS_DEAD = Duration.days(14)
"""SQS's longest; it counts from the first send, so a dead letter keeps at least the difference of ten days."""


def safe_queue(
    scope: Construct,
    id: str,  # noqa: A002  (CDK's name)
    *,
    key: kms.IKey | None,
    retention: Duration = KEPT_AS_DEAD,
    visibility: Duration | None = None,
    dead_letters: sqs.Queue | None = None,
    max_receives: int = 0,
) -> sqs.Queue:
    return sqs.Queue(
        scope,
        id,
        encryption=sqs.QueueEncryption.SQS_MANAGED if key is None else sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        data_key_reuse=None if key is None else DATA_KEY_REUSE,
        enforce_ssl=True,
        retention_period=retention,
        visibility_timeout=visibility,
        dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=max_receives)
        if dead_letters
        else None,
    )


def only_from(queue: sqs.Queue, *senders: iam.IRole) -> None:
    """Refuse what others send, whatever their own policies allow: a forged message looks like a chunk.

    SQS moves messages to a dead-letter queue without asking a policy, so this isn't needed there.
    """
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            sid="OnlyFromDrumbeat",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={"ArnNotEquals": {"aws:PrincipalArn": [sender.role_arn for sender in senders]}},
        )
    )
