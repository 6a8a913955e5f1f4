"""Where settings, secrets and keys are kept: SSM parameters, Secrets Manager, KMS; and Kinesis streams."""

import json

from drumbeat.local.template import Created

from .context import Creator, Declared, flag, number, tags

_NAME_LIMIT = 255


def create_parameter(declared: Declared) -> Created:
    name = declared.name(declared.get("Name"), limit=_NAME_LIMIT)
    value, kind = declared.properties["Value"], declared.get("Type", "String")
    declared.context.client("ssm").put_parameter(
        Name=name, Value=value, Type=kind, **declared.pick("Description", "AllowedPattern", "Tier", "DataType")
    )
    return Created(name, {"Type": kind, "Value": value})


def create_secret(declared: Declared) -> Created:
    """Create a secret; a generated one is derived from its name, so that it is the same every time."""
    name = declared.name(declared.get("Name"), limit=_NAME_LIMIT)
    text, generate = declared.get("SecretString"), declared.get("GenerateSecretString")
    if text is None and generate is not None:
        text = declared.context.digest(declared.logical_id, "secret")[: number(generate.get("PasswordLength", 32))]
        if "SecretStringTemplate" in generate:
            text = json.dumps(json.loads(generate["SecretStringTemplate"]) | {generate["GenerateStringKey"]: text})
    arn = declared.context.client("secretsmanager").create_secret(
        Name=name, SecretString=text or "", Tags=tags(declared), **declared.pick("Description", "KmsKeyId")
    )["ARN"]
    return Created(arn, {"Id": arn})


def create_secret_policy(declared: Declared) -> Created:
    secret, document = declared.properties["SecretId"], declared.properties["ResourcePolicy"]
    declared.context.client("secretsmanager").put_resource_policy(SecretId=secret, ResourcePolicy=json.dumps(document))
    declared.context.facts.resource_policies[secret] = document
    return Created(secret, {"Id": secret})


def create_key(declared: Declared) -> Created:
    kms, document = declared.context.client("kms"), declared.get("KeyPolicy")
    policy = {"Policy": json.dumps(document)} if document else {}
    key = kms.create_key(
        Description=declared.get("Description", ""),
        Tags=[{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags(declared)],
        **policy,
        **declared.pick("KeySpec", "KeyUsage", "MultiRegion"),
    )["KeyMetadata"]
    if flag(declared.get("EnableKeyRotation")):
        kms.enable_key_rotation(KeyId=key["KeyId"])
    if document:
        declared.context.facts.resource_policies[key["Arn"]] = document
    return Created(key["KeyId"], {"Arn": key["Arn"], "KeyId": key["KeyId"]})


def create_key_alias(declared: Declared) -> Created:
    name = declared.properties["AliasName"]
    declared.context.client("kms").create_alias(AliasName=name, TargetKeyId=declared.properties["TargetKeyId"])
    return Created(name)


def create_stream(declared: Declared) -> Created:
    kinesis = declared.context.client("kinesis")
    name = declared.name(declared.get("Name"), limit=128)
    mode = declared.get("StreamModeDetails", {"StreamMode": "PROVISIONED"})
    shards = {} if mode["StreamMode"] == "ON_DEMAND" else {"ShardCount": number(declared.get("ShardCount", 1))}
    kinesis.create_stream(StreamName=name, StreamModeDetails=mode, **shards)
    return Created(
        name, {"Arn": kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]}
    )


CREATORS: dict[str, Creator] = {
    "AWS::KMS::Alias": create_key_alias,
    "AWS::KMS::Key": create_key,
    "AWS::Kinesis::Stream": create_stream,
    "AWS::SSM::Parameter": create_parameter,
    "AWS::SecretsManager::ResourcePolicy": create_secret_policy,
    "AWS::SecretsManager::Secret": create_secret,
}
