"""Our short way through S3 answers what moto answers, or leaves the call to moto."""

# ruff: noqa: ANN002  calls as they come

from io import BytesIO

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from drumbeat.local import LocalCloud, gateway
from drumbeat.local.s3_api import S3Api

TEXT = b"0123456789"
ETAG = "781e5e245d69b566979b86e28d23f2c7"
BUCKETS = ("plain", "versioned", "encrypted", "secret", "locked")
CONFIGS = {
    "default": Config(),
    "required": Config(request_checksum_calculation="when_required", response_checksum_validation="when_required"),
    "unsigned": Config(signature_version=UNSIGNED),
    "unchecked": Config(parameter_validation=False),
}
PUT = ("put_object", {"Key": "k", "Body": TEXT})
GET = ("get_object", {"Key": "k"})
HEAD = ("head_object", {"Key": "k"})


class Stream(BytesIO):
    """Who knows what that does when it is read."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory, make_app):
    app = make_app(tmp_path_factory.mktemp("s3"))
    with LocalCloud(app.write()) as cloud:
        s3 = cloud.client("s3")
        for bucket in (f"{kind}-{way}" for kind in BUCKETS for way in ("ours", "theirs")):
            s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=bucket.startswith("locked"))
            if bucket.startswith("versioned"):
                s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
            if bucket.startswith(("encrypted", "secret")):
                by = {"SSEAlgorithm": "AES256" if bucket.startswith("encrypted") else "aws:kms"}
                rules = [{"ApplyServerSideEncryptionByDefault": by}]
                s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
        yield cloud


@pytest.fixture
def both(cloud, monkeypatch):
    """Make calls the short way, and the same through moto in a bucket that is alike; return both ways' answers."""
    del cloud
    open_gateway, served = gateway._open[-1], []
    short = dict(open_gateway._at_once)

    def counted(key):
        def answer(call):
            found = short[key](call)
            served.append(call.operation)
            return found

        return answer

    def once(bucket, config, calls):
        s3 = boto3.client("s3", config=CONFIGS[config])
        return [answered(s3, name, {"Bucket": bucket, **params}) for name, params in calls]

    def ask(*calls, bucket="plain", config="default"):
        monkeypatch.setattr(open_gateway, "_at_once", {key: counted(key) for key in short})
        ours = once(f"{bucket}-ours", config, made(calls))
        monkeypatch.setattr(open_gateway, "_at_once", {})
        return ours, once(f"{bucket}-theirs", config, made(calls))

    ask.served = served
    return ask


def made(calls):
    """The calls, with what can be read once made anew."""
    return [
        (name, {key: value() if callable(value) else value for key, value in params.items()}) for name, params in calls
    ]


def answered(s3, name, params):
    """What a call comes to, without what differs from call to call."""
    if "CopySource" in params:
        params["CopySource"] = {"Bucket": params["Bucket"], "Key": params["CopySource"]}
    try:
        answer = getattr(s3, name)(**params)
    except (AttributeError, TypeError) as error:
        return type(error).__name__, 0
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    metadata = answer.pop("ResponseMetadata")
    hidden = {"x-amzn-requestid", "x-amz-content-sha256", "x-amz-version-id", "date"}
    headers = {key: value for key, value in metadata["HTTPHeaders"].items() if key not in hidden}
    if "Body" in answer:
        body = answer.pop("Body")
        answer["content"] = body.read(3), body.read()
    if "VersionId" in answer:
        answer["VersionId"] = len(answer["VersionId"])
    about = {key: metadata.get(key) for key in ("HTTPStatusCode", "ChecksumAlgorithm")}
    return answer, headers, about, metadata["RequestId"] != ""


@pytest.mark.parametrize("config", ["default", "required"])
@pytest.mark.parametrize("bucket", ["plain", "versioned", "encrypted"])
def test_what_is_put_is_given_as_by_moto(both, bucket, config):
    ours, theirs = both(
        PUT, GET, HEAD, ("put_object", {"Key": "k", "Body": b"other"}), GET, bucket=bucket, config=config
    )

    assert theirs == ours
    assert ["PutObject", "GetObject", "PutObject", "GetObject"] == both.served


@pytest.mark.parametrize("bucket", ["secret", "locked"])
def test_buckets_with_more_to_them_are_motos(both, bucket):
    ours, theirs = both(PUT, GET, bucket=bucket)

    assert theirs == ours
    assert "PutObject" not in both.served


@pytest.mark.parametrize(
    ("range_", "served"),
    [
        ("bytes=0-1", True),
        ("bytes=2-5", True),
        ("bytes=5-", True),
        ("bytes=0-", True),
        ("bytes=0-999", True),
        ("bytes=9-9", True),
        ("bytes=10-", False),
        ("bytes=99-100", False),
        ("bytes=-3", False),
        ("bytes=3-1", False),
        ("bytes=1-2,4-5", False),
        ("bytes=a-b", False),
    ],
)
def test_ranges_agree_with_moto(both, range_, served):
    ours, theirs = both(PUT, ("get_object", {"Key": "k", "Range": range_, "IfMatch": f'"{ETAG}"'}))

    assert theirs == ours
    assert served == ("GetObject" in both.served)


@pytest.mark.parametrize(
    ("call", "served"),
    [
        (("get_object", {"Key": "k", "IfMatch": ETAG}), True),
        (("get_object", {"Key": "k", "IfMatch": '"0"'}), False),
        (("get_object", {"Key": "absent"}), False),
        (("get_object", {"Key": "k", "Bucket": "absent"}), False),
        (("get_object", {"Key": "k", "IfNoneMatch": f'"{ETAG}"'}), False),
        (("put_object", {"Key": "k", "IfNoneMatch": "*"}), False),
        (("put_object", {"Key": "k", "IfMatch": ETAG, "Body": b"x"}), False),
        (("put_object", {"Key": "k", "Bucket": "absent"}), False),
        (("put_object", {"Key": "k", "ContentType": "text/plain"}), True),
        (("put_object", {"Key": "k"}), True),
        (("put_object", {"Key": "k", "Body": "ü"}), True),
        (("put_object", {"Key": "k", "Body": bytearray(b"abc")}), False),
        (("put_object", {"Key": "k", "Body": lambda: BytesIO(TEXT)}), True),
        (("put_object", {"Key": "k", "Body": lambda: Stream(TEXT)}), False),
        (("put_object", {"Key": "k", "Body": TEXT, "Metadata": {"a": "b"}}), False),
        (("put_object", {"Key": "k", "Body": TEXT, "Tagging": "a=b"}), False),
        (("put_object", {"Key": "k", "Body": TEXT, "ChecksumAlgorithm": "SHA256"}), False),
        (("put_object", {"Key": "k", "Body": TEXT, "StorageClass": "STANDARD_IA"}), False),
        (("put_object", {"Key": "k", "Body": TEXT, "ServerSideEncryption": "AES256"}), False),
        (("copy_object", {"Key": "k", "CopySource": "k"}), False),
    ],
)
def test_calls_agree_with_moto(both, call, served):
    ours, theirs = both(PUT, call, GET, HEAD, ("get_object_tagging", {"Key": "k"}))

    assert theirs == ours
    first, *more = both.served
    assert "PutObject" == first
    operation = "PutObject" if call[0] == "put_object" else "GetObject"
    assert served == (more.count(operation) > (1 if operation == "GetObject" else 0))


@pytest.mark.parametrize(
    "key",
    ["a b/ü", "a//b", "/a", "../a", "a/../b", "a/./b", ".", "a+b", "a%20b", "a?b", "a&b=c", "a/", "x" * 1024, "a:~b"],
)
def test_keys_of_any_form_agree_with_moto(both, key):
    ours, theirs = both(
        ("put_object", {"Key": key, "Body": TEXT}), ("get_object", {"Key": key}), ("list_objects_v2", {"Prefix": key})
    )

    for answers in (ours, theirs):
        if isinstance(answers[2][0], dict):
            answers[2][0].pop("Name")
    assert theirs == ours


def test_what_was_put_over_leaves_nothing_behind(both):
    tagged = ("put_object", {"Key": "k", "Tagging": "a=b", "Metadata": {"c": "d"}})
    ours, theirs = both(tagged, GET, PUT, GET, ("get_object_tagging", {"Key": "k"}))

    assert theirs == ours
    assert [] == ours[-1][0]["TagSet"]


def test_deleted_objects_agree_with_moto(both):
    anew = ("put_object", {"Key": "k", "IfNoneMatch": "*"})
    ours, theirs = both(PUT, ("delete_object", {"Key": "k"}), GET, anew, GET, bucket="versioned")

    assert theirs == ours
    assert ("NoSuchKey", 404) == ours[2]


def test_parts_that_were_put_together_agree_with_moto(both, cloud):
    s3 = cloud.client("s3")
    for bucket in ("plain-ours", "plain-theirs"):
        where = {"Bucket": bucket, "Key": "parts", "UploadId": ""}
        where["UploadId"] = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
        part = s3.upload_part(**where, PartNumber=1, Body=TEXT)["ETag"]
        s3.complete_multipart_upload(**where, MultipartUpload={"Parts": [{"ETag": part, "PartNumber": 1}]})
    ours, theirs = both(("get_object", {"Key": "parts"}), ("get_object", {"Key": "parts", "Range": "bytes=1-2"}))

    assert theirs == ours


def test_who_doesnt_sign_is_refused_as_by_moto(both):
    both(PUT)
    ours, theirs = both(GET, config="unsigned")

    assert theirs == ours
    assert 403 == ours[0][1]


@pytest.mark.parametrize("params", [{"Key": 5, "Body": TEXT}, {"Key": "k", "ContentType": 7}])
def test_parameters_that_nobody_checked_are_motos(both, params):
    both(("put_object", params), config="unchecked")

    assert [] == both.served


def test_all_calls_that_are_answered_here_are_compared_here():
    assert {"put", "get"} == {name for name in vars(S3Api) if not name.startswith("_")}
