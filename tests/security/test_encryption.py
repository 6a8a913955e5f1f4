"""With a key of the customer's, who may not use the key has no use of what it encrypts; the local cloud says so."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from drumbeat.local.deploy import deploy
from drumbeat.local.deployment import Deployment
from drumbeat.local.errors import ResourceRejected
from drumbeat.testing import AppCloud


def without_key(assembly: Path, kind: str, action: str) -> Deployment:
    """The app, in which the roles of one kind of function lack an action on the key."""
    deployed = deploy(assembly)
    poor = {function.role_arn for function in deployed.functions if f".{kind}." in function.handler}

    def poorer(document: Any) -> Any:
        kept = [
            {**one, "Action": [each for each in one["Action"] if each != action]} if action in one["Action"] else one
            for one in document["Statement"]
        ]
        return {**document, "Statement": kept}

    roles = tuple(
        replace(role, policies=tuple(map(poorer, role.policies))) if role.arn in poor else role
        for role in deployed.roles
    )
    return replace(deployed, roles=roles)


@pytest.mark.parametrize(
    ("kind", "action", "call"),
    [
        ("dispatcher", "kms:GenerateDataKey", "sqs.SendMessageBatch"),
        ("dispatcher", "kms:Decrypt", "dynamodb.GetItem"),
        ("worker", "kms:GenerateDataKey", "s3.PutObject"),
    ],
)
def test_who_may_not_use_the_key_is_denied(drumbeat_assembly: Path, kind: str, action: str, call: str) -> None:
    with AppCloud(partial(without_key, drumbeat_assembly, kind, action)) as cloud:
        cloud.fire("sums", [Random(1).randbytes(5_000).hex()])  # whose result is kept in S3
        cloud.advance(minutes=1)

        said = cloud.log.text()
    assert f"operation={call} error=" in said
    assert f"not authorized to perform: {action} on resource: arn:aws:kms:" in said


def test_a_worker_that_may_not_decrypt_may_not_poll(drumbeat_assembly: Path) -> None:
    poor = partial(without_key, drumbeat_assembly, "worker", "kms:Decrypt")
    with pytest.raises(ResourceRejected, match=r"perform: kms:Decrypt"), AppCloud(poor):
        pass
