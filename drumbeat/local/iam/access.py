"""What a call needs: actions, each on a resource, with the condition keys that belong to the request.

Source: the "Service Authorization Reference". A service without a mapping of its own gets `<service>:<Operation>` on
the first ARN among its parameters, else on UNKNOWN, which every resource of a policy is taken to cover.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

UNKNOWN = "unknown"
ANY = "*"

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Access:
    """One action on one resource. `keys` are the request's own condition keys, in lower case."""

    action: str
    resource: str
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where calls go, and what the deployment tells of what is there."""

    account: str
    region: str
    partition_keys: Mapping[str, str] = field(default_factory=dict)  # table name -> its partition key
    secrets: Mapping[str, str] = field(default_factory=dict)  # name -> ARN
    keys: Mapping[str, str] = field(default_factory=dict)  # KMS key id or alias -> ARN

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource here, or `resource` itself if it is one already."""
        if resource.startswith("arn:"):
            return resource
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


Mapper = Callable[[str, Params, Place], Sequence[Access]]


def named(service: str, params: Params, place: Place, names: Mapping[str, str]) -> str | None:
    """Return the ARN of the first parameter that is there; `names` gives each one's resource, with {} for the value."""
    for parameter, resource in names.items():
        value = params.get(parameter)
        if value:
            return str(value) if str(value).startswith("arn:") else place.arn(service, resource.format(value))
    return None


def first_arn(params: Params) -> str | None:
    """Return the first parameter that is an ARN by name and form, other than of a role or key to be used."""
    for name, value in params.items():
        if (
            name.lower().endswith("arn")
            and not name.lower().endswith(("rolearn", "keyarn"))
            and str(value).startswith("arn:")
        ):
            return str(value)
    return None


def passed_role(role_arn: Any, to: str) -> list[Access]:
    """Return the access that handing a role to a service takes: iam:PassRole on it."""
    return [Access("iam:PassRole", str(role_arn), {"iam:passedtoservice": (to,)})] if role_arn else []
