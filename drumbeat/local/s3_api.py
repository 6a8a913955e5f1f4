"""The hot calls of S3, on moto's buckets but without HTTP: PutObject and GetObject, where they are plain and succeed.

Whatever is unusual (old versions, metadata, tags, locks, encryption with a customer's key) or would be refused is left
to moto.
"""

import base64
import re
import zlib
from io import BytesIO
from typing import Any

from botocore import UNSIGNED
from botocore.response import StreamingBody
from dateutil.tz import tzutc  # type: ignore[import-untyped]
from moto.core.botocore_stubber import MockRawResponse
from moto.s3.models import FakeBucket, FakeKey, s3_backends

from .items import Unusual
from .services import Answer, Call, Params
from .world import World

_KNOWN = {
    "PutObject": {"Bucket", "Key", "Body", "ContentType", "IfNoneMatch"},
    "GetObject": {"Bucket", "Key", "Range", "IfMatch", "ChecksumMode"},  # the last botocore adds by itself
}
_BUCKET = re.compile(r"[a-z0-9-]+").fullmatch
_NAME = r"(?!\.+(?:/|$))[A-Za-z0-9!_.*'()=@:,~-]+"
_KEY = re.compile(f"{_NAME}(?:/{_NAME})*").fullmatch  # what a URL's path says as it is
_RANGE = re.compile(r"bytes=([0-9]+)-([0-9]*)").fullmatch
_SSE = "x-amz-server-side-encryption"
_MEMBERS = {"ETag": "ETag", _SSE: "ServerSideEncryption", "x-amz-version-id": "VersionId"}
_WITHOUT_MEMBER = {"last-modified", "content-length", "x-amz-sdk-checksum-algorithm"}
_KEPT = {"content-type", "x-amz-content-sha256"}  # moto keeps the second of a request, and gives it back
_UTC = tzutc()  # as botocore's parser of dates


def is_plain(operation: str, params: Params) -> bool:
    """Whether a call may be answered here, by the names of its parameters."""
    return operation in _KNOWN and params.keys() <= _KNOWN[operation]


class S3Api:
    """Operations by name, for the gateway; they raise Unusual before anything has changed."""

    def __init__(self, world: World) -> None:
        self._backend = s3_backends[world.deployment.account]["aws"]
        self._answered = 0
        self.answers: dict[str, Answer] = {"PutObject": self.put, "GetObject": self.get}

    def put(self, call: Call) -> dict[str, Any]:
        params, bucket = call.params, self._bucket(call)
        key, body = params["Key"], params.get("Body", BytesIO())  # botocore has made it of bytes and text by now
        encryption = bucket.encryption["Rule"]["ApplyServerSideEncryptionByDefault"] if bucket.encryption else {}
        if type(body) is not BytesIO or bucket.object_lock_enabled or encryption.keys() - {"SSEAlgorithm"}:
            raise Unusual("body, lock or encryption")
        if encryption.get("SSEAlgorithm", "AES256") != "AES256":
            raise Unusual("encryption")
        if "IfNoneMatch" in params and (params["IfNoneMatch"] != "*" or key in bucket.keys):
            raise Unusual("condition")
        content = body.read()
        summed = call.notes["config"].request_checksum_calculation == "when_supported"  # by CRC32
        checksum = base64.b64encode(zlib.crc32(content).to_bytes(4)).decode() if summed else None
        made = self._backend.put_object(bucket.name, key, content, storage="STANDARD", checksum_value=checksum)
        made.set_metadata({"Content-Type": params["ContentType"]} if "ContentType" in params else {})
        made.set_acl(bucket.acl)
        if checksum is not None:
            made.checksum_algorithm = "CRC32"
        self._backend.put_object_tagging(made, {})  # those of the object that was there are gone
        headers, members = _described(made)
        del headers["content-length"]
        return self._answer(200, headers, members, checksum)

    def get(self, call: Call) -> dict[str, Any]:
        params, bucket = call.params, self._bucket(call)
        found = bucket.keys[params["Key"]] if params["Key"] in bucket.keys else None  # noqa: SIM401  its get differs
        if not isinstance(found, FakeKey) or found.multipart is not None or found.metadata.keys() - _KEPT:
            raise Unusual("no plain object")
        if "IfMatch" in params and found.etag not in (params["IfMatch"], f'"{params["IfMatch"]}"'):
            raise Unusual("condition")
        if found.checksum_algorithm not in (None, "CRC32"):
            raise Unusual("checksum")
        headers, members = _described(found)
        size, status, whole = found.size, 200, True
        first, last = 0, size - 1
        if "Range" in params:
            first, last = _range(params["Range"], size)
            headers["content-range"] = members["ContentRange"] = f"bytes {first}-{last}/{size}"
            status, whole = 206, (first, last) == (0, size - 1)
        content = found.value[first : last + 1]
        headers |= {**found.metadata, "accept-ranges": "bytes", "content-length": str(len(content))}
        members |= {
            "Body": StreamingBody(MockRawResponse(content), len(content)),
            "AcceptRanges": "bytes",
            "LastModified": found.last_modified.replace(microsecond=0, tzinfo=_UTC),
            "ContentLength": len(content),
            "ContentType": found.metadata["content-type"],
            "Metadata": {},
        }
        summed = whole and found.checksum_algorithm is not None and params.get("ChecksumMode") == "ENABLED"
        return self._answer(status, headers, members, found.checksum_value if summed else None)

    def _bucket(self, call: Call) -> FakeBucket:
        params, config = call.params, call.notes["config"]
        if config is None or config.signature_version is UNSIGNED or not is_plain(call.operation, params):
            raise Unusual("client or parameters")
        texts = {"Bucket": "", "Key": "", **params, "Body": ""}  # who knows, if a client doesn't check them
        if not all(isinstance(value, str) for value in texts.values()) or not _BUCKET(texts["Bucket"]):
            raise Unusual("parameters")
        bucket = self._backend.buckets.get(texts["Bucket"])
        if bucket is None or not _KEY(texts["Key"]):
            raise Unusual("bucket or key")
        return bucket

    def _answer(
        self, status: int, headers: dict[str, str], members: dict[str, Any], checksum: str | None
    ) -> dict[str, Any]:
        if checksum is not None:
            headers["x-amz-checksum-crc32"] = members["ChecksumCRC32"] = checksum
        self._answered += 1
        headers["x-amzn-requestid"] = request_id = f"{self._answered:052}"
        metadata = {"RequestId": request_id, "HTTPStatusCode": status, "HTTPHeaders": headers, "RetryAttempts": 0}
        if checksum is not None and "Body" in members:
            metadata["ChecksumAlgorithm"] = "crc32"
        return {"ResponseMetadata": metadata, **members}


def _described(key: FakeKey) -> tuple[dict[str, str], dict[str, Any]]:
    """The headers that tell of an object, and the members of an answer that are read from them."""
    found: dict[str, str] = key.response_dict
    if found.keys() - _MEMBERS.keys() - _WITHOUT_MEMBER:
        raise Unusual("an object with more to tell")
    members = {member: found[name] for name, member in _MEMBERS.items() if name in found}
    return {name.lower(): value for name, value in found.items()}, members


def _range(asked: str, size: int) -> tuple[int, int]:
    """The first and last byte of a plain range that has any."""
    found = _RANGE(asked)
    if found is None:
        raise Unusual("range")
    first, last = int(found[1]), min(int(found[2] or size - 1), size - 1)
    if first > last:
        raise Unusual("range")
    return first, last
