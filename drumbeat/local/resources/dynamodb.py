"""DynamoDB tables: AWS::DynamoDB::Table, and GlobalTable, which CDK's TableV2 makes, by its replica in this region."""

from typing import Any

from drumbeat.local.template import Created

from .context import Creator, Declared, flag, number, tags

_NAME_LIMIT = 255
_SHARED = (
    "AttributeDefinitions",
    "BillingMode",
    "KeySchema",
    "LocalSecondaryIndexes",
    "TableClass",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
)


def create_table(declared: Declared) -> Created:
    spec = declared.pick(*_SHARED, "GlobalSecondaryIndexes", "ProvisionedThroughput")
    spec = {**spec, **_encryption(declared.get("SSESpecification"))}
    recovery = declared.get("PointInTimeRecoverySpecification") or {}
    return _create(declared, spec, recovery=recovery, tagged=tags(declared), stream=declared.get("StreamSpecification"))


def create_global_table(declared: Declared) -> Created:
    """Create the replica of the stack's region; the settings of a replica stand beside those of the table."""
    region, replicas = declared.context.region, declared.properties["Replicas"]
    replica = next((one for one in replicas if one["Region"] == region), None)
    if replica is None:
        declared.reject(
            f"it has no replica in the stack's region {region}; it has {[one['Region'] for one in replicas]}"
        )
    spec = declared.pick(*_SHARED)
    spec |= {key: replica[key] for key in ("TableClass", "DeletionProtectionEnabled") if key in replica}
    provisioned = declared.get("BillingMode", "PAY_PER_REQUEST") == "PROVISIONED"
    spec.setdefault("BillingMode", "PAY_PER_REQUEST")
    if provisioned:
        spec["ProvisionedThroughput"] = _throughput(declared.properties, replica)
    indexes = [_index(index, replica, provisioned=provisioned) for index in declared.get("GlobalSecondaryIndexes", [])]
    if indexes:
        spec["GlobalSecondaryIndexes"] = indexes
    spec |= _encryption(declared.get("SSESpecification"))
    recovery = replica.get("PointInTimeRecoverySpecification") or {}
    return _create(
        declared,
        spec,
        recovery=recovery,
        tagged=replica.get("Tags", []),
        stream=declared.get("StreamSpecification")
        or ({"StreamViewType": "NEW_AND_OLD_IMAGES"} if replicas[1:] else None),
    )


def _create(
    declared: Declared, spec: dict[str, Any], *, recovery: Any, tagged: list[dict[str, str]], stream: Any
) -> Created:
    client = declared.context.client("dynamodb")
    name = declared.name(declared.get("TableName"), limit=_NAME_LIMIT)
    if stream:
        spec["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": stream["StreamViewType"]}
    if "DeletionProtectionEnabled" in spec:
        spec["DeletionProtectionEnabled"] = flag(spec["DeletionProtectionEnabled"])
    _numbers(spec)
    for index in spec.get("GlobalSecondaryIndexes", []):
        _numbers(index)
    table = client.create_table(TableName=name, Tags=tagged, **spec)["TableDescription"]
    ttl = declared.get("TimeToLiveSpecification")
    if ttl and "AttributeName" in ttl:
        client.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={"Enabled": flag(ttl.get("Enabled", True)), "AttributeName": ttl["AttributeName"]},
        )
    if flag(recovery.get("PointInTimeRecoveryEnabled")):
        client.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    policy = (declared.get("ResourcePolicy") or {}).get("PolicyDocument")
    if policy:
        declared.context.facts.resource_policies[table["TableArn"]] = policy
    attributes = {"Arn": table["TableArn"], "TableId": table.get("TableId", name)}
    if "LatestStreamArn" in table:
        attributes["StreamArn"] = table["LatestStreamArn"]
    return Created(name, attributes)


def _encryption(given: Any) -> dict[str, Any]:
    """Translate SSESpecification, where CloudFormation says SSEEnabled and the API Enabled."""
    if not given:
        return {}
    renamed = {("Enabled" if key == "SSEEnabled" else key): value for key, value in given.items()}
    return {"SSESpecification": renamed | {"Enabled": flag(renamed.get("Enabled"))}}


def _numbers(spec: dict[str, Any]) -> None:
    if "ProvisionedThroughput" in spec:
        spec["ProvisionedThroughput"] = {key: number(value) for key, value in spec["ProvisionedThroughput"].items()}


def _index(index: Any, replica: Any, *, provisioned: bool) -> dict[str, Any]:
    kept = {key: index[key] for key in ("IndexName", "KeySchema", "Projection") if key in index}
    if provisioned:
        of_replica = [
            one for one in replica.get("GlobalSecondaryIndexes", []) if one["IndexName"] == index["IndexName"]
        ]
        kept["ProvisionedThroughput"] = _throughput(index, of_replica[0] if of_replica else {})
    return kept


def _throughput(writes: Any, reads: Any) -> dict[str, int]:
    """Return fixed capacities; of an autoscaled one the least, which is where it starts."""
    write = writes.get("WriteProvisionedThroughputSettings", {})
    read = reads.get("ReadProvisionedThroughputSettings", {})
    return {
        "ReadCapacityUnits": _capacity(read, "Read"),
        "WriteCapacityUnits": _capacity(write, "Write"),
    }


def _capacity(settings: Any, kind: str) -> int:
    scaling = settings.get(f"{kind}CapacityAutoScalingSettings", {})
    return number(settings.get(f"{kind}CapacityUnits", scaling.get("MinCapacity", 1)))


CREATORS: dict[str, Creator] = {
    "AWS::DynamoDB::GlobalTable": create_global_table,
    "AWS::DynamoDB::Table": create_table,
}
