"""Application Auto Scaling: kept for boto3 to see; nothing here scales."""

from drumbeat.local.template import Created

from .context import Creator, Declared, number


def create_target(declared: Declared) -> Created:
    context, properties = declared.context, declared.properties
    role = context.arn("iam", "role/aws-service-role/application-autoscaling", region="")
    context.client("application-autoscaling").register_scalable_target(
        MinCapacity=number(properties["MinCapacity"]),
        MaxCapacity=number(properties["MaxCapacity"]),
        RoleARN=declared.get("RoleARN", role),
        **declared.pick("ResourceId", "ScalableDimension", "ServiceNamespace"),
    )
    parts = (properties["ResourceId"], properties["ScalableDimension"], properties["ServiceNamespace"])
    target_id = "|".join(parts)
    return Created(target_id, {"Id": target_id})


def create_policy(declared: Declared) -> Created:
    """Put a scaling policy; it names its target by the three parts or by the target's id."""
    target = declared.get("ScalingTargetId", "").split("|")
    named = declared.pick("ResourceId", "ScalableDimension", "ServiceNamespace")
    if not named:
        named = dict(zip(("ResourceId", "ScalableDimension", "ServiceNamespace"), target, strict=True))
    settings = declared.pick("PolicyType", "TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration")
    arn = declared.context.client("application-autoscaling").put_scaling_policy(
        PolicyName=declared.properties["PolicyName"], **named, **settings
    )["PolicyARN"]
    return Created(arn, {"Arn": arn})


CREATORS: dict[str, Creator] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": create_target,
    "AWS::ApplicationAutoScaling::ScalingPolicy": create_policy,
}
