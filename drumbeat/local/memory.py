"""Spare Python's collector of cycles what stays anyway: a fifth of a test's time with a cloud, 40 % of a cold start."""

import functools
import gc


@functools.cache
def spare_the_collector() -> None:
    """Once a process, with a cloud open: what importing moto, boto3 and botocore has made is looked through no more."""
    gc.collect()
    gc.freeze()
