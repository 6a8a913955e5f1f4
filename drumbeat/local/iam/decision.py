"""What the authorizer answers, and in a denial what to grant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .access import Access

_CODES = {"cloudwatch": "AccessDenied", "iam": "AccessDenied", "s3": "AccessDenied", "sqs": "AccessDenied"}
_CODES |= {"sns": "AuthorizationError", "sts": "AccessDenied"}
_GRANTS = {
    "dynamodb": {"Get": "table.grant_read_data", "BatchGet": "table.grant_read_data", "Query": "table.grant_read_data"}
    | {"Scan": "table.grant_read_data", "": "table.grant_read_write_data"},
    "events": {"PutEvents": "bus.grant_put_events_to"},
    "kinesis": {"Put": "stream.grant_write", "": "stream.grant_read"},
    "kms": {"Decrypt": "key.grant_decrypt", "": "key.grant_encrypt_decrypt"},
    "lambda": {"InvokeFunction": "function.grant_invoke"},
    "logs": {"": "log_group.grant_write"},
    "s3": {"Get": "bucket.grant_read", "List": "bucket.grant_read", "DeleteObject": "bucket.grant_delete"}
    | {"Put": "bucket.grant_put", "Abort": "bucket.grant_put"},
    "secretsmanager": {"Get": "secret.grant_read", "Put": "secret.grant_write"},
    "sns": {"Publish": "topic.grant_publish"},
    "sqs": {"Send": "queue.grant_send_messages", "Get": "queue.grant_send_messages"}
    | {"Purge": "queue.grant_purge", "": "queue.grant_consume_messages"},
    "ssm": {"Get": "parameter.grant_read", "Put": "parameter.grant_write"},
    "states": {"StartExecution": "machine.grant_start_execution"},
}


@dataclass(frozen=True)
class Decision:
    """Allowed or not. Of several accesses that a call needs, `action` and `resource` are the first one denied, if any.

    `statement` is what allowed or explicitly denied it, `grant` the statement to add, `code` the service's error code,
    `notes` what the local cloud could not judge, `scope` the resource as the narrowest sensible policy would name it.
    """

    allowed: bool
    action: str
    resource: str
    resources: tuple[str, ...] = ()
    statement: Mapping[str, Any] | None = None
    grant: Mapping[str, Any] | None = None
    message: str = ""
    code: str = ""
    notes: tuple[str, ...] = ()
    scope: str = ""


def denial(
    who: str, access: Access, *, explicit: Mapping[str, Any] | None, policy: str, notes: Sequence[str]
) -> Decision:
    """Say no in AWS's words ("Troubleshoot access denied error messages", IAM user guide), then how to mend it."""
    action, resource = access.action, access.resource
    service = action.partition(":")[0]
    shown = action.lower() if service == "sqs" else action
    grant: dict[str, Any] = {"Action": action, "Resource": resource}
    if not who.startswith("User:"):
        grant = {"Principal": {"Service": who}, **grant}
    if explicit is not None:
        why = f"with an explicit deny in {_article(policy)} {policy} policy: {dict(explicit)}"
    else:
        why = f"because no {policy} policy allows the {shown} action; grant: {grant}{_advice(action, policy)}"
    message = f"{who} is not authorized to perform: {shown} on resource: {resource} {why}"
    if notes:
        message += f" ({'; '.join(dict.fromkeys(notes))})"
    return Decision(
        allowed=False,
        action=action,
        resource=resource,
        resources=(resource,),
        statement=explicit,
        grant=None if explicit is not None else grant,
        message=message,
        code=_CODES.get(service, "AccessDeniedException"),
        notes=tuple(dict.fromkeys(notes)),
    )


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _advice(action: str, policy: str) -> str:
    """Return the CDK method that makes the grant, where there is one."""
    service, _, operation = action.partition(":")
    found = (method for prefix, method in _GRANTS.get(service, {}).items() if operation.startswith(prefix))
    method = next(found, None)
    return f", in CDK {method}(...)" if method and policy == "identity-based" else ""
