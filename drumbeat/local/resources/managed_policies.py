"""AWS's own managed policies, from the copy that moto carries ("AWS managed policy reference guide")."""

import functools
import json
from collections.abc import Mapping
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, iam_backends


def document_of(arn: str, *, account: str, region: str, partition: str) -> Mapping[str, Any] | None:
    """Return the document of one of AWS's policies, and make moto know it; None if there is none of this name."""
    prefix, _, path = arn.partition(":policy/")
    name = path.rsplit("/", 1)[-1]
    data = _all().get(name) if prefix.endswith(":iam::aws") else None
    if data is None:
        return None
    backend = iam_backends[account][partition]
    if arn not in backend.managed_policies:
        policy = AWSManagedPolicy.from_data(name, account, region, data)
        backend.managed_policies[arn] = policy
    document: Mapping[str, Any] = data["Document"]
    return document


@functools.cache
def _all() -> dict[str, Any]:
    policies: dict[str, Any] = json.loads(aws_managed_policies_data)
    return policies
