"""The policies that hang on resources, by ARN: of queues, buckets and topics, function permissions, trust policies."""

from collections import defaultdict
from typing import Any

from drumbeat.local.deployment import Deployment, Permission

from .statement import Statement, statements

_SERVICES = (".amazonaws.com", ".aws.internal")


def on_resources(deployment: Deployment) -> dict[str, tuple[Statement, ...]]:
    """Return the statements on each resource; a trust policy speaks of its role without naming it."""
    found: defaultdict[str, tuple[Statement, ...]] = defaultdict(tuple)
    for arn, document in deployment.resource_policies.items():
        found[arn] += statements([document], implied_resource="*")
    for permission in deployment.permissions:
        found[permission.function_arn] += statements([{"Statement": _as_statement(permission)}])
    for role in deployment.roles:
        found[role.arn] += statements([role.trust], implied_resource="*")
    return dict(found)


def holder(resource: str) -> str:
    """Return the ARN of what has the policy: an object's bucket, an index's table."""
    if resource.startswith("arn:aws:s3:::"):
        return resource.split("/", 1)[0]
    return resource.split("/index/", 1)[0].split("/stream/", 1)[0]


def _as_statement(permission: Permission) -> dict[str, Any]:
    """Return the statement that AddPermission puts into a function's policy."""
    principal: Any = permission.principal
    if principal != "*":
        principal = {"Service" if principal.endswith(_SERVICES) else "AWS": principal}
    condition = {}
    if permission.source_arn:
        condition["ArnLike"] = {"AWS:SourceArn": permission.source_arn}
    if permission.source_account:
        condition["StringEquals"] = {"AWS:SourceAccount": permission.source_account}
    return {
        "Effect": "Allow",
        "Principal": principal,
        "Action": permission.action,
        "Resource": permission.function_arn,
        **({"Condition": condition} if condition else {}),
    }
