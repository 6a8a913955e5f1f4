"""Two permissions that several functions have."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from .function import Function


def allow_announce(function: Function) -> None:
    """Let it put events on the account's default bus."""
    bus = Stack.of(function).format_arn(service="events", resource="event-bus", resource_name="default")
    function.allow("events:PutEvents", on=bus)


def allow_invoke(function: Function, invoked: Function) -> None:
    """Let it invoke another function, or itself; CDK's own grant would include all versions, of which there are none.

    Itself in a policy of its own: a function waits for its role's default policy, which so can't name the function.
    """
    arn = invoked.function.function_arn
    if invoked is not function:
        function.allow("lambda:InvokeFunction", on=arn)
        return
    statement = iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[arn])
    iam.Policy(function, "InvokeItself", roles=[function.role], statements=[statement])
