"""Where requests go, and the condition keys they all have ("AWS global condition context keys", IAM user guide)."""

from drumbeat.local.deployment import Deployment

from .access import Place
from .statement import Caller

_ABSENT = [
    "aws:calledvia",
    "aws:multifactorauthpresent",
    "aws:principalorgid",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:tagkeys",
    "aws:viaawsservice",
    "dynamodb:leadingkeys",
    "iam:passedtoservice",
    "kms:viaservice",
    "kms:grantisforawsresource",
    "s3:prefix",
    "s3:x-amz-acl",
    "s3:x-amz-server-side-encryption",
    "sts:externalid",
]


def base_keys(deployment: Deployment, resource: str) -> dict[str, tuple[str, ...]]:
    """Return the keys of any request; a key without values is known, and absent from the request."""
    of_resource = [*resource.split(":"), "", "", "", ""][4] if resource.startswith("arn:") else ""
    return {
        **dict.fromkeys(_ABSENT, ()),
        "aws:securetransport": ("true",),
        "aws:requestedregion": (deployment.region,),
        "aws:resourceaccount": (of_resource or deployment.account,),
        "aws:principalisawsservice": ("false",),
        "kms:calleraccount": (deployment.account,),
    }


def role_keys(caller: Caller) -> dict[str, tuple[str, ...]]:
    return {
        "aws:principalarn": (str(caller.role_arn),),
        "aws:principalaccount": (caller.account,),
        "aws:principaltype": ("AssumedRole",),
        "aws:userid": (f"AROALOCAL:{str(caller.session_arn).rsplit('/', 1)[-1]}",),
    }


def service_keys(deployment: Deployment, principal: str, source_arn: str | None) -> dict[str, tuple[str, ...]]:
    return {
        "aws:sourcearn": (_source(source_arn),) if source_arn else (),
        "aws:sourceaccount": (deployment.account,),
        "aws:principalisawsservice": ("true",),
        "aws:principalservicename": (principal,),
    }


def _source(source_arn: str) -> str:
    """Return what a service gives as aws:SourceArn: EventBridge Scheduler names the group, not the schedule.

    "Cross-service confused deputy prevention in EventBridge Scheduler", Scheduler user guide.
    """
    head, mark, rest = source_arn.partition(":schedule/")
    return f"{head}:schedule-group/{rest.split('/')[0]}" if mark else source_arn


def place(deployment: Deployment) -> Place:
    tables: dict[str, str] = {}
    secrets: dict[str, str] = {}
    keys: dict[str, str] = {}
    for resource in deployment.resources:
        if resource.type in {"AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"}:
            schema = resource.properties["KeySchema"]
            tables[resource.physical_id] = next(one["AttributeName"] for one in schema if one["KeyType"] == "HASH")
        elif resource.type == "AWS::SecretsManager::Secret":
            secrets[resource.physical_id.split(":secret:", 1)[-1].rsplit("-", 1)[0]] = resource.physical_id
        elif resource.type == "AWS::KMS::Alias":
            target = str(resource.properties["TargetKeyId"])
            arn = f"arn:aws:kms:{deployment.region}:{deployment.account}:key/{target}"
            keys[resource.physical_id] = target if target.startswith("arn:") else arn
    return Place(deployment.account, deployment.region, tables, secrets, keys)
