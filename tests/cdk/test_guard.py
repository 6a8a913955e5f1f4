"""The guard rules find nothing in what we ship, and find each fault that is put into it."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_sqs as sqs

from drumbeat.cdk import Target, acknowledge, findings
from drumbeat.cdk.guard_rules import RULES
from tests.cdk.sample import TASKS, make

RICH = {name: TASKS[name] for name in ("often", "berlin", "manual", "gallery", "after-both", "nightly", "on-order")}
SHIPPED = {  # every kind of stack that we ship: tasks, and arguments of the stack
    "all kinds of tasks": (TASKS, {}),
    "a key of the customer's": (RICH, {"encryption_key": True, "deletion_protection": True}),
    "one task by hand": ({"manual": TASKS["manual"]}, {}),
    "a worker with a snapshot": ({"quick": make("quick", snap_start=True)}, {"target": Target(python="3.13")}),
    "the second stack of an app": ({f"t{n}": make(f"t{n}") for n in range(3)}, {"handlers": "more"}),
}


@pytest.fixture(scope="module")
def shipped(synthesize) -> dict[str, dict[str, Any]]:
    return {name: json.loads(synthesize(tasks, **more).path.read_text()) for name, (tasks, more) in SHIPPED.items()}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_rules_find_nothing_in_what_we_ship(shipped, name) -> None:
    assert [] == [str(found) for found in findings(shipped[name])]


def first(kind: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda resources: next(made for made in resources.values() if made["Type"] == f"AWS::{kind}")


def lacking(kind: str, *names: str) -> Callable[[dict[str, Any]], None]:
    """Take a property away from each resource of a type."""

    def change(resources: dict[str, Any]) -> None:
        for made in resources.values():
            if made["Type"] == f"AWS::{kind}":
                for name in names:
                    made.get("Properties", {}).pop(name, None)

    return change


def saying(kind: str, **properties: Any) -> Callable[[dict[str, Any]], None]:
    return lambda resources: first(kind)(resources)["Properties"].update(properties)


def granting(**statement: Any) -> Callable[[dict[str, Any]], None]:
    document = {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:x", **statement}]}
    return saying("IAM::Policy", PolicyDocument=document)


def removed(kind: str) -> Callable[[dict[str, Any]], None]:
    def change(resources: dict[str, Any]) -> None:
        for name in [name for name, made in resources.items() if made["Type"] == f"AWS::{kind}"]:
            del resources[name]

    return change


def shared_role(resources: dict[str, Any]) -> None:
    functions = [made["Properties"] for made in resources.values() if made["Type"] == "AWS::Lambda::Function"]
    functions[0]["Role"] = functions[1]["Role"]


def trusting(resources: dict[str, Any]) -> None:
    for made in resources.values():
        if made["Type"] == "AWS::IAM::Role":
            for statement in made["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
                statement.pop("Condition", None)


def forgetting(resources: dict[str, Any]) -> None:
    first("S3::Bucket")(resources)["DeletionPolicy"] = "Delete"


FAULTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "permission-source": lacking("Lambda::Permission", "SourceArn", "SourceAccount"),
    "trust-source": trusting,
    "managed-policy": saying("IAM::Role", ManagedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]),
    "action-wildcard": granting(Action="s3:*"),
    "resource-wildcard": granting(Resource="*"),
    "policy-source": saying(
        "SQS::QueuePolicy",
        PolicyDocument={"Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}}]},
    ),
    "rule-delivery": lambda resources: first("Events::Rule")(resources)["Properties"]["Targets"][0].pop("RetryPolicy"),
    "schedule-delivery": lambda resources: first("Scheduler::Schedule")(resources)["Properties"]["Target"].pop(
        "DeadLetterConfig"
    ),
    "queue-retention": lacking("SQS::Queue", "MessageRetentionPeriod"),
    "queue-redrive": lacking("SQS::Queue", "RedrivePolicy"),
    "queue-tls": removed("SQS::QueuePolicy"),
    "encryption": lacking("SQS::Queue", "SqsManagedSseEnabled"),
    "function-log": removed("Logs::LogGroup"),
    "function-role": shared_role,
    "function-secret": saying("Lambda::Function", Environment={"Variables": {"STRIPE_API_KEY": "sk_live_1"}}),
    "function-url": lambda resources: resources.update(Url={"Type": "AWS::Lambda::Url", "Properties": {}}),
    "bucket-access": lacking("S3::Bucket", "PublicAccessBlockConfiguration"),
    "bucket-versions": lambda resources: first("S3::Bucket")(resources).pop("Metadata"),
    "data-kept": forgetting,
    "table-recovery": lacking("DynamoDB::Table", "PointInTimeRecoverySpecification"),
}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_finds_its_fault(shipped, rule) -> None:
    template = copy.deepcopy(shipped["all kinds of tasks"])
    FAULTS[rule](template["Resources"])

    assert rule in {found.rule for found in findings(template)}


def test_a_public_queue_is_found_whoever_the_public_is_called(shipped) -> None:
    for everybody in ("*", {"AWS": "*"}):
        template = copy.deepcopy(shipped["one task by hand"])
        policy = first("SQS::QueuePolicy")(template["Resources"])["Properties"]["PolicyDocument"]
        policy["Statement"].append({"Effect": "Allow", "Principal": everybody, "Action": "sqs:SendMessage"})

        assert {"policy-source"} == {found.rule for found in findings(template)}


def test_an_acknowledgement_silences_one_rule_and_is_found_when_it_is_stale(new_app, tmp_path) -> None:
    app = new_app(tmp_path)
    stack = Stack(app, "Mine")
    queue = sqs.Queue(stack, "Queue", enforce_ssl=True)
    for rule in ("queue-retention", "queue-redrive", "encryption"):
        acknowledge(queue, rule, "a sample")
    acknowledge(queue, "queue-tls", "never needed")
    app.synth()

    [found] = findings(json.loads((tmp_path / "Mine.template.json").read_text()))
    assert ("queue-tls", True) == (found.rule, "stale" in found.why)


def test_only_rules_that_there_are_can_be_acknowledged(new_app, tmp_path) -> None:
    with pytest.raises(ValueError, match="no rule; there are permission-source"):
        acknowledge(sqs.Queue(Stack(new_app(tmp_path), "Mine"), "Queue"), "queues", "no")


def test_the_command_ends_with_what_it_found(shipped, tmp_path) -> None:
    def check() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "drumbeat.cdk", "check", str(tmp_path)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert "run cdk synth first" in check().stderr
    template = copy.deepcopy(shipped["one task by hand"])
    (tmp_path / "App.template.json").write_text(json.dumps(template))
    assert (0, "") == (check().returncode, check().stdout)
    saying("IAM::Role", ManagedPolicyArns=["x"])(template["Resources"])
    (tmp_path / "App.template.json").write_text(json.dumps(template))
    assert (1, True) == (check().returncode, "[managed-policy]" in check().stderr)
