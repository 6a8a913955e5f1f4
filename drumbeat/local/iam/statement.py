"""One statement of a policy, read once: whom, what and where it covers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .access import ANY, UNKNOWN
from .conditions import Keys, met
from .patterns import fill, like, several

Note = Callable[[str], None]


@dataclass(frozen=True)
class Caller:
    """Who asks: a role's session, or a service by its principal name."""

    account: str
    role_arn: str | None = None
    session_arn: str | None = None
    service: str | None = None


@dataclass(frozen=True)
class Statement:
    """`principals` are (kind, value) pairs, None in an identity policy. `raw` is the statement as written."""

    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    raw: Mapping[str, Any]
    not_actions: bool = False
    not_resources: bool = False
    principals: tuple[tuple[str, str], ...] | None = None
    not_principals: bool = False
    condition: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def covers(self, action: str, resource: str, keys: Keys, *, note: Note) -> bool:
        """Tell whether the statement speaks of this action on this resource, under these conditions."""
        if any(like(action, pattern, ignore_case=True) for pattern in self.actions) == self.not_actions:
            return False
        if not self._on(resource, keys):
            return False
        return not self.condition or met(self.condition, keys, note=note)

    def _on(self, resource: str, keys: Keys) -> bool:
        if resource == UNKNOWN:  # benefit of the doubt to an Allow, none to a Deny
            return self.allows or ANY in self.resources
        filled = (fill(pattern, keys) for pattern in self.resources)
        found = any(pattern is not None and like(resource, pattern) for pattern in filled)
        return found != self.not_resources

    def names(self, caller: Caller) -> str | None:
        """Tell how the principal element names the caller: "itself", by its "account", or not at all (None)."""
        if self.principals is None:
            return "itself"
        how = {_named(kind, value, caller) for kind, value in self.principals}
        if self.not_principals:
            return None if how - {None} else "itself"
        return "itself" if "itself" in how else "account" if "account" in how else None


def _named(kind: str, value: str, caller: Caller) -> str | None:
    if value == "*" and kind in {"*", "AWS"}:
        return "itself"
    if kind == "Service":
        return "itself" if value == caller.service else None
    if kind != "AWS" or caller.role_arn is None:
        return None
    if value in {caller.role_arn, caller.session_arn}:
        return "itself"
    return "account" if value in {caller.account, f"arn:aws:iam::{caller.account}:root"} else None


def statements(documents: Iterable[Mapping[str, Any]], *, implied_resource: str = "") -> tuple[Statement, ...]:
    """Read policy documents; `implied_resource` stands in where a resource policy has no Resource (a trust policy)."""
    return tuple(_read(raw, implied_resource) for document in documents for raw in several(document.get("Statement")))


def _read(raw: Mapping[str, Any], implied_resource: str) -> Statement:
    principal = raw.get("Principal", raw.get("NotPrincipal"))
    return Statement(
        allows=raw.get("Effect") == "Allow",
        actions=tuple(several(raw.get("Action", raw.get("NotAction")))),
        resources=tuple(several(raw.get("Resource", raw.get("NotResource", implied_resource)))),
        raw=raw,
        not_actions="NotAction" in raw,
        not_resources="NotResource" in raw,
        principals=None if principal is None else tuple(_principals(principal)),
        not_principals="NotPrincipal" in raw,
        condition=raw.get("Condition") or {},
    )


def _principals(given: Any) -> Iterable[tuple[str, str]]:
    if isinstance(given, str):
        return [("*", given)]
    return [(kind, str(value)) for kind, values in given.items() for value in several(values)]
