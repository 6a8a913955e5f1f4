"""Rules for synthesized templates, drumbeat's and your own: what AWS accepts and an auditor wouldn't.

`python -m drumbeat.cdk check` applies them to all stacks in `cdk.out`; `findings(template)` to one, in a test.  What is
meant so is acknowledged at the construct, with the reason: `acknowledge(queue, "queue-redrive", "...")`.  An
acknowledgement that no finding needs is a finding itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import CfnResource
from constructs import IConstruct

from .guard_rules import RULES, Template

_METADATA = "drumbeat:acknowledged"


@dataclass(frozen=True, order=True)
class Finding:
    """One resource against one rule."""

    resource: str
    rule: str
    why: str

    def __str__(self) -> str:
        return f"{self.resource}: {self.why} [{self.rule}]"


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Say why a resource is as it is, though a rule speaks against it."""
    if rule not in RULES:
        raise ValueError(f"{rule!r} is no rule; there are {', '.join(RULES)}")
    resource = construct if isinstance(construct, CfnResource) else construct.node.default_child
    if not isinstance(resource, CfnResource):
        raise TypeError(f"{construct.node.path} has no resource of its own; acknowledge it at the one inside")
    resource.add_metadata(_METADATA, {**(resource.get_metadata(_METADATA) or {}), rule: reason})


def findings(template: Mapping[str, Any]) -> list[Finding]:
    """What the rules find in a template, without what is acknowledged, and the acknowledgements that are stale."""
    return sorted(_findings(Template(template.get("Resources", {}))))


def _findings(template: Template) -> Iterator[Finding]:
    needed = set()
    for rule, (applies, look) in RULES.items():
        for logical_id, resource in template.resources.items():
            if resource["Type"] not in applies or not (why := look(template, logical_id, resource)):
                continue
            needed.add((logical_id, rule))
            if rule not in _acknowledged(resource):
                yield Finding(logical_id, rule, why)
    for logical_id, resource in template.resources.items():
        for rule in _acknowledged(resource):
            if (logical_id, rule) not in needed:
                yield Finding(logical_id, rule, "the acknowledgement is stale: there is nothing to acknowledge")


def _acknowledged(resource: Mapping[str, Any]) -> Mapping[str, str]:
    found: Mapping[str, str] = resource.get("Metadata", {}).get(_METADATA, {})
    return found
