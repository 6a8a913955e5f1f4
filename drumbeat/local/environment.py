"""What a local cloud needs around it: credentials that reach nobody, and a moto that doesn't act by itself."""

import contextlib
import os
from collections.abc import Iterator

from .deployment import Deployment


@contextlib.contextmanager
def fake_environment() -> Iterator[None]:
    """Fake credentials and a Region, so that nothing can reach a real account; puts back what was there."""
    before = dict(os.environ)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        os.environ.pop(name, None)
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"]
    os.environ |= {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)


def silence_moto_triggers(deployment: Deployment) -> None:
    """Clear moto's own triggers from queue to function: they would take messages; ours polls."""
    from moto.sqs.models import sqs_backends  # noqa: PLC0415  only now

    for queue in sqs_backends[deployment.account][deployment.region].queues.values():
        queue.lambda_event_source_mappings.clear()
