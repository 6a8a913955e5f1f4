"""Each grant of our stack is needed: without it some play is denied, and the message says which grant to add.

What no play needs is explained, or superfluous.  The messages of all grants are compared, and for a few, drawn by the
seed, the play itself is repeated without the grant; DRUMBEAT_SWEEP=full repeats it for all.
"""

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase as fnmatch
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from drumbeat.local.deploy import deploy
from drumbeat.local.deployment import Deployment, Role
from drumbeat.local.errors import ResourceRejected
from drumbeat.local.iam import Authorizer, Decision
from drumbeat.local.synth import synthesize
from drumbeat.testing import AppCloud
from drumbeat.testing.single import label
from tests.testing.grant_plays import PLAYS, TASKS

FULL = os.environ.get("DRUMBEAT_SWEEP") == "full"
DRAWN = 4
SEED = int(os.environ.get("DRUMBEAT_SWEEP_SEED", "1"))

EXPLAINED = {
    "* logs:* *": "Lambda writes the log under the role",
    "* xray:* *": "Lambda sends traces under the role",
    "* sqs:SendMessage *Dead*": "Lambda and EventBridge put what can't be delivered there, under the role",
    "keeper sqs:SendMessage *Backfill": "as to the other queue: what no worker has begun is sent again",
    "dispatcher s3:GetObject */results/TASK/*": "complete may read what it has published",
    "worker s3:GetObject */results/TASK/*": "work may read what was published before",
    "worker s3:PutObject */results/TASK/*": "work may publish",
    "worker s3:GetObject */inputs/TASK/*": "work may read the objects that S3Objects lists",
    "worker dynamodb:GetItem *Idempotency*": "Powertools reads the record only if it finds one",
}
"""Kinds of grants that no play here needs, and why they are granted all the same."""


@dataclass(frozen=True)
class Grant:
    """One action of one statement of a role."""

    role: str
    users: str
    action: str
    statement: str

    @property
    def kind(self) -> str:
        """What it is in any lane of any app: without names of tasks and hashes."""
        given = json.loads(self.statement)["Resource"]
        resource = (given if isinstance(given, str) else given[0]).split(":", 5)[-1]
        short = re.sub(r"(?<=\D)[0-9A-F]{8}(-[0-9A-F]{12})?|[0-9a-f]{8}-[0-9a-f-]+", "", resource)
        return re.sub(rf"(?<=[-/])({'|'.join(TASKS)})(?=[A-Z/])", "TASK", f"{self.who} {self.action} {short}")

    @property
    def lane(self) -> str:
        """The task that it is for; nothing for what is granted once."""
        texts = (self.users, json.loads(self.statement)["Resource"])
        found = (re.search(rf"(?:^|[-/])({'|'.join(TASKS)})(?=[A-Z/ ])", str(text)) for text in texts)
        return next((match[1] for match in found if match), "")

    @property
    def who(self) -> str:
        """The part that has the role."""
        return "Scheduler" if "Schedule" in self.users else self.users.split()[-1]


Check = Callable[[Authorizer], Decision]


@pytest.fixture(scope="module")
def assembly() -> Path:
    return synthesize(Path(__file__).parent / "app")


# -- what they need ----------------------------------------------------------------------------------------


def recorded(assembly: Path, play: Callable[[AppCloud], None]) -> tuple[Deployment, list[Check]]:
    """Every call of a play that a role was asked for, once."""
    found: dict[str, Check] = {}

    class Recording(Authorizer):
        def check(self, role_arn: str, service: str, operation: str, params: Any, **more: Any) -> Decision:
            again = partial(Authorizer.check, role_arn=role_arn, service=service, operation=operation, params=params)
            decision = super().check(role_arn, service, operation, params, **more)
            found.setdefault(f"{role_arn} {decision.action} {decision.resources}", lambda one: again(one, **more))
            return decision

        def check_service(self, *given: Any, **more: Any) -> Decision:
            decision = super().check_service(*given, **more)
            found.setdefault(f"{given} {more}", lambda one: Authorizer.check_service(one, *given, **more))
            return decision

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("drumbeat.local.cloud.Authorizer", Recording)
        with AppCloud(assembly) as cloud:
            play(cloud)
            return cloud.deployment, list(found.values())


def grants(deployment: Deployment) -> Iterator[Grant]:
    users = {schedule.target.role_arn: schedule.logical_id for schedule in deployment.schedules}
    users |= {function.role_arn: label(function) for function in deployment.functions}
    for role in deployment.roles:
        for statement in _statements(role):
            for action in _actions(statement):
                yield Grant(role.arn, users.get(role.arn, role.logical_id), action, json.dumps(statement))


def without(deployment: Deployment, grant: Grant) -> Deployment:
    """The deployment, with an action taken out of a statement."""

    def less(statement: dict[str, Any]) -> dict[str, Any]:
        if json.dumps(statement) != grant.statement:
            return statement
        return {**statement, "Action": [action for action in _actions(statement) if action != grant.action]}

    def poorer(role: Role) -> Role:
        if role.arn != grant.role:
            return role
        statements = [less(statement) for statement in _statements(role)]
        return replace(role, policies=({"Version": "2012-10-17", "Statement": statements},))

    return replace(deployment, roles=tuple(poorer(role) for role in deployment.roles))


def _statements(role: Role) -> list[dict[str, Any]]:
    found = [policy["Statement"] for policy in role.policies]
    return [dict(one) for given in found for one in (given if isinstance(given, list) else [given])]


def _actions(statement: dict[str, Any]) -> list[str]:
    given = statement["Action"]
    return list(given) if isinstance(given, list) else [given]


def denied(deployment: Deployment, grant: Grant, checks: list[Check]) -> Decision | None:
    """The first call that is denied without a grant."""
    authorizer = Authorizer(without(deployment, grant))
    return next((decision for check in checks if not (decision := check(authorizer)).allowed), None)


# -- the tests ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plays(assembly: Path) -> list[tuple[Callable[[AppCloud], None], Deployment, list[Check]]]:
    return [(play, *recorded(assembly, play)) for play in PLAYS]


@pytest.fixture(scope="module")
def needed(plays: Any) -> dict[Grant, tuple[Callable[[AppCloud], None], Decision]]:
    """Each grant that a play needs, with the play and the denial without it."""
    found = {}
    for grant in grants(plays[0][1]):
        for play, deployment, checks in plays:
            decision = denied(deployment, grant, checks)
            if decision is not None:
                found[grant] = (play, decision)
                break
    return found


def unneeded(plays: Any, needed: Any) -> list[str]:
    """Kinds of grants that no play needs: in any lane, of what all lanes have; in some lane, of what only some have."""
    lanes: dict[str, set[str]] = {}
    for grant in grants(plays[0][1]):
        lanes.setdefault(grant.kind, set()).add(grant.lane)
    needed_by: dict[str, set[str]] = {}
    for grant in needed:
        needed_by.setdefault(grant.kind, set()).add(grant.lane)
    return sorted(
        f"{kind} ({', '.join(sorted(lanes[kind] - by)) or 'every lane'})"
        for kind in lanes
        if not (by := needed_by.get(kind, set())) or (lanes[kind] < set(TASKS) and lanes[kind] > by)
    )


def test_every_grant_is_needed_by_a_play_or_explained(plays, needed):
    kinds = unneeded(plays, needed)
    superfluous = [kind for kind in kinds if not any(fnmatch(kind, f"{one} (*)") for one in EXPLAINED)]

    assert [] == superfluous, "exercise these in a play, explain them in EXPLAINED, or don't grant them"


def test_every_explanation_is_of_a_grant_that_no_play_needs(plays, needed):
    kinds = unneeded(plays, needed)

    assert [] == [one for one in EXPLAINED if not any(fnmatch(kind, f"{one} (*)") for kind in kinds)]


def test_the_denial_names_role_action_resource_and_the_grant_to_add(needed):
    for grant, (_, decision) in needed.items():
        assert grant.role.rpartition("/")[2] in decision.message, grant
        assert f"not authorized to perform: {grant.action}".lower() in decision.message.lower(), grant
        assert decision.resource in decision.message, grant
        assert f"grant: {decision.grant}" in decision.message, grant


def test_without_a_grant_the_play_is_denied(assembly, needed):
    chosen = list(needed) if FULL else Random(SEED).sample(list(needed), DRAWN)
    for grant in chosen:
        told = played_without(grant, assembly, needed[grant][0]).lower()

        assert f"not authorized to perform: {grant.action}".lower() in told, grant
        assert needed[grant][1].resource.rpartition("/")[0].lower() in told, grant


def played_without(grant: Grant, assembly: Path, play: Callable[[AppCloud], None]) -> str:
    """All that is said when a play lacks a grant; a mapping that may not poll is refused like at deployment."""
    try:
        with AppCloud(partial(poorer_app, assembly, grant)) as cloud, contextlib.suppress(AssertionError):
            try:
                play(cloud)  # a run that never comes to its end is no surprise
            finally:
                said = cloud.log.text()
    except ResourceRejected as error:
        return str(error)
    return said


def poorer_app(assembly: Path, grant: Grant) -> Deployment:
    return without(deploy(assembly), grant)
