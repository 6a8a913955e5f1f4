"""S3's event notifications, delivered: to functions, queues and topics, and to EventBridge.

moto knows when an object is made or removed and which configuration wants to hear of it; its own delivery goes past our
queues and functions and swallows what fails. The messages:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html. A queue or topic gets s3:TestEvent first:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote_plus

from moto.s3 import notifications
from moto.s3.models import S3Backend, s3_backends

from .baton import current
from .deployment import Target
from .services import ServiceError
from .undelivered import Parcel, always
from .world import World, name_of

_MARK = "_set_delete_marker"
_S3 = "s3.amazonaws.com"
_DETAILS = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "LifecycleExpiration": "Object Deleted",
    "ObjectAcl": "Object ACL Updated",
}
_OF_CALL = {
    "PutObject": "s3:ObjectCreated:Put",
    "CopyObject": "s3:ObjectCreated:Copy",
    "CompleteMultipartUpload": "s3:ObjectCreated:CompleteMultipartUpload",
}
"""What a call is told as, and as nothing else: moto puts, tags and copies within one of them."""
_EXACT = {
    "s3:ObjectTagging:Put": "Object Tags Added",
    "s3:ObjectTagging:Delete": "Object Tags Deleted",
    "s3:ObjectRestore:Post": "Object Restore Initiated",
    "s3:ObjectRestore:Completed": "Object Restore Completed",
}


class BucketEvents:
    """In place of moto's delivery between `open` and `close`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = world.seeds.stream("bucket events")
        self._sequence = 0
        self.operation = ""  # the call of S3 that is being answered
        self._real = (notifications.send_event, notifications.send_test_event, getattr(S3Backend, _MARK))

    def open(self) -> None:
        notifications.send_event = self._happened
        notifications.send_test_event = self._configured
        real = self._real[2]

        def mark(backend: Any, bucket_name: str, key_name: str) -> Any:
            marker = real(backend, bucket_name, key_name)
            self._happened("", "s3:ObjectRemoved:DeleteMarkerCreated", backend.get_bucket(bucket_name), marker)
            return marker

        setattr(S3Backend, _MARK, mark)  # moto tells of no delete marker
        deployment = self._world.deployment
        for bucket in list(s3_backends[deployment.account]["aws"].buckets.values()):
            if bucket.notification_configuration is not None:
                self._configured(deployment.account, bucket)

    def close(self) -> None:
        notifications.send_event, notifications.send_test_event, mark = self._real
        setattr(S3Backend, _MARK, mark)

    def _configured(self, account_id: str, bucket: Any) -> None:
        """Tell queues and topics that they will hear of a bucket."""
        del account_id
        world, wanted = self._world, bucket.notification_configuration
        test = {
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": _stamp(world),
            "Bucket": bucket.name,
            "RequestId": f"{self._rng.getrandbits(64):016X}",
            "HostId": f"{self._rng.getrandbits(128):032x}",
        }
        for arn in dict.fromkeys(one.arn for one in (*wanted.queue, *wanted.topic)):
            self._send(bucket, arn, test)

    def _happened(self, account_id: str, event_name: str, bucket: Any, key: Any) -> None:
        del account_id
        wanted = bucket.notification_configuration
        if wanted is None or key is None:
            return
        name = str(getattr(event_name, "value", event_name))
        if name != _OF_CALL.get(self.operation, name):
            return
        self._sequence += 1
        for one in (*wanted.cloud_function, *wanted.queue, *wanted.topic):
            if one.matches(name, key.name):
                self._send(bucket, one.arn, self._records(name, bucket, key, one.id))
        if wanted.event_bridge is not None:
            self._announce(name, bucket, key)

    def _send(self, bucket: Any, arn: str, message: Mapping[str, Any]) -> None:
        world = self._world
        strand = current()
        parcel = Parcel(
            target=Target(id="", arn=arn, max_retry_attempts=3),
            text=always(json.dumps(message)),
            event=message,
            principal=_S3,
            source_arn=bucket.arn,
            event_id=message.get("RequestId") or f"{self._sequence:016X}",
            lineage=strand.invocation.lineage if strand is not None and strand.invocation is not None else None,
        )
        world.delivery.later(parcel, delay_ns=world.latency.draw(world.latency.rule, self._rng))

    def _records(self, name: str, bucket: Any, key: Any, configuration: str) -> dict[str, Any]:
        world = self._world
        found: dict[str, Any] = {"key": quote_plus(key.name, safe="/"), "sequencer": f"{self._sequence:018X}"}
        if "Removed" not in name:
            found |= {"size": key.size, "eTag": key.etag.strip('"')}
        if bucket.is_versioned and key.version_id:
            found["versionId"] = key.version_id
        record = {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": bucket.region_name,
            "eventTime": _stamp(world),
            "eventName": name.removeprefix("s3:"),
            "userIdentity": {"principalId": "AWS:AROALOCAL"},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {
                "x-amz-request-id": f"{self._rng.getrandbits(64):016X}",
                "x-amz-id-2": f"{self._rng.getrandbits(128):032x}",
            },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": configuration,
                "bucket": {"name": bucket.name, "ownerIdentity": {"principalId": "LOCAL"}, "arn": bucket.arn},
                "object": found,
            },
        }
        return {"Records": [record]}

    def _announce(self, name: str, bucket: Any, key: Any) -> None:
        world = self._world
        kind, _, how = name.removeprefix("s3:").partition(":")
        detail_type = _EXACT.get(name) or _DETAILS.get(kind)
        if detail_type is None:
            return
        found: dict[str, Any] = {"key": key.name, "sequencer": f"{self._sequence:018X}"}
        if "Removed" not in name:
            found |= {"size": key.size, "etag": key.etag.strip('"')}
        detail: dict[str, Any] = {
            "version": "0",
            "bucket": {"name": bucket.name},
            "object": found,
            "request-id": f"{self._rng.getrandbits(64):016X}",
            "requester": world.deployment.account,
            "source-ip-address": "127.0.0.1",
        }
        if kind == "ObjectCreated":
            detail["reason"] = {"Put": "PutObject", "Post": "POST Object", "Copy": "CopyObject"}.get(how, how)
        if kind == "ObjectRemoved":
            detail |= {"reason": "DeleteObject", "deletion-type": "Delete Marker Created" if "Marker" in how else
                       "Permanently Deleted"}  # fmt: skip
        world.bus.put("default", source="aws.s3", detail_type=detail_type, detail=detail, resources=[bucket.arn])


def undeliverable(deployment: Any, allowed: Any) -> Iterator[str]:
    """Say which buckets may not send to what they are to notify: PutBucketNotification refuses that.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
    """
    actions = {"lambda": "lambda:InvokeFunction", "sqs": "sqs:SendMessage", "sns": "sns:Publish"}
    for bucket in s3_backends[deployment.account]["aws"].buckets.values():
        wanted = bucket.notification_configuration
        for one in (*wanted.cloud_function, *wanted.queue, *wanted.topic) if wanted is not None else ():
            action = actions[one.arn.split(":")[2]]
            if not allowed(_S3, action, one.arn, bucket.arn).allowed:
                yield (
                    f"bucket {bucket.name}: Unable to validate the following destination configurations: "
                    f"{one.arn}; let {_S3} do {action} on it (the policy of {name_of(one.arn)}), and have the "
                    "bucket depend on that"
                )


def put_record(world: World, bucket: str, key: str, text: str) -> None:
    """Write a failed invocation's record into a bucket."""
    backend = s3_backends[world.deployment.account]["aws"]
    if bucket not in backend.buckets:
        raise ServiceError("NoSuchBucket", f"The specified bucket does not exist: {bucket}", 404)
    backend.put_object(bucket, key, text.encode())


def _stamp(world: World) -> str:
    now = world.clock.now
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"
