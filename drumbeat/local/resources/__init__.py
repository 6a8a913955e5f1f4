"""Creators of resources by type: each takes a resource, its properties resolved, and creates it in the local cloud."""

from . import (
    dynamodb,
    events,
    functions,
    iam,
    keeping,
    mappings,
    messaging,
    other,
    s3,
    scaling,
    scheduler,
    sqs,
    watching,
)
from .context import Creator

CREATORS: dict[str, Creator] = {
    **dynamodb.CREATORS,
    **events.CREATORS,
    **functions.CREATORS,
    **iam.CREATORS,
    **keeping.CREATORS,
    **mappings.CREATORS,
    **messaging.CREATORS,
    **other.CREATORS,
    **s3.CREATORS,
    **scaling.CREATORS,
    **scheduler.CREATORS,
    **sqs.CREATORS,
    **watching.CREATORS,
}


def creator(kind: str) -> Creator:
    """Return the creator of a resource type: our own, or moto's; what neither knows raises UnsupportedResource."""
    return CREATORS.get(kind, other.create_in_moto)
