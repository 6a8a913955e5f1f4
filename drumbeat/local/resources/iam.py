"""Roles and policies: in moto for boto3 to see, and as documents for the `Authorizer`.

Limits: "IAM and AWS STS quotas" in the IAM user guide.
"""

import json
from collections.abc import Mapping
from typing import Any

from drumbeat.local.deployment import Role
from drumbeat.local.template import Created

from .context import Context, Creator, Declared, tags
from .managed_policies import document_of

_ROLE_LIMIT, _POLICY_LIMIT = 64, 128
_HOLDERS = {"Role": "role", "User": "user", "Group": "group"}


def create_role(declared: Declared) -> Created:
    context, iam = declared.context, declared.context.client("iam")
    name = declared.name(declared.get("RoleName"), limit=_ROLE_LIMIT)
    trust = declared.properties["AssumeRolePolicyDocument"]
    reply = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps(trust),
        Tags=tags(declared),
        **declared.pick("Path", "Description", "MaxSessionDuration", "PermissionsBoundary"),
    )["Role"]
    context.facts.roles[name] = Role(declared.logical_id, name, reply["Arn"], trust)
    for arn in declared.get("ManagedPolicyArns", []):
        _attach(context, declared, name, arn)
    for policy in declared.get("Policies", []):
        _put(context, ("Role", name), policy["PolicyName"], policy["PolicyDocument"])
    return Created(name, {"Arn": reply["Arn"], "RoleId": reply["RoleId"]})


def create_policy(declared: Declared) -> Created:
    """AWS::IAM::Policy, RolePolicy, UserPolicy and GroupPolicy: an inline policy of those it names."""
    name = declared.name(declared.get("PolicyName"), limit=_POLICY_LIMIT)
    for kind in _HOLDERS:
        holders = declared.get(f"{kind}s") or list(declared.pick(f"{kind}Name").values())
        for holder in holders:
            _put(declared.context, (kind, holder), name, declared.properties["PolicyDocument"])
    return Created(name, {"Id": name})


def create_managed_policy(declared: Declared) -> Created:
    context, iam = declared.context, declared.context.client("iam")
    name = declared.name(declared.get("ManagedPolicyName"), limit=_POLICY_LIMIT)
    document = declared.properties["PolicyDocument"]
    arn = iam.create_policy(
        PolicyName=name, PolicyDocument=json.dumps(document), **declared.pick("Path", "Description")
    )["Policy"]["Arn"]
    context.facts.managed_policies[arn] = document
    for role in declared.get("Roles", []):
        _attach(context, declared, role, arn)
    for user in declared.get("Users", []):
        iam.attach_user_policy(UserName=user, PolicyArn=arn)
    for group in declared.get("Groups", []):
        iam.attach_group_policy(GroupName=group, PolicyArn=arn)
    return Created(arn, {"PolicyArn": arn})


def _put(context: Context, holder: tuple[str, str], policy: str, document: Mapping[str, Any]) -> None:
    kind, name = holder
    put = getattr(context.client("iam"), f"put_{_HOLDERS[kind]}_policy")
    put(**{f"{kind}Name": name, "PolicyName": policy, "PolicyDocument": json.dumps(document)})
    if kind == "Role":
        context.facts.grant(name, document)


def _attach(context: Context, declared: Declared, role: str, arn: str) -> None:
    """Attach a managed policy of this deployment, or one of AWS's own, which moto has only on demand."""
    document = context.facts.managed_policies.get(arn)
    if document is None:
        document = document_of(arn, account=context.account, region=context.region, partition=context.partition)
    if document is None:
        declared.reject(
            f"there is no managed policy {arn}: neither in these stacks nor among AWS's own; check the name"
        )
    context.client("iam").attach_role_policy(RoleName=role, PolicyArn=arn)
    context.facts.grant(role, document)


def create_group(declared: Declared) -> Created:
    context, iam = declared.context, declared.context.client("iam")
    name = declared.name(declared.get("GroupName"), limit=_POLICY_LIMIT)
    arn = iam.create_group(GroupName=name, **declared.pick("Path"))["Group"]["Arn"]
    for policy in declared.get("Policies", []):
        _put(context, ("Group", name), policy["PolicyName"], policy["PolicyDocument"])
    return Created(name, {"Arn": arn})


CREATORS: dict[str, Creator] = {
    "AWS::IAM::Group": create_group,
    "AWS::IAM::GroupPolicy": create_policy,
    "AWS::IAM::ManagedPolicy": create_managed_policy,
    "AWS::IAM::Policy": create_policy,
    "AWS::IAM::Role": create_role,
    "AWS::IAM::RolePolicy": create_policy,
    "AWS::IAM::UserPolicy": create_policy,
}
