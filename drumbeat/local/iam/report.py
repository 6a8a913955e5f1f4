"""What each role was granted and needed in a run: the least that would do, and what may go."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from drumbeat.local.deployment import Deployment

from .authorizer import Authorizer
from .needs import Need, needs
from .usage import Unused, Usage


@dataclass(frozen=True)
class Used:
    """An action on a resource that a role needed, and in how many calls."""

    action: str
    resource: str
    calls: int


@dataclass(frozen=True)
class RoleReport:
    """A role: `users` are the logical ids of the functions and schedules that have it.

    `by_services` is what services do under it themselves. `smallest_policy` covers `used` and `by_services`;
    `unused` is granted and in neither: a path that this run didn't take may still need it.
    """

    role_arn: str
    logical_id: str
    users: tuple[str, ...]
    used: tuple[Used, ...]
    by_services: tuple[Need, ...]
    unused: tuple[Unused, ...]
    smallest_policy: dict[str, Any]


def report(deployment: Deployment, authorizer: Authorizer) -> tuple[RoleReport, ...]:
    """Report on the roles that something of the deployment has, in the order of their logical ids."""
    users: dict[str, list[str]] = {}
    for function in deployment.functions:
        users.setdefault(function.role_arn, []).append(function.logical_id)
    for schedule in deployment.schedules:
        if schedule.target.role_arn:
            users.setdefault(schedule.target.role_arn, []).append(schedule.logical_id)
    found = authorizer.usage()
    granted = [need for need in needs(deployment) if authorizer.grants(need.role_arn, need.action, need.resource)]
    everything = Usage()
    for role_arn, seen in found.items():
        for action, resource in seen:
            everything.record(role_arn, action, resource)
    for need in granted:
        everything.record(need.role_arn, need.action, need.resource)
    unused = authorizer.unused(everything)
    return tuple(
        RoleReport(
            role_arn=role.arn,
            logical_id=role.logical_id,
            users=tuple(users[role.arn]),
            used=_used(found.get(role.arn, {}), granted, role.arn),
            by_services=tuple(dict.fromkeys(need for need in granted if need.role_arn == role.arn)),
            unused=tuple(dict.fromkeys(one for one in unused if one.role_arn == role.arn)),
            smallest_policy=everything.smallest_policy(role.arn),
        )
        for role in sorted(deployment.roles, key=lambda role: role.logical_id)
        if role.arn in users
    )


def _used(seen: dict[tuple[str, str], int], services: Iterable[Need], role_arn: str) -> tuple[Used, ...]:
    """What handlers asked for; the one look at a mapping's rights when it is made is its service's."""
    of_services = {(need.action, need.resource) for need in services if need.role_arn == role_arn}
    return tuple(
        Used(action, resource, calls)
        for (action, resource), calls in seen.items()
        if (action, resource) not in of_services
    )
