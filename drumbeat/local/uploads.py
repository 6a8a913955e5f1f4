"""Upload the assets that a stack uses as plain objects: what `cdk deploy` puts into the bootstrap bucket.

Code of functions and layers, and templates of nested stacks, are used from disk and not uploaded.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .assembly import Asset
from .resources.context import Context

_FROM_DISK = {"AWS::Lambda::Function", "AWS::Lambda::LayerVersion", "AWS::CloudFormation::Stack"}


def upload(resources: Mapping[str, Mapping[str, Any]], context: Context) -> None:
    """Upload each asset whose object key stands in one of the resources' properties, other than as code."""
    for key in _wanted(resources, context.assembly.assets):
        asset = context.assembly.assets[key]
        path = context.assembly.asset(key, wanted_by=f"stack {context.stack!r}")
        bucket = asset.bucket.replace("${AWS::AccountId}", context.account).replace("${AWS::Region}", context.region)
        bucket = bucket.replace("${AWS::Partition}", context.partition)
        _ensure(bucket, context)
        body = _zip(path) if asset.zipped and path.is_dir() else path.read_bytes()
        context.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def _wanted(resources: Mapping[str, Mapping[str, Any]], assets: Mapping[str, Asset]) -> list[str]:
    texts = []
    for resource in resources.values():
        properties = dict(resource.get("Properties", {}))
        if resource["Type"] in _FROM_DISK:
            for place in ("Code", "Content", "TemplateURL"):
                properties.pop(place, None)
        texts.append(json.dumps(properties))
    everything = "\n".join(texts)
    return [key for key in assets if key in everything]


def _ensure(bucket: str, context: Context) -> None:
    s3 = context.client("s3")
    if bucket not in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
        where = {} if context.region == "us-east-1" else {"LocationConstraint": context.region}
        s3.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": where} if where else {}))


def _zip(folder: Path) -> bytes:
    """Zip a folder so that the same content gives the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix()), path.read_bytes())
    return buffer.getvalue()
