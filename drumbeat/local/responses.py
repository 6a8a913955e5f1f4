"""The partial batch response of a worker, with AWS's rules for wrong ones.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting: an
empty or null list is a complete success; invalid JSON, an empty or null itemIdentifier, a wrong key, or an id that
isn't in the batch is a complete failure.
"""

from .sandbox import Outcome


def failed_ids(outcome: Outcome, ids: list[str]) -> set[str]:
    """The messages that stay in the queue."""
    everything = set(ids)
    if outcome.payload in (b"null", b"{}", b'""', b'{"batchItemFailures": []}'):
        return set()
    value = outcome.value()
    if not isinstance(value, dict):
        return everything
    failures = value.get("batchItemFailures")
    if failures is None or failures == []:
        return set()
    if not isinstance(failures, list):
        return everything
    failed = set()
    for entry in failures:
        identifier = entry.get("itemIdentifier") if isinstance(entry, dict) else None
        if not isinstance(identifier, str) or identifier not in everything:
            return everything
        failed.add(identifier)
    return failed
