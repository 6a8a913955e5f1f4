"""The rules: each looks at resources of some types, and says what is wrong with one, or nothing."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

Resource = Mapping[str, Any]
Look = Callable[["Template", str, Resource], str]
_SECRET = re.compile(r"SECRET|PASSW|TOKEN|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY", re.IGNORECASE)
_KEPT = ("Retain", "RetainExceptOnCreate", "Snapshot")
_CONFUSABLE = (
    "scheduler",
    "events",
    "states",
    "pipes",
    "s3",
    "sns",
    "logs",
    "apigateway",
    "cloudformation",
    "firehose",
)
"""Services that say for whom they act when they assume a role or use a resource; Lambda doesn't, for its roles.
https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"""


class Template:
    """The resources of a template, and what refers to what."""

    def __init__(self, resources: Mapping[str, Resource]) -> None:
        self.resources = resources

    def of(self, *kinds: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The resources of some types, with their properties."""
        for logical_id, resource in self.resources.items():
            if resource["Type"] in kinds:
                yield logical_id, resource.get("Properties", {})

    @cached_property
    def dead_ends(self) -> set[str]:
        """The queues that are dead-letter queues: of queues, rules, schedules or functions."""
        kinds = (
            "AWS::SQS::Queue",
            "AWS::Events::Rule",
            "AWS::Scheduler::Schedule",
            "AWS::Lambda::EventInvokeConfig",
            "AWS::Lambda::Function",
        )
        return {
            name
            for _, resource in self.of(*kinds)
            for key in ("deadLetterTargetArn", "DeadLetterConfig", "OnFailure")
            for value in under(resource, key)
            for name in referred(value)
        }

    def tls_only(self, kind: str, names: str) -> set[str]:
        """What a policy of this type protects from requests without TLS."""
        return {
            name
            for _, policy in self.of(kind)
            for statement in statements(policy["PolicyDocument"])
            if statement["Effect"] == "Deny" and "aws:SecureTransport" in json.dumps(statement.get("Condition", {}))
            for name in referred(policy[names])
        }


def under(value: Any, key: str) -> Iterator[Any]:
    """What stands under a key, however deep."""
    if isinstance(value, Mapping):
        yield from (inner for name, inner in value.items() if name == key)
    members = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for member in members:
        yield from under(member, key)


def statements(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The statements of a policy."""
    found = document["Statement"]
    return list(found) if isinstance(found, list) else [found]


def listed(value: Any) -> list[Any]:
    """A value, or several."""
    return value if isinstance(value, list) else [value]


def referred(value: Any) -> list[str]:
    """The logical ids that a value refers to."""
    return re.findall(r'"(?:Ref|Fn::GetAtt)": \[?"(\w+)"', json.dumps(value))


def _services(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal", {})
    return [str(name) for name in listed(principal.get("Service", []))] if isinstance(principal, Mapping) else []


def _unbound(document: Mapping[str, Any]) -> str:
    for statement in statements(document):
        told = json.dumps(statement.get("Condition", {})).lower()
        bound = any(key in told for key in ("aws:sourcearn", "aws:sourceaccount", "kms:encryptioncontext"))
        for service in _services(statement):
            if statement["Effect"] == "Allow" and service.split(".")[0] in _CONFUSABLE and not bound:
                return f"{service} may act for anybody: add a condition on aws:SourceArn or aws:SourceAccount"
    return ""


def _permission(_template: Template, _id: str, resource: Resource) -> str:
    given = resource["Properties"]
    if given["Principal"] == "*":
        return "anybody may invoke the function"
    return "" if {"SourceArn", "SourceAccount"} & given.keys() else "name whom it acts for: SourceArn or SourceAccount"


def _trust(_template: Template, _id: str, resource: Resource) -> str:
    return _unbound(resource["Properties"]["AssumeRolePolicyDocument"])


def _managed(_template: Template, _id: str, resource: Resource) -> str:
    return (
        "a managed policy grants what it likes; grant actions"
        if resource["Properties"].get("ManagedPolicyArns")
        else ""
    )


def _actions(_template: Template, _id: str, resource: Resource) -> str:
    for statement in _granted(resource):
        wild = [action for action in listed(statement.get("Action", "*")) if str(action).endswith("*")]
        if wild or "NotAction" in statement:
            return f"grant actions one by one, not {', '.join(wild) or 'all but some'}"
    return ""


def _resources(_template: Template, _id: str, resource: Resource) -> str:
    for statement in _granted(resource):
        if "*" in listed(statement.get("Resource", "*")):
            return f"{', '.join(listed(statement.get('Action', '*')))} on all resources"
    return ""


def _granted(resource: Resource) -> Iterator[Mapping[str, Any]]:
    given = resource.get("Properties", {})
    documents = [given["PolicyDocument"]] if "PolicyDocument" in given else []
    documents += [policy["PolicyDocument"] for policy in given.get("Policies", [])]
    for document in documents:
        yield from (statement for statement in statements(document) if statement["Effect"] == "Allow")


def _public(_template: Template, _id: str, resource: Resource) -> str:
    given = resource["Properties"]
    for statement in statements(given.get("PolicyDocument") or given.get("KeyPolicy")):
        if statement["Effect"] == "Allow" and statement.get("Principal") in ("*", {"AWS": "*"}):
            return "everybody is allowed"
    return _unbound(given.get("PolicyDocument") or given.get("KeyPolicy"))


def _rule(_template: Template, _id: str, resource: Resource) -> str:
    return _undelivered(resource["Properties"].get("Targets", []))


def _schedule(_template: Template, _id: str, resource: Resource) -> str:
    return _undelivered([resource["Properties"]["Target"]])


def _undelivered(targets: list[Mapping[str, Any]]) -> str:
    lacking = [name for name in ("DeadLetterConfig", "RetryPolicy") if not all(name in target for target in targets)]
    return f"what can't be delivered is lost: add {' and '.join(lacking)}" if lacking else ""


def _retention(_template: Template, _id: str, resource: Resource) -> str:
    return "" if "MessageRetentionPeriod" in resource.get("Properties", {}) else "say how long messages are kept"


def _redrive(template: Template, logical_id: str, resource: Resource) -> str:
    if "RedrivePolicy" in resource.get("Properties", {}) or logical_id in template.dead_ends:
        return ""
    return "a message that nobody can take comes back until it expires: add a dead-letter queue"


def _queue_tls(template: Template, logical_id: str, _resource: Resource) -> str:
    return "" if logical_id in template.tls_only("AWS::SQS::QueuePolicy", "Queues") else "refuse requests without TLS"


def _encrypted(_template: Template, _id: str, resource: Resource) -> str:
    given = resource.get("Properties", {})
    keys = ("SqsManagedSseEnabled", "KmsMasterKeyId", "BucketEncryption", "SSESpecification")
    return "" if any(given.get(key) for key in keys) else "say how it is encrypted"


def _log_group(template: Template, _id: str, resource: Resource) -> str:
    named = referred(resource["Properties"].get("LoggingConfig", {}).get("LogGroup", {}))
    groups = dict(template.of("AWS::Logs::LogGroup"))
    kept = [name for name in named if groups.get(name, {}).get("RetentionInDays")]
    return "" if kept else "its log is kept for ever: give it a log group with a retention"


def _own_role(template: Template, logical_id: str, resource: Resource) -> str:
    role = resource["Properties"]["Role"]
    others = [name for name, one in template.of("AWS::Lambda::Function") if one["Role"] == role and name != logical_id]
    return f"it shares its role with {', '.join(others)}" if others else ""


def _variables(_template: Template, _id: str, resource: Resource) -> str:
    given = resource["Properties"].get("Environment", {}).get("Variables", {})
    found = [name for name, value in given.items() if _SECRET.search(name) and isinstance(value, str)]
    return f"{', '.join(found)} look like secrets; keep them in Secrets Manager, and their name here" if found else ""


def _url(_template: Template, _id: str, _resource: Resource) -> str:
    return "a function URL can be called from the Internet"


def _bucket(template: Template, logical_id: str, resource: Resource) -> str:
    block = resource.get("Properties", {}).get("PublicAccessBlockConfiguration", {})
    if [block.get(name) in (True, "true") for name in _BLOCKS] != [True] * 4:
        return "block public access, in all four ways"
    tls_only = template.tls_only("AWS::S3::BucketPolicy", "Bucket")
    return "" if logical_id in tls_only else "refuse requests without TLS"


_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def _versions(_template: Template, _id: str, resource: Resource) -> str:
    return "" if "VersioningConfiguration" in resource.get("Properties", {}) else "decide on versions of objects"


def _kept(_template: Template, _id: str, resource: Resource) -> str:
    return "" if resource.get("DeletionPolicy") in _KEPT else "its data goes with the stack: retain it"


def _recovery(_template: Template, _id: str, resource: Resource) -> str:
    recovery = resource["Properties"].get("PointInTimeRecoverySpecification", {})
    return "" if recovery.get("PointInTimeRecoveryEnabled") else "switch on point-in-time recovery"


RULES: dict[str, tuple[tuple[str, ...], Look]] = {
    "permission-source": (("AWS::Lambda::Permission",), _permission),
    "trust-source": (("AWS::IAM::Role",), _trust),
    "managed-policy": (("AWS::IAM::Role",), _managed),
    "action-wildcard": (("AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"), _actions),
    "resource-wildcard": (("AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"), _resources),
    "policy-source": (
        ("AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::KMS::Key"), _public,
    ),
    "rule-delivery": (("AWS::Events::Rule",), _rule),
    "schedule-delivery": (("AWS::Scheduler::Schedule",), _schedule),
    "queue-retention": (("AWS::SQS::Queue",), _retention),
    "queue-redrive": (("AWS::SQS::Queue",), _redrive),
    "queue-tls": (("AWS::SQS::Queue",), _queue_tls),
    "encryption": (("AWS::SQS::Queue", "AWS::S3::Bucket", "AWS::DynamoDB::Table"), _encrypted),
    "function-log": (("AWS::Lambda::Function",), _log_group),
    "function-role": (("AWS::Lambda::Function",), _own_role),
    "function-secret": (("AWS::Lambda::Function",), _variables),
    "function-url": (("AWS::Lambda::Url",), _url),
    "bucket-access": (("AWS::S3::Bucket",), _bucket),
    "bucket-versions": (("AWS::S3::Bucket",), _versions),
    "data-kept": (("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key"), _kept),
    "table-recovery": (("AWS::DynamoDB::Table",), _recovery),
}  # fmt: skip
"""By name: the types of resources that a rule is about, and what looks at one."""
