"""The AWS quotas that a declaration or a message must respect, as of 2026-11-22.

Each number is the documented one; the page is named beside it.  Prices and ramps, which only a plan needs, are in
`drumbeat.plan`.
"""

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LAMBDA_TIMEOUT_S = 900
LAMBDA_MEMORY_MIB = (128, 10_240)
LAMBDA_SYNC_PAYLOAD_BYTES = 6 * 1024 * 1024
LAMBDA_ENVIRONMENT_BYTES = 4096
OWN_ENVIRONMENT_BYTES = 1536
"""Ours: kept of that for drumbeat's own variables, which hold names that CloudFormation makes."""

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
SQS_MESSAGE_BYTES = 1024 * 1024  # one message, and one SendMessageBatch call in all
SQS_BATCH_ENTRIES = 10
SQS_DELAY_S = 900
SQS_VISIBILITY_S = 12 * 3600
SQS_RETENTION_S = 14 * 86_400
SQS_RECEIVES = 1000  # the largest maxReceiveCount

# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
SQS_SOURCE_BATCH = 10_000
SQS_SOURCE_BATCH_WITHOUT_WINDOW = 10
SQS_SOURCE_WINDOW_S = 300
SQS_SOURCE_CONCURRENCY = (2, 1000)

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
DYNAMODB_ITEM_BYTES = 400 * 1024

MAX_ITEM_BYTES = 10 * 1024 * 1024
"""Ours: an item above this is refused; between the SQS limit and this it travels through S3."""
CHUNK_ITEMS = 5_000
"""Ours: the largest `chunk_size`; what is recorded of single items, after a death, then fits into DynamoDB's 400 KB."""
MAX_CHUNK_ITEMS = 10_000
"""Ours: items in one message; a message that says more is none of drumbeat's."""
MAX_CHUNKS = 10**9
MAX_ITEMS = 10**15
MAX_ROUNDS = 10**6
"""Ours: the numbers of chunks, items and redrives of a run; far above what could be paid for."""
AROUND_ITEM_BYTES = 64
"""Ours: what a line of a file of items may hold besides an item: its number in a redrive, the line's end."""
