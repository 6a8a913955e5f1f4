"""Permissions that several functions have, each with the actions that it takes and no other.

CDK's own grants on queues add what its users may like, such as looking at a queue's attributes.
"""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs

from .function import Function


def allow_send(function: Function, queue: sqs.IQueue) -> None:
    """Let it send messages."""
    function.allow("sqs:SendMessage", on=queue.queue_arn)


def allow_poll(function: Function, queue: sqs.IQueue) -> None:
    """Let Lambda poll a queue under its role.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
    """
    function.allow("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", on=queue.queue_arn)


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
