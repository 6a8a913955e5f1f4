"""GetQueueAttributes.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
"""

import json
from collections.abc import Iterable

from .sqs import Store


def attributes_of(store: Store, names: Iterable[str]) -> dict[str, str]:
    """The attributes asked for; "All" are all. Counts are exact here, approximate on AWS."""
    queue = store.queue
    found = {
        "ApproximateNumberOfMessages": str(store.visible),
        "ApproximateNumberOfMessagesNotVisible": str(store.in_flight),
        "ApproximateNumberOfMessagesDelayed": str(store.delayed),
        "VisibilityTimeout": str(queue.visibility_timeout_s),
        "MaximumMessageSize": str(queue.max_message_bytes),
        "MessageRetentionPeriod": str(queue.retention_s),
        "DelaySeconds": str(queue.delay_s),
        "ReceiveMessageWaitTimeSeconds": str(queue.receive_wait_s),
        "QueueArn": queue.arn,
        "SqsManagedSseEnabled": "true",
    }
    if queue.dead_letter_arn is not None:
        policy = {"deadLetterTargetArn": queue.dead_letter_arn, "maxReceiveCount": queue.max_receive_count}
        found["RedrivePolicy"] = json.dumps(policy)
    if queue.policy is not None:
        found["Policy"] = json.dumps(queue.policy)
    if queue.fifo:
        found["FifoQueue"] = "true"
        found["ContentBasedDeduplication"] = str(queue.content_based_deduplication).lower()
    wanted = set(names)
    return {name: value for name, value in found.items() if "All" in wanted or name in wanted}
