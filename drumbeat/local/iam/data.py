"""What calls to DynamoDB, S3, Kinesis, SSM, Secrets Manager and KMS need."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .access import ANY, UNKNOWN, Access, Params, Place, named

_EQUALS = re.compile(r"(#?[\w.-]+)\s*=\s*(:[\w]+)")
_TRANSACTED = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
_WITHOUT_TABLE = {"ListTables", "DescribeLimits", "ListBackups", "ListGlobalTables", "DescribeEndpoints"}
_PARTIQL = ("Select", "Insert", "Update", "Delete")
_FROM_TABLE = re.compile(r"\b(?:from|into|update)\s+\"?([\w.-]+)\"?(?:\s*\.\s*\"?([\w.-]+)\"?)?", re.IGNORECASE)


def dynamodb(operation: str, params: Params, place: Place) -> Sequence[Access]:
    """Map an operation; a transaction needs each entry's own action, a batch its own on each of its tables."""
    if operation in {"TransactWriteItems", "TransactGetItems"}:
        return [
            _on_table(_TRANSACTED[kind], body, place, [body.get("Key") or body.get("Item") or {}])
            for entry in params["TransactItems"]
            for kind, body in entry.items()
        ]
    if operation in {"BatchGetItem", "BatchWriteItem"}:
        return [
            _on_table(operation, {"TableName": table}, place, _batched(entries))
            for table, entries in params["RequestItems"].items()
        ]
    if operation in {"ExecuteStatement", "ExecuteTransaction", "BatchExecuteStatement"}:
        statements = params.get("Statements") or params.get("TransactStatements") or [params]
        return [_partiql(statement["Statement"], place) for statement in statements]
    if "TableName" not in params:
        otherwise = ANY if operation in _WITHOUT_TABLE else params.get("ResourceArn", UNKNOWN)
        return [Access(f"dynamodb:{operation}", params.get("StreamArn", otherwise))]
    items = [params[part] for part in ("Key", "Item") if part in params]
    return [_on_table(operation, params, place, items or _queried(params))]


def _on_table(operation: str, params: Params, place: Place, items: Iterable[Mapping[str, Any]]) -> Access:
    table = str(params["TableName"])
    arn = table if table.startswith("arn:") else place.arn("dynamodb", f"table/{table}")
    key = place.partition_keys.get(table.rsplit("/", 1)[-1])
    leading = tuple(_scalar(item[key]) for item in items if key is not None and key in item)
    if "IndexName" in params:
        arn = f"{arn}/index/{params['IndexName']}"
    return Access(f"dynamodb:{operation}", arn, {"dynamodb:leadingkeys": leading})


def _batched(entries: Any) -> list[Mapping[str, Any]]:
    if isinstance(entries, Mapping):
        return list(entries["Keys"])
    return [body.get("Key") or body.get("Item") for entry in entries for body in entry.values()]


def _queried(params: Params) -> list[Mapping[str, Any]]:
    """Find the partition key's value in a key condition such as `pk = :pk`."""
    names, values = params.get("ExpressionAttributeNames", {}), params.get("ExpressionAttributeValues", {})
    condition = params.get("KeyConditionExpression")
    if not isinstance(condition, str):  # a condition object of boto3's table resource
        return []
    found = {names.get(name, name): values.get(value) for name, value in _EQUALS.findall(condition)}
    return [{name: value for name, value in found.items() if value is not None}]


def _scalar(value: Any) -> str:
    """Return a key's value, in the client's form ({"S": "a"}) or the table resource's ("a")."""
    return str(next(iter(value.values()))) if isinstance(value, Mapping) else str(value)


def _partiql(statement: str, place: Place) -> Access:
    verb = next((verb for verb in _PARTIQL if statement.strip().lower().startswith(verb.lower())), "Select")
    table = _FROM_TABLE.search(statement)
    if table is None:
        return Access(f"dynamodb:PartiQL{verb}", UNKNOWN)
    index = f"/index/{table[2]}" if table[2] else ""
    return Access(f"dynamodb:PartiQL{verb}", place.arn("dynamodb", f"table/{table[1]}{index}"))


def kinesis(operation: str, params: Params, place: Place) -> Sequence[Access]:
    if operation in {"ListStreams", "DescribeLimits"}:
        return [Access(f"kinesis:{operation}", ANY)]
    arn = named("kinesis", params, place, {"StreamARN": "{}", "StreamName": "stream/{}", "ConsumerARN": "{}"})
    return [Access(f"kinesis:{operation}", arn or UNKNOWN)]


def ssm(operation: str, params: Params, place: Place) -> Sequence[Access]:
    if operation == "DescribeParameters":
        return [Access("ssm:DescribeParameters", ANY)]
    names = params.get("Names") or [params.get("Name") or params.get("Path")]
    arns = [place.arn("ssm", f"parameter/{_plain(name)}") for name in names if name]
    return [Access(f"ssm:{operation}", arn) for arn in arns or [UNKNOWN]]


def _plain(name: str) -> str:
    """Strip the leading slash, which a parameter's ARN hasn't, and a version or label after a colon."""
    return name if name.startswith("arn:") else name.removeprefix("/").split(":")[0]


def secretsmanager(operation: str, params: Params, place: Place) -> Sequence[Access]:
    if operation in {"ListSecrets", "GetRandomPassword"}:
        return [Access(f"secretsmanager:{operation}", ANY)]
    if operation == "BatchGetSecretValue":
        needed = [Access("secretsmanager:BatchGetSecretValue", ANY)]
        return needed + [
            Access("secretsmanager:GetSecretValue", _secret(name, place)) for name in params.get("SecretIdList", [])
        ]
    return [Access(f"secretsmanager:{operation}", _secret(params.get("SecretId") or params.get("Name", ""), place))]


def _secret(name: str, place: Place) -> str:
    """Return a secret's ARN; AWS puts six characters after its name."""
    return (
        name
        if name.startswith("arn:")
        else place.secrets.get(name, place.arn("secretsmanager", f"secret:{name}-AbCdEf"))
    )


def kms(operation: str, params: Params, place: Place) -> Sequence[Access]:
    if operation in {"ListKeys", "ListAliases", "CreateKey", "GenerateRandom"}:
        return [Access(f"kms:{operation}", ANY)]
    context = params.get("EncryptionContext") or {}
    keys: dict[str, tuple[str, ...]] = {
        f"kms:encryptioncontext:{name}".lower(): (str(value),) for name, value in context.items()
    }
    keys["kms:viaservice"] = ()
    if operation == "ReEncrypt":
        from_, to = _key(params.get("SourceKeyId"), place), _key(params.get("DestinationKeyId"), place)
        return [Access("kms:ReEncryptFrom", from_, keys), Access("kms:ReEncryptTo", to, keys)]
    return [Access(f"kms:{operation}", _key(params.get("KeyId") or params.get("TargetKeyId"), place), keys)]


def _key(given: Any, place: Place) -> str:
    """Return a key's ARN from its id, alias or ARN; Decrypt may leave it out."""
    if not given:
        return UNKNOWN
    plain = str(given)
    if plain in place.keys:
        return place.keys[plain]
    if ":alias/" in plain:
        return place.keys.get("alias/" + plain.split(":alias/", 1)[1], plain)
    return place.arn("kms", plain if plain.startswith("alias/") else f"key/{plain}")
