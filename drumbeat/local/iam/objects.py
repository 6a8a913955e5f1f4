"""What calls to S3 need ("Required permissions for Amazon S3 API operations", S3 user guide)."""

from collections.abc import Sequence

from .access import ANY, Access, Params, Place

_RENAMED = {
    "CompleteMultipartUpload": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "SelectObjectContent": "GetObject",
    "UploadPart": "PutObject",
}
_VERSIONED = {"GetObject", "DeleteObject", "GetObjectTagging", "GetObjectAcl", "PutObjectTagging"}
_HEADERS = {
    "ACL": "s3:x-amz-acl",
    "ServerSideEncryption": "s3:x-amz-server-side-encryption",
    "SSEKMSKeyId": "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "StorageClass": "s3:x-amz-storage-class",
    "Prefix": "s3:prefix",
    "Delimiter": "s3:delimiter",
    "MaxKeys": "s3:max-keys",
}


def s3(operation: str, params: Params, place: Place) -> Sequence[Access]:
    """Map an operation; a copy needs to read its source too, a deletion of several keys each of them."""
    del place  # a bucket's ARN has neither account nor region
    if "Bucket" not in params:
        return [Access(f"s3:{_RENAMED.get(operation, operation)}", ANY)]
    bucket = _bucket(str(params["Bucket"]))
    keys = {name: (str(params[header]),) if header in params else () for header, name in _HEADERS.items()}
    if operation == "DeleteObjects":
        return [
            Access(_versioned("DeleteObject", entry), f"{bucket}/{entry['Key']}", keys)
            for entry in params["Delete"]["Objects"]
        ]
    if operation in {"CopyObject", "UploadPartCopy"}:
        needed = [
            Access(*_source(params["CopySource"]), keys),
            Access("s3:PutObject", f"{bucket}/{params['Key']}", keys),
        ]
    else:
        resource = f"{bucket}/{params['Key']}" if "Key" in params else bucket
        needed = [Access(_versioned(_RENAMED.get(operation, operation), params), resource, keys)]
    target = needed[-1].resource
    if "Tagging" in params and needed[-1].action == "s3:PutObject":
        needed.append(Access("s3:PutObjectTagging", target, keys))
    if "ACL" in params and needed[-1].action == "s3:PutObject":
        needed.append(Access("s3:PutObjectAcl", target, keys))
    return needed


def _bucket(name: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:s3:::{name}"


def _versioned(operation: str, params: Params) -> str:
    if not params.get("VersionId") or operation not in _VERSIONED:
        return f"s3:{operation}"
    return f"s3:{operation.replace('Object', 'ObjectVersion')}"


def _source(source: object) -> tuple[str, str]:
    """Read CopySource: a mapping, or `bucket/key?versionId=...`."""
    if isinstance(source, dict):
        return _versioned("GetObject", source), f"{_bucket(source['Bucket'])}/{source['Key']}"
    path, _, version = str(source).removeprefix("/").partition("?versionId=")
    return _versioned("GetObject", {"VersionId": version}), _bucket(path)
