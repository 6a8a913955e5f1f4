"""What each role was seen to do: for the grants that nothing used, and the smallest policy that would do."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .access import ANY, UNKNOWN
from .patterns import like
from .statement import Statement

_BUCKET_AND_KEY = 2


@dataclass(frozen=True)
class Unused:
    """An action that a role is granted, on some resources, and that no call needed."""

    role_arn: str
    action: str
    resources: tuple[str, ...]


class Usage:
    """Allowed actions by role, with the resource named as a policy sensibly would (see `scope`)."""

    def __init__(self) -> None:
        self._seen: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)

    def record(self, role_arn: str, action: str, resource: str) -> None:
        self._seen[role_arn][action, resource] += 1

    def seen(self) -> dict[str, dict[tuple[str, str], int]]:
        return {role: dict(sorted(counts.items())) for role, counts in sorted(self._seen.items())}

    def unused(self, granted: Mapping[str, Iterable[Statement]]) -> tuple[Unused, ...]:
        return tuple(
            Unused(role, action, statement.resources)
            for role, statements in granted.items()
            for statement in statements
            if statement.allows and not statement.not_actions
            for action in statement.actions
            if not any(self._needs(use, action, statement) for use in self._seen[role])
        )

    def smallest_policy(self, role_arn: str) -> dict[str, Any]:
        """Return a policy of what the role was seen to need; resources with the same actions share a statement."""
        actions: defaultdict[str, set[str]] = defaultdict(set)
        for action, resource in self._seen[role_arn]:
            actions[ANY if resource == UNKNOWN else resource].add(action)
        together: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        for resource, needed in sorted(actions.items()):
            together[tuple(sorted(needed))].append(resource)
        return {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": list(needed), "Resource": resources}
                for needed, resources in sorted(together.items())
            ],
        }

    @staticmethod
    def _needs(use: tuple[str, str], action: str, statement: Statement) -> bool:
        used, resource = use
        if not like(used, action, ignore_case=True):
            return False
        covered = resource == UNKNOWN or any(like(resource, pattern) for pattern in statement.resources)
        return covered != statement.not_resources


def scope(resource: str, granted: Iterable[str] = ()) -> str:
    """Return the resource as a policy would name it: all objects of a bucket, all streams of a log group.

    A grant that names less (the objects under a prefix) is kept as it is.
    """
    wide = _widened(resource)
    narrower = [one for one in granted if "${" not in one and like(resource, one) and like(one, wide)]
    return max(narrower, key=len, default=wide)


def _widened(resource: str) -> str:
    if resource.startswith("arn:aws:s3:::"):
        parts = resource.split("/", 1)
        return f"{parts[0]}/*" if len(parts) == _BUCKET_AND_KEY else resource
    return f"{resource.split(':log-stream:', maxsplit=1)[0]}:*" if ":log-stream:" in resource else resource
