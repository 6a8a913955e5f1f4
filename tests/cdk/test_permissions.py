import re
from pathlib import Path

import pytest

from tests.cdk.sample import TASKS
from tests.cdk.template import as_list

XRAY = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}  # X-Ray has no resources to name


@pytest.fixture(scope="session")
def bucket(template):
    return f"<{template.only('AWS::S3::Bucket')[0]}.Arn>"


def all_statements(template):
    for policy in template.of("AWS::IAM::Policy").values():
        yield from template.said(policy["PolicyDocument"]["Statement"])


def test_no_statement_allows_every_action(template):
    assert not [action for said in all_statements(template) for action in as_list(said["Action"]) if "*" in action]


def test_only_tracing_is_allowed_on_every_resource(template):
    everywhere = [said for said in all_statements(template) if "*" in as_list(said["Resource"])]

    assert [XRAY] * 2 == [set(said["Action"]) for said in everywhere]


def test_what_is_allowed_on_every_resource_is_what_the_threat_model_lists(template):
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text()
    listed = set(re.findall(r"^\| `(\w+:\w+)` \|", page, re.MULTILINE))
    everywhere = [said for said in all_statements(template) if "*" in as_list(said["Resource"])]

    assert listed == {action for said in everywhere for action in as_list(said["Action"])}


def test_a_dispatcher_opens_runs_sends_chunks_announces_and_goes_on(template, bucket):
    queue, _ = template.queues_of("nightly")
    allowed = template.may("nightly", "dispatcher")

    assert ("sqs:SendMessage", f"<{queue}.Arn>") in allowed
    assert ("lambda:InvokeFunction", f"<{template.functions['nightly', 'dispatcher']}.Arn>") in allowed
    assert {"GetItem", "PutItem", "Query", "UpdateItem"} == on_ledger(allowed)
    assert {
        (action, f"{bucket}/{prefix}/nightly/*")
        for action in ("s3:GetObject", "s3:PutObject")
        for prefix in ("results", "runs")
    } == of("s3", allowed)
    assert {"events:PutEvents"} == {action for action, _ in of("events", allowed)}


def test_a_worker_consumes_settles_and_calls_its_dispatcher(template, bucket):
    queue, _ = template.queues_of("nightly")
    backfill = template.backfill_of("nightly")
    allowed = template.may("nightly", "worker")

    assert {("sqs:ReceiveMessage", f"<{queue}.Arn>"), ("sqs:ChangeMessageVisibility", f"<{queue}.Arn>")} <= allowed
    assert {f"<{queue}.Arn>", f"<{backfill}.Arn>"} == {resource for _, resource in of("sqs", allowed)}
    assert {("lambda:InvokeFunction", f"<{template.functions['nightly', 'dispatcher']}.Arn>")} == of("lambda", allowed)
    assert {"GetItem", "PutItem", "UpdateItem"} == on_ledger(allowed)
    assert {f"{bucket}/runs/nightly/*", f"{bucket}/results/nightly/*"} == {
        resource for _, resource in of("s3", allowed)
    }


@pytest.mark.parametrize("task", TASKS)
def test_a_worker_announces_and_sends_nothing(template, task):
    actions = {action for action, _ in template.may(task, "worker")}

    assert actions.isdisjoint({"events:PutEvents", "sqs:SendMessage"})


@pytest.mark.parametrize(
    ("task", "kind", "keys"),
    [
        ("nightly", "worker", {"task#nightly", "*#nightly/*"}),
        ("nightly", "dispatcher", {"task#nightly", "*#nightly/*"}),
        ("after-both", "worker", {"task#after-both", "*#after-both/*"}),
    ],
)
def test_a_function_uses_its_own_task_s_part_of_the_ledger(template, task, kind, keys):
    role = template.function(task, kind)["Role"]["Fn::GetAtt"][0]
    ledger = [said for said in template.statements(role) if "<Ledger" in str(said["Resource"])]

    assert [keys] == [set(said["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]) for said in ledger]


def test_a_dispatcher_only_reads_what_the_runs_before_its_own_have_left(template):
    role = template.function("after-both", "dispatcher")["Role"]["Fn::GetAtt"][0]
    found = {
        key: set(said["Action"])
        for said in template.statements(role)
        if "<Ledger" in str(said["Resource"])
        for key in said["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    }

    assert {"dynamodb:GetItem", "dynamodb:Query"} == found["*#nightly/*"] == found["task#often"]
    assert "dynamodb:PutItem" in found["*#after-both/*"]


def test_the_keeper_sends_again_invokes_and_announces_for_every_task(template):
    allowed = template.may("keeper", "keeper")
    for task in TASKS:
        queue, dead = template.queues_of(task)

        assert {
            ("sqs:SendMessage", f"<{queue}.Arn>"),
            ("sqs:ReceiveMessage", f"<{dead}.Arn>"),
            ("lambda:InvokeFunction", f"<{template.functions[task, 'dispatcher']}.Arn>"),
        } <= allowed
    assert {"events:PutEvents"} == {action for action, _ in of("events", allowed)}


def test_a_dispatcher_reads_the_lines_of_its_app_s_bucket_up_to_the_first_field(template, bucket):
    assert ("s3:GetObject", f"{bucket}/in/*") in template.may("berlin", "dispatcher")


def test_a_dispatcher_reads_just_the_object_of_another_bucket(template):
    assert ("s3:GetObject", "arn:<AWS::Partition>:s3:::elsewhere/in/fixed.jsonl") in template.may("fixed", "dispatcher")


@pytest.mark.parametrize(("task", "pattern", "of_app"), [("relaxed", "photos/*", False), ("gallery", "photos/*", True)])
def test_a_dispatcher_lists_a_prefix_and_the_worker_reads_its_objects(template, bucket, task, pattern, of_app):
    arn = bucket if of_app else "arn:<AWS::Partition>:s3:::elsewhere"
    role = template.function(task, "dispatcher")["Role"]["Fn::GetAtt"][0]
    (listing,) = [said for said in template.statements(role) if said["Action"] == "s3:ListBucket"]

    assert (arn, {"StringLike": {"s3:prefix": pattern}}) == (listing["Resource"], listing["Condition"])
    assert ("s3:GetObject", f"{arn}/{pattern}") in template.may(task, "worker")


def test_a_dispatcher_scans_its_table(template):
    scanned = {resource for action, resource in template.may("manual", "dispatcher") if action == "dynamodb:Scan"}

    assert {"arn:<AWS::Partition>:dynamodb:<AWS::Region>:<AWS::AccountId>:table/customers"} == scanned


def test_declared_permissions_end_where_the_function_runs(template):
    worker, dispatcher = template.may("manual", "worker"), template.may("manual", "dispatcher")

    assert ("ses:SendEmail", "arn:aws:ses:eu-west-1:111122223333:identity/x") in worker - dispatcher
    assert {("s3:ListBucket", "arn:aws:s3:::prices"), ("s3:PutObject", "arn:aws:s3:::reports/*")} <= dispatcher - worker
    assert any(
        "Bucket" in on and on.endswith("/templates/*") for action, on in worker - dispatcher if action == "s3:GetObject"
    )


def test_only_an_idempotent_task_uses_the_idempotency_records(template):
    (records,) = (key for key in template.of("AWS::DynamoDB::Table") if not key.startswith("Ledger"))
    users = {
        task for task, kind in template.functions if f"<{records}.Arn>" in dict(map(reversed, template.may(task, kind)))
    }

    assert {"often"} == users


def on_ledger(allowed):
    return {action.split(":")[1] for action, on in of("dynamodb", allowed) if on.startswith("<Ledger")}


def of(service, allowed):
    return {(action, resource) for action, resource in allowed if action.startswith(f"{service}:")}
