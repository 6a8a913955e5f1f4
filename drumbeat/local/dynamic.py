"""Dynamic references in properties: `{{resolve:ssm:...}}` and `{{resolve:secretsmanager:...}}`.

Source: "Get values stored in other services using dynamic references" in the AWS CloudFormation user guide.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from .errors import TemplateError

_REFERENCE = re.compile(r"\{\{resolve:(ssm-secure|ssm|secretsmanager):([^{}]+)\}\}")
_SECRET = re.compile(
    r"^(?P<id>arn:[^:]+:[^:]+:[^:]*:[^:]*:secret:[^:]+|[^:]+)(?::SecretString(?::(?P<key>[^:]*))?)?(?::.*)?$"
)

Client = Callable[[str], Any]


def resolve(value: Any, client: Client, *, wanted_by: str) -> Any:
    """Return `value` with the references in its texts replaced; one that leads nowhere is an error."""
    if isinstance(value, Mapping):
        return {key: resolve(item, client, wanted_by=wanted_by) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, client, wanted_by=wanted_by) for item in value]
    if not isinstance(value, str) or "{{resolve:" not in value:
        return value

    def replacement(found: re.Match[str]) -> str:
        try:
            return _secret(found[2], client) if found[1] == "secretsmanager" else _parameter(found[2], client)
        except (ClientError, KeyError) as error:
            raise TemplateError(
                f"{wanted_by}: {found[0]} leads nowhere: {error}; create it before deploying"
            ) from error

    return _REFERENCE.sub(replacement, value)


def _parameter(reference: str, client: Client) -> str:
    value: str = client("ssm").get_parameter(Name=reference, WithDecryption=True)["Parameter"]["Value"]
    return value


def _secret(reference: str, client: Client) -> str:
    found = _SECRET.match(reference)
    assert found is not None, f"a reference to a secret always has an id: {reference!r}"
    text: str = client("secretsmanager").get_secret_value(SecretId=found["id"])["SecretString"]
    return str(json.loads(text)[found["key"]]) if found["key"] else text
