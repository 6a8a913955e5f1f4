"""What environments that are restored from one snapshot must not have in common: Lambda SnapStart.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart-uniqueness.html
The state of `random` is in the snapshot: all of them would draw the same back-offs.  Nothing else needs a hook: ids
come from the operating system, no connection to a service is open by then, and botocore fetches credentials anew when
those of the snapshot have expired.
"""

import random

from .observability import logger


def renew_when_restored() -> None:
    """Renew it in each environment, before the hooks that the task's module may register; elsewhere do nothing.

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    try:
        from snapshot_restore_py import register_after_restore  # noqa: PLC0415  (Lambda's own, on AWS alone)
    except ImportError:
        return
    register_after_restore(renew)


def renew() -> None:
    """Seed chance anew, and decide again whether this environment's first invocation is a sample of the log."""
    random.seed()
    logger.refresh_sample_rate_calculation()
