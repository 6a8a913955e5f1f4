"""The facts that creators gather while a template is deployed; frozen into a `Deployment` at the end."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .deployment import (
    Deployment,
    EventSourceMapping,
    Function,
    Permission,
    Queue,
    Resource,
    Role,
    Rule,
    Schedule,
)


@dataclass
class Facts:
    """Functions, queues, rules and schedules by ARN; roles by name; layers by the ARN of their version."""

    functions: dict[str, Function] = field(default_factory=dict)
    queues: dict[str, Queue] = field(default_factory=dict)
    mappings: list[EventSourceMapping] = field(default_factory=list)
    rules: dict[str, Rule] = field(default_factory=dict)
    schedules: dict[str, Schedule] = field(default_factory=dict)
    permissions: list[Permission] = field(default_factory=list)
    roles: dict[str, Role] = field(default_factory=dict)
    managed_policies: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    resource_policies: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    layers: dict[str, Path] = field(default_factory=dict)
    resources: list[Resource] = field(default_factory=list)
    outputs: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def function(self, name_or_arn: str) -> Function | None:
        """Return the function of a name, a partial ARN or an ARN; a version or alias after it doesn't matter."""
        parts = name_or_arn.split(":")
        name = parts[6] if name_or_arn.startswith("arn:") and len(parts) > 6 else parts[0]  # noqa: PLR2004, arn:...:function:NAME:ALIAS
        return next((function for function in self.functions.values() if function.name == name), None)

    def grant(self, role_name: str, document: Mapping[str, Any]) -> None:
        """Add a policy to a role of this deployment; a role from elsewhere is left alone."""
        role = self.roles.get(role_name)
        if role is not None:
            self.roles[role_name] = replace(role, policies=(*role.policies, document))

    def freeze(self, *, account: str, region: str) -> Deployment:
        return Deployment(
            account=account,
            region=region,
            functions=tuple(self.functions.values()),
            queues=tuple(replace(queue, policy=self.resource_policies.get(arn)) for arn, queue in self.queues.items()),
            mappings=tuple(self.mappings),
            rules=tuple(self.rules.values()),
            schedules=tuple(self.schedules.values()),
            permissions=tuple(self.permissions),
            roles=tuple(self.roles.values()),
            resource_policies=dict(self.resource_policies),
            resources=tuple(self.resources),
            outputs=dict(self.outputs),
        )
