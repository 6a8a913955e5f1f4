"""Everything without a creator of its own: CloudFormation's own types, CDK's helpers, and what moto knows."""

import importlib
from collections.abc import Callable
from typing import Any

from moto.core.common_models import CloudFormationModel

from drumbeat.local.errors import UnsupportedResource
from drumbeat.local.template import Created

from .context import Creator, Declared, flag
from .s3 import put_notifications

_NAME_LIMIT = 64
_MODULES = {"ApiGateway": "apigateway", "StepFunctions": "stepfunctions", "ElasticLoadBalancingV2": "elbv2"}


def create_named(declared: Declared) -> Created:
    """Name it and do nothing else: metadata, wait handles, and what only a deletion would use."""
    return Created(declared.name(None, limit=_NAME_LIMIT))


def create_stack(declared: Declared) -> Created:
    """Deploy a nested stack from the asset that its TemplateURL names."""
    which = f"stack {declared.context.stack!r}, {declared.logical_id}"
    key = str(declared.properties["TemplateURL"]).rsplit("/", 1)[-1]
    path = declared.context.assembly.asset(key, wanted_by=which)
    return declared.context.nested(declared, path)


def create_bucket_notifications(declared: Declared) -> Created:
    """Do what CDK's BucketNotificationsHandler does: put the configuration, which is already the API's.

    A bucket that the stack doesn't manage keeps what it had.
    """
    bucket, wanted = declared.properties["BucketName"], dict(declared.properties["NotificationConfiguration"])
    if not flag(declared.get("Managed", True)):
        known = declared.context.client("s3").get_bucket_notification_configuration(Bucket=bucket)
        for key in ("TopicConfigurations", "QueueConfigurations", "LambdaFunctionConfigurations"):
            if known.get(key):
                wanted[key] = [*known[key], *wanted.get(key, [])]
        if "EventBridgeConfiguration" in known:
            wanted["EventBridgeConfiguration"] = {}
    put_notifications(declared, bucket, wanted)
    return create_named(declared)


def create_log_retention(declared: Declared) -> Created:
    """Do what CDK's LogRetention handler does: create the group if it isn't there, and set its retention."""
    logs, name = declared.context.client("logs"), declared.properties["LogGroupName"]
    if not [
        group
        for group in logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        if group["logGroupName"] == name
    ]:
        logs.create_log_group(logGroupName=name)
    if "RetentionInDays" in declared.properties:
        logs.put_retention_policy(logGroupName=name, retentionInDays=int(declared.properties["RetentionInDays"]))
    return Created(declared.name(None, limit=_NAME_LIMIT), {"LogGroupName": name})


def create_in_moto(declared: Declared) -> Created:
    """Create any type that moto's CloudFormation knows, by moto's own class for it."""
    model = _model(declared.type)
    context = declared.context
    if model is None:
        raise UnsupportedResource(_unsupported(declared))
    name = declared.name(declared.get(model.cloudformation_name_type() or ""), limit=_NAME_LIMIT)
    made = model.create_from_cloudformation_json(
        name, {"Type": declared.type, "Properties": dict(declared.properties)}, context.account, context.region
    )
    return Created(str(getattr(made, "physical_resource_id", None) or name), more=_attributes(made))


def _attributes(made: Any) -> Callable[[str], Any]:
    def attribute(name: str) -> Any:
        return made.get_cfn_attribute(name)

    return attribute


def _model(kind: str) -> type[CloudFormationModel] | None:
    """Find moto's class for a type, importing the models of its service only: all of them take two seconds."""
    service = kind.split("::")[1] if kind.startswith("AWS::") else ""
    try:
        importlib.import_module(f"moto.{_MODULES.get(service, service.lower())}.models")
    except ModuleNotFoundError:
        return None
    models = (model for model in CloudFormationModel.__subclasses__() if model.cloudformation_type() == kind)
    return next(models, None)


def _unsupported(declared: Declared) -> str:
    which = f"stack {declared.context.stack!r}, {declared.logical_id}: "
    if declared.type.startswith("Custom::") or declared.type == "AWS::CloudFormation::CustomResource":
        return which + (
            f"{declared.type} is a custom resource, whose handler the local cloud doesn't run; use a construct"
            " without one, leave it out of the local deployment by a condition, or deploy with strict=False"
        )
    return which + (
        f"the local cloud knows no {declared.type}; leave it out of the local deployment (a stack of its own, or a"
        " condition), or deploy with strict=False"
    )


CREATORS: dict[str, Creator] = {
    "AWS::CDK::Metadata": create_named,
    "AWS::CloudFormation::Stack": create_stack,
    "AWS::CloudFormation::WaitCondition": create_named,
    "AWS::CloudFormation::WaitConditionHandle": create_named,
    "Custom::LogRetention": create_log_retention,
    "Custom::S3AutoDeleteObjects": create_named,
    "Custom::S3BucketNotifications": create_bucket_notifications,
}
