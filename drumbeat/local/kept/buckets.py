"""S3: the objects of all buckets with their versions, metadata and tags, and uploads that aren't complete."""

from collections.abc import Iterator, Mapping
from typing import Any

from moto.s3.models import FakeAcl, FakeDeleteMarker, FakeGrant, FakeGrantee, FakeKey, FakeMultipart, s3_backends

from .errors import CannotKeep
from .inside import Inside, Line, state

_INLINE = 1_024  # bytes of text that stay readable beside their key
_PLAIN = (
    "last_modified", "website_redirect_location", "checksum_algorithm", "_storage_class", "_expiry", "_etag",
    "_version_id", "_is_versioned", "encryption", "kms_key_id", "bucket_key_enabled", "lock_mode", "lock_legal_status",
    "lock_until", "checksum_value", "checksum_type", "checksum_parts", "_status",
)  # fmt: skip
_ANEW = (
    "name", "account_id", "region_name", "partition", "bucket_name", "acl", "_metadata", "multipart", "lock",
    "_max_buffer_size", "_value_buffer", "disposed", "contentsize", "_transitions", "_tick", "_time_progressed",
    "model_name",
)  # fmt: skip
"""Kept in another way, or the same for each object; `multipart` (which parts it was uploaded in) is forgotten."""


def _backend(inside: Inside) -> Any:
    return s3_backends[inside.world.deployment.account]["aws"]


def save(inside: Inside) -> Iterator[Line]:
    """Objects in the order in which they came, the versions of one together."""
    for bucket in _backend(inside).buckets.values():
        for key, versions in dict.items(bucket.keys):
            for version in versions:
                where = {"bucket": bucket.name, "key": key}
                if isinstance(version, FakeDeleteMarker):
                    at, number = version.last_modified, version.version_id
                    yield {"kind": "marker", **where, "at": at, "version": number}
                else:
                    yield {"kind": "object", **where, **_object(inside, version)}
        for upload in bucket.multiparts.values():
            yield {"kind": "upload", "bucket": bucket.name, **_upload(inside, upload)}


def _object(inside: Inside, key: FakeKey) -> Line:
    kept = {name: found for name, found in state(key, _PLAIN, _ANEW).items() if found is not None}
    tags = _backend(inside).tagger.get_tag_dict_for_resource(key.arn)
    line: Line = {**kept, "metadata": dict(key.metadata), "body": _body(inside, key.value)}
    if (acl := _grants(key.acl)) is not None:
        line["acl"] = acl
    return line | ({"tags": tags} if tags else {})


def _body(inside: Inside, data: bytes) -> Line:
    if len(data) <= _INLINE:
        try:
            return {"text": data.decode()}
        except UnicodeDecodeError:
            pass
    name = inside.directory.put_blob(data)
    inside.blobs.add(name)
    return {"blob": name}


def _grants(acl: FakeAcl | None) -> list[Any] | None:
    if acl is None:
        return None
    return [
        [[[one.id, one.uri, one.display_name] for one in grant.grantees], list(grant.permissions)]
        for grant in acl.grants
    ]


def _upload(inside: Inside, upload: FakeMultipart) -> Line:
    names = ("key_name", "storage", "tags", "sse_encryption", "kms_key_id", "id", "partlist")
    kept = state(upload, names, ("metadata", "account_id", "region_name", "acl", "parts"))
    parts = [[number, _object(inside, part)] for number, part in upload.parts.items()]
    return {**kept, "metadata": dict(upload.metadata), "acl": _grants(upload.acl), "parts": parts}


def empty(inside: Inside) -> None:
    """Take out what the deployment put in."""
    for bucket in _backend(inside).buckets.values():
        dict.clear(bucket.keys)
        bucket.multiparts.clear()


def load(inside: Inside, line: Line) -> None:
    """Put an object back, without telling anybody of it."""
    backend = _backend(inside)
    bucket = backend.buckets.get(line["bucket"])
    if bucket is None:
        inside.lose(f"objects of bucket {line['bucket']}")
    elif line["kind"] == "upload":
        _load_upload(inside, bucket, line)
    elif line["kind"] == "marker":
        latest = bucket.keys.get(line["key"])
        if latest is None:
            raise CannotKeep(f"bucket {bucket.name}: a delete marker of {line['key']} without any version")
        marker = FakeDeleteMarker(key=latest)
        marker.last_modified, marker._version_id = line["at"], line["version"]  # noqa: SLF001
        bucket.keys[line["key"]] = marker
    else:
        bucket.keys[line["key"]] = _load_object(inside, bucket, line["key"], line)


def _load_object(inside: Inside, bucket: Any, name: str, line: Line) -> FakeKey:
    body: Mapping[str, str] = line["body"]
    data = body["text"].encode() if "text" in body else inside.directory.get_blob(body["blob"])
    inside.blobs |= {body["blob"]} if "blob" in body else set()
    key = FakeKey(name, data, bucket.account_id, bucket.region_name, bucket_name=bucket.name)
    for attribute in _PLAIN:
        setattr(key, attribute, line.get(attribute))
    key._metadata.clear()  # noqa: SLF001
    key._metadata.update(line["metadata"])  # noqa: SLF001
    key.acl = _acl(line.get("acl"))
    if line.get("tags"):
        tagger = _backend(inside).tagger
        tagger.tag_resource(key.arn, tagger.convert_dict_to_tags_input(line["tags"]))
    return key


def _acl(grants: list[Any] | None) -> FakeAcl | None:
    if grants is None:
        return None
    return FakeAcl([FakeGrant([FakeGrantee(*one) for one in grantees], allowed) for grantees, allowed in grants])


def _load_upload(inside: Inside, bucket: Any, line: Line) -> None:
    upload = FakeMultipart(line["key_name"], line["metadata"], bucket.account_id, bucket.region_name)
    for name in ("storage", "tags", "sse_encryption", "kms_key_id", "id", "partlist"):
        setattr(upload, name, line[name])
    upload.acl = _acl(line["acl"])
    for number, part in line["parts"]:
        upload.parts[number] = _load_object(inside, bucket, line["key_name"], part)
    bucket.multiparts[upload.id] = upload
