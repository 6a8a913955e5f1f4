"""Buckets, with versioning, lifecycle, public access, encryption, notifications and tags."""

import json
from collections.abc import Mapping
from typing import Any

from drumbeat.local.template import Created

from .context import Creator, Declared, flag, number, tags

_NAME_LIMIT = 63
_RENAMED = {"Queue": "QueueArn", "Topic": "TopicArn", "Function": "LambdaFunctionArn"}


def create_bucket(declared: Declared) -> Created:
    context, s3 = declared.context, declared.context.client("s3")
    name = declared.name(declared.get("BucketName"), limit=_NAME_LIMIT, lower=True)
    where = {} if context.region == "us-east-1" else {"LocationConstraint": context.region}
    s3.create_bucket(
        Bucket=name,
        ObjectLockEnabledForBucket=flag(declared.get("ObjectLockEnabled")),
        **({"CreateBucketConfiguration": where} if where else {}),
    )
    if "VersioningConfiguration" in declared.properties:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=declared.get("VersioningConfiguration"))
    if "PublicAccessBlockConfiguration" in declared.properties:
        block = {key: flag(value) for key, value in declared.get("PublicAccessBlockConfiguration").items()}
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
    if "BucketEncryption" in declared.properties:
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=_encryption(declared))
    rules = (declared.get("LifecycleConfiguration") or {}).get("Rules", [])
    if rules:
        s3.put_bucket_lifecycle_configuration(
            Bucket=name, LifecycleConfiguration={"Rules": [_lifecycle(rule, n) for n, rule in enumerate(rules)]}
        )
    if tags(declared):
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags(declared)})
    notifications = declared.get("NotificationConfiguration")
    if notifications:
        put_notifications(declared, name, _notifications(notifications))
    domain = f"{name}.s3.amazonaws.com"
    return Created(
        name,
        {
            "Arn": context.arn("s3", name, region="", account=""),
            "DomainName": domain,
            "RegionalDomainName": f"{name}.s3.{context.region}.amazonaws.com",
            "DualStackDomainName": f"{name}.s3.dualstack.{context.region}.amazonaws.com",
            "WebsiteURL": f"http://{name}.s3-website-{context.region}.amazonaws.com",
        },
    )


def create_bucket_policy(declared: Declared) -> Created:
    context, bucket = declared.context, declared.properties["Bucket"]
    document = declared.properties["PolicyDocument"]
    context.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))
    context.facts.resource_policies[context.arn("s3", bucket, region="", account="")] = document
    return Created(bucket)


def put_notifications(declared: Declared, bucket: str, configuration: Mapping[str, Any]) -> None:
    """Put a bucket's notifications, as the API takes them; EventBridgeConfiguration included."""
    declared.context.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=configuration, SkipDestinationValidation=True
    )


def _encryption(declared: Declared) -> dict[str, Any]:
    rules = []
    for rule in declared.get("BucketEncryption")["ServerSideEncryptionConfiguration"]:
        translated = {key: value for key, value in rule.items() if key != "ServerSideEncryptionByDefault"}
        if "ServerSideEncryptionByDefault" in rule:
            translated["ApplyServerSideEncryptionByDefault"] = rule["ServerSideEncryptionByDefault"]
        rules.append(translated)
    return {"Rules": rules}


def _lifecycle(rule: Mapping[str, Any], index: int) -> dict[str, Any]:
    """Translate the template's flat rule into the API's."""
    api: dict[str, Any] = {"ID": rule.get("Id", f"rule-{index}"), "Status": rule["Status"], "Filter": _filter(rule)}
    expiration: dict[str, Any] = {}
    if "ExpirationInDays" in rule:
        expiration["Days"] = number(rule["ExpirationInDays"])
    if "ExpirationDate" in rule:
        expiration["Date"] = rule["ExpirationDate"]
    if flag(rule.get("ExpiredObjectDeleteMarker")):
        expiration["ExpiredObjectDeleteMarker"] = True
    if expiration:
        api["Expiration"] = expiration
    if "NoncurrentVersionExpiration" in rule:
        given = rule["NoncurrentVersionExpiration"]
        api["NoncurrentVersionExpiration"] = {key: number(given[key]) for key in given}
    if "NoncurrentVersionExpirationInDays" in rule:
        days = number(rule["NoncurrentVersionExpirationInDays"])
        api["NoncurrentVersionExpiration"] = {"NoncurrentDays": days}
    if "AbortIncompleteMultipartUpload" in rule:
        days = number(rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"])
        api["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": days}
    if "Transitions" in rule:
        api["Transitions"] = [_transition(one) for one in rule["Transitions"]]
    return api


def _transition(given: Mapping[str, Any]) -> dict[str, Any]:
    api: dict[str, Any] = {"StorageClass": given["StorageClass"]}
    if "TransitionInDays" in given:
        api["Days"] = number(given["TransitionInDays"])
    if "TransitionDate" in given:
        api["Date"] = given["TransitionDate"]
    return api


def _filter(rule: Mapping[str, Any]) -> dict[str, Any]:
    parts: dict[str, Any] = {"Prefix": rule["Prefix"]} if "Prefix" in rule else {}
    for key in ("ObjectSizeGreaterThan", "ObjectSizeLessThan"):
        if key in rule:
            parts[key] = number(rule[key])
    found = rule.get("TagFilters", [])
    if len(found) + len(parts) > 1:
        return {"And": parts | ({"Tags": found} if found else {})}
    if found:
        return {"Tag": found[0]}
    return parts or {"Prefix": ""}


def _notifications(given: Mapping[str, Any]) -> dict[str, Any]:
    """Translate a template's NotificationConfiguration, where each entry has one event and an S3Key filter."""
    api: dict[str, Any] = {}
    for key, ours in (
        ("Queue", "QueueConfigurations"),
        ("Topic", "TopicConfigurations"),
        ("Function", "LambdaConfigurations"),
    ):
        entries = [_notification(entry, key) for entry in given.get(ours, [])]
        if entries:
            api["LambdaFunctionConfigurations" if key == "Function" else ours] = entries
    if "EventBridgeConfiguration" in given and flag(
        (given["EventBridgeConfiguration"] or {}).get("EventBridgeEnabled", True)
    ):
        api["EventBridgeConfiguration"] = {}
    return api


def _notification(entry: Mapping[str, Any], key: str) -> dict[str, Any]:
    api: dict[str, Any] = {_RENAMED[key]: entry[key], "Events": [entry["Event"]]}
    rules = (entry.get("Filter") or {}).get("S3Key", {}).get("Rules")
    if rules:
        named = [{"Name": str(rule["Name"]).lower(), "Value": rule["Value"]} for rule in rules]
        api["Filter"] = {"Key": {"FilterRules": named}}
    return api


CREATORS: dict[str, Creator] = {
    "AWS::S3::Bucket": create_bucket,
    "AWS::S3::BucketPolicy": create_bucket_policy,
}
