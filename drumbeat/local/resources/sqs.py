"""Queues and their policies.

Limits: "Amazon SQS quotas" in the SQS developer guide; property defaults: AWS::SQS::Queue in the template reference.
"""

import json

from drumbeat.local.deployment import Queue
from drumbeat.local.template import Created

from .context import Creator, Declared, document, flag, number, tags, text

_NAME_LIMIT = 80
_ATTRIBUTES = (
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
)


def create_queue(declared: Declared) -> Created:
    context, fifo = declared.context, flag(declared.get("FifoQueue"))
    name = declared.name(declared.get("QueueName"), limit=_NAME_LIMIT, suffix=".fifo" if fifo else "")
    if fifo != name.endswith(".fifo"):
        declared.reject(f"a queue is FIFO if and only if its name ends in .fifo; it is {name!r}, FifoQueue {fifo}")
    attributes = {key: text(value) for key, value in declared.pick(*_ATTRIBUTES).items()}
    if fifo:
        attributes["FifoQueue"] = "true"
    reply = context.client("sqs").create_queue(
        QueueName=name, Attributes=attributes, tags={tag["Key"]: tag["Value"] for tag in tags(declared)}
    )
    redrive = document(declared.get("RedrivePolicy"))
    queue = Queue(
        logical_id=declared.logical_id,
        name=name,
        url=reply["QueueUrl"],
        arn=context.arn("sqs", name),
        fifo=fifo,
        content_based_deduplication=flag(declared.get("ContentBasedDeduplication")),
        visibility_timeout_s=number(declared.get("VisibilityTimeout", Queue.visibility_timeout_s)),
        delay_s=number(declared.get("DelaySeconds", Queue.delay_s)),
        retention_s=number(declared.get("MessageRetentionPeriod", Queue.retention_s)),
        max_message_bytes=number(declared.get("MaximumMessageSize", Queue.max_message_bytes)),
        receive_wait_s=number(declared.get("ReceiveMessageWaitTimeSeconds", Queue.receive_wait_s)),
        dead_letter_arn=redrive.get("deadLetterTargetArn"),
        max_receive_count=number(redrive["maxReceiveCount"]) if "maxReceiveCount" in redrive else None,
    )
    context.facts.queues[queue.arn] = queue
    return Created(queue.url, {"Arn": queue.arn, "QueueName": name, "QueueUrl": queue.url})


def create_queue_policy(declared: Declared) -> Created:
    """Put the policy on each queue; a queue has one, so a second resource replaces the first, as in AWS."""
    context, policy = declared.context, declared.properties["PolicyDocument"]
    queues = declared.properties["Queues"]
    for url in queues:
        context.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        context.facts.resource_policies[context.arn("sqs", url.rsplit("/", 1)[-1])] = policy
    return Created(declared.name(None, limit=_NAME_LIMIT))


CREATORS: dict[str, Creator] = {
    "AWS::SQS::Queue": create_queue,
    "AWS::SQS::QueuePolicy": create_queue_policy,
}
