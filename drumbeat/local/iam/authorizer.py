"""Who may do what: identity policies of the template's roles, and the policies of its resources.

Source: "Policy evaluation logic" in the IAM user guide, within one account: an explicit Deny wins; then an Allow of
either the role's policies or the resource's is enough, except that a KMS key and a role to be assumed must allow it
themselves, or leave it to IAM by naming the account. Permissions boundaries, session and organisation policies are not
evaluated.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from drumbeat.local.deployment import Deployment

from .access import Access
from .calls import accesses
from .conditions import Keys
from .context import base_keys, place, role_keys, service_keys
from .decision import Decision, denial
from .policies import holder, on_resources
from .sealed import Sealed
from .statement import Caller, Statement, statements
from .usage import Unused, Usage, scope

_REMEMBERED = 20_000


class Authorizer:
    """Decide on calls made under a role (`check`) and on what services do themselves (`check_service`)."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._place = place(deployment)
        self._roles = {role.arn: statements(role.policies) for role in deployment.roles}
        self._on_resources = on_resources(deployment)
        self._sessions = {function.role_arn: function.name for function in deployment.functions}
        self._known: dict[Any, Decision] = {}
        self._usage = Usage()
        self._sealed = Sealed(deployment)

    def set_policy(self, resource_arn: str, document: Mapping[str, Any]) -> None:
        """Take over the policy that a resource was given while the cloud runs; it replaces the former one."""
        self._on_resources[resource_arn] = statements([document], implied_resource="*")
        self._known.clear()

    def check(
        self, role_arn: str, service: str, operation: str, params: Mapping[str, Any], *, session: str | None = None
    ) -> Decision:
        """Decide on a call of `service` (as botocore names it) made under a role; `session` is the function's name.

        An allowed call is recorded as usage.
        """
        needed = [
            access
            for asked in accesses(service, operation, params, self._place)
            for access in (asked, *self._sealed.of(asked))
        ]
        name = session or self._sessions.get(role_arn, "local")
        decisions = [self._under_role(role_arn, name, access) for access in needed]
        refused = next((decision for decision in decisions if not decision.allowed), None)
        if refused is not None:
            return refused
        for access, decision in zip(needed, decisions, strict=True):
            self._usage.record(role_arn, access.action, decision.scope)
        if len(decisions) == 1:
            return decisions[0]
        resources = tuple(decision.resource for decision in decisions)
        first = decisions[0] if decisions else Decision(True, f"{service}:{operation}", "*")
        return Decision(True, first.action, first.resource, resources, first.statement)

    def check_service(
        self, principal: str, action: str, resource_arn: str, source_arn: str | None, role_arn: str | None = None
    ) -> Decision:
        """Decide on what a service does for a source: a rule invoking a function, a mapping reading a queue.

        With a role the service must be trusted to assume it, and the role be allowed the action; without one the
        resource's own policy decides.  So does that of the key that the resource is encrypted with.
        """
        keys = service_keys(self._deployment, principal, source_arn)
        caller = Caller(self._deployment.account, service=principal)
        asked = Access(action, resource_arn)
        needed = (asked, *self._sealed.of(asked))
        if role_arn is None:
            decisions = [self._by_service(caller, replace(access, keys={**access.keys, **keys})) for access in needed]
            return next((decision for decision in decisions if not decision.allowed), decisions[0])
        trusted = self._by_service(caller, Access("sts:AssumeRole", role_arn, keys))
        if not trusted.allowed:
            return trusted
        decisions = [self._under_role(role_arn, self._sessions.get(role_arn, principal), access) for access in needed]
        refused = next((decision for decision in decisions if not decision.allowed), None)
        if refused is not None:
            return refused
        for access, decision in zip(needed, decisions, strict=True):
            self._usage.record(role_arn, access.action, decision.scope)
        return decisions[0]

    def trusts(self, role_arn: str, principal: str, source_arn: str | None = None) -> bool:
        """Tell whether a role's trust policy lets a service assume it."""
        access = Access("sts:AssumeRole", role_arn, service_keys(self._deployment, principal, source_arn))
        return self._by_service(Caller(self._deployment.account, service=principal), access).allowed

    def usage(self) -> dict[str, dict[tuple[str, str], int]]:
        """Return how often each role was seen to need each action and resource."""
        return self._usage.seen()

    def unused(self, usage: Usage | None = None) -> tuple[Unused, ...]:
        """Return what is granted and was never needed, by what was seen or by another account of it."""
        return (usage or self._usage).unused(self._roles)

    def grants(self, role_arn: str, action: str, resource: str) -> bool:
        """Tell whether a role may do this; it counts as no use."""
        session = self._sessions.get(role_arn, "local")
        return self._under_role(role_arn, session, Access(action, resource)).allowed

    def smallest_policy(self, role_arn: str) -> dict[str, Any]:
        """Return the smallest policy under which the calls seen so far would pass."""
        return self._usage.smallest_policy(role_arn)

    def _under_role(self, role_arn: str, session: str, access: Access) -> Decision:
        key = (role_arn, session, access.action, access.resource, tuple(access.keys.items()))
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = self._judge_role(role_arn, session, access)
        return self._known[key]

    def _judge_role(self, role_arn: str, session: str, access: Access) -> Decision:
        account = self._deployment.account
        session_arn = f"arn:aws:sts::{account}:assumed-role/{role_arn.rsplit('/', 1)[-1]}/{session}"
        caller = Caller(account, role_arn=role_arn, session_arn=session_arn)
        keys = {**base_keys(self._deployment, access.resource), **role_keys(caller), **access.keys}
        notes: list[str] = [] if role_arn in self._roles else [f"{role_arn} is not in the stacks deployed here"]
        own = _covering(self._roles.get(role_arn, ()), access, keys, notes)
        its = [one for one in self._covering_resource(access, keys, notes) if one.names(caller)]
        for found, policy in ((own, "identity-based"), (its, "resource-based")):
            refusing = next((one for one in found if not one.allows), None)
            if refusing is not None:
                return denial(f"User: {session_arn}", access, explicit=refusing.raw, policy=policy, notes=notes)
        by_resource = next((one for one in its if one.names(caller) == "itself"), None)
        granted = by_resource or next(iter(own), None)
        if granted is None or (by_resource is None and not its and self._must_agree(access)):
            policy = "resource-based" if own else "identity-based"
            return denial(f"User: {session_arn}", access, explicit=None, policy=policy, notes=notes)
        return _allowed(access, granted, notes)

    def _by_service(self, caller: Caller, access: Access) -> Decision:
        notes: list[str] = []
        keys = {**base_keys(self._deployment, access.resource), **access.keys}
        found = [one for one in self._covering_resource(access, keys, notes) if one.names(caller)]
        refusing = next((one for one in found if not one.allows), None)
        if found and refusing is None:
            return _allowed(access, found[0], notes)
        explicit = None if refusing is None else refusing.raw
        policy = "trust" if access.action == "sts:AssumeRole" else "resource-based"
        return denial(str(caller.service), access, explicit=explicit, policy=policy, notes=notes)

    def _covering_resource(self, access: Access, keys: Keys, notes: list[str]) -> list[Statement]:
        return _covering(self._on_resources.get(holder(access.resource), ()), access, keys, notes)

    def _must_agree(self, access: Access) -> bool:
        """Tell whether the resource's own policy has to allow it, too: a key with a policy, a role to be assumed."""
        return access.action.startswith(("kms:", "sts:AssumeRole")) and access.resource in self._on_resources


def _covering(found: Iterable[Statement], access: Access, keys: Keys, notes: list[str]) -> list[Statement]:
    return [one for one in found if one.covers(access.action, access.resource, keys, note=notes.append)]


def _allowed(access: Access, statement: Statement, notes: list[str]) -> Decision:
    return Decision(
        True,
        access.action,
        access.resource,
        (access.resource,),
        statement.raw,
        notes=tuple(dict.fromkeys(notes)),
        scope=scope(access.resource, () if statement.not_resources else statement.resources),
    )
