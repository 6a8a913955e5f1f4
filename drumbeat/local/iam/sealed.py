"""What a call on an encrypted resource takes besides: the use of its key, which the service makes for the caller.

Of queues, buckets and tables whose template names a key of the customer's.  Not modelled: the key of environment
variables and of logs, which Lambda and CloudWatch use under grants and the key's own policy; and SQS's reuse of a data
key, during which AWS asks nobody.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
"""

from collections.abc import Iterator
from typing import Any

from drumbeat.local.deployment import Deployment, Resource

from .access import Access
from .policies import holder

_READ, _WRITE = ("kms:Decrypt",), ("kms:GenerateDataKey", "kms:Decrypt")
_NEEDED = {
    "sqs:SendMessage": _WRITE,
    "sqs:ReceiveMessage": _READ,
    "s3:PutObject": _WRITE,
    "s3:GetObject": _READ,
    **dict.fromkeys(
        (
            *("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"),
            *("dynamodb:Query", "dynamodb:Scan", "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem"),
        ),
        _READ,
    ),
}


class Sealed:
    """Knows which key a resource is encrypted with."""

    def __init__(self, deployment: Deployment) -> None:
        self._region = deployment.region
        self._keys = dict(_keys(deployment))

    def of(self, access: Access) -> tuple[Access, ...]:
        """The uses of a key that an access makes."""
        key = self._keys.get(holder(access.resource)) if self._keys else None
        if key is None:
            return ()
        service = access.action.partition(":")[0]
        via = {"kms:viaservice": (f"{service}.{self._region}.amazonaws.com",)}
        return tuple(Access(action, key, via) for action in _NEEDED.get(access.action, ()))


def _keys(deployment: Deployment) -> Iterator[tuple[str, str]]:
    known = {one.physical_id for one in deployment.resources if one.type == "AWS::KMS::Key"}
    place = f"{deployment.region}:{deployment.account}"
    for resource in deployment.resources:
        for arn, given in _sealed(resource, place):
            key = str(given or "")
            if key in known:
                yield arn, f"arn:aws:kms:{place}:key/{key}"
            elif key.startswith("arn:aws:kms:"):
                yield arn, key


def _sealed(resource: Resource, place: str) -> Iterator[tuple[str, Any]]:
    properties = resource.properties
    match resource.type:
        case "AWS::SQS::Queue":
            yield f"arn:aws:sqs:{place}:{resource.physical_id.rsplit('/', 1)[-1]}", properties.get("KmsMasterKeyId")
        case "AWS::S3::Bucket":
            for rule in properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", []):
                how = rule.get("ServerSideEncryptionByDefault", {})
                yield f"arn:aws:s3:::{resource.physical_id}", how.get("KMSMasterKeyID")
        case "AWS::DynamoDB::Table":
            sealed = properties.get("SSESpecification", {})
            yield f"arn:aws:dynamodb:{place}:table/{resource.physical_id}", sealed.get("KMSMasterKeyId")
