"""Verdicts on calls under a role, on deliveries by services, and what usage teaches."""

import json
from dataclasses import replace
from typing import Any

import pytest

from drumbeat.local.deployment import Deployment, Permission, Resource, Role
from drumbeat.local.iam import Authorizer

HERE = "us-east-1:123456789012"
QUEUE, TABLE, BUCKET = f"arn:aws:sqs:{HERE}:q", f"arn:aws:dynamodb:{HERE}:table/t", "arn:aws:s3:::b"
BUS, TOPIC, FUNCTION = (
    f"arn:aws:events:{HERE}:event-bus/default",
    f"arn:aws:sns:{HERE}:a",
    f"arn:aws:lambda:{HERE}:function:f",
)
KEY = f"arn:aws:kms:{HERE}:key/k"
ROLE = "arn:aws:iam::123456789012:role/R"
URL = "https://sqs.us-east-1.amazonaws.com/123456789012/q"
ROOT = {"AWS": "arn:aws:iam::123456789012:root"}


def allow(action, resource="*", **more: Any):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action, resource="*", **more: Any):
    return {**allow(action, resource, **more), "Effect": "Deny"}


def authorizer(*statements: Any, on=None, permissions=(), trust=(), resources=()):
    policy = {"Statement": list(statements)}
    role = Role("Role", "R", ROLE, {"Statement": list(trust)}, (policy,))
    documents = {arn: {"Statement": found} for arn, found in (on or {}).items()}
    empty = Deployment("123456789012", "us-east-1", (), (), (), (), (), tuple(permissions), (role,), documents, (), {})
    table = Resource("S", "T", "AWS::DynamoDB::Table", "t", {"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]})
    return Authorizer(replace(empty, resources=(table, *resources)))


KEYS = {"pk": {"S": "ann"}}
PUT = {"Put": {"TableName": "t", "Item": KEYS}}
CHECK = {"ConditionCheck": {"TableName": TABLE, "Key": KEYS}}


@pytest.mark.parametrize(
    ("service", "operation", "params", "needed"),
    [
        ("sqs", "SendMessageBatch", {"QueueUrl": URL}, [("sqs:SendMessage", QUEUE)]),
        ("sqs", "GetQueueUrl", {"QueueName": "q"}, [("sqs:GetQueueUrl", QUEUE)]),
        ("sqs", "ChangeMessageVisibilityBatch", {"QueueUrl": URL}, [("sqs:ChangeMessageVisibility", QUEUE)]),
        ("dynamodb", "GetItem", {"TableName": "t", "Key": KEYS}, [("dynamodb:GetItem", TABLE)]),
        ("dynamodb", "Query", {"TableName": TABLE, "IndexName": "i"}, [("dynamodb:Query", f"{TABLE}/index/i")]),
        ("dynamodb", "BatchWriteItem", {"RequestItems": {"t": []}}, [("dynamodb:BatchWriteItem", TABLE)]),
        ("dynamodb", "TransactWriteItems", {"TransactItems": [PUT, CHECK]},
            [("dynamodb:PutItem", TABLE), ("dynamodb:ConditionCheckItem", TABLE)]),
        ("dynamodb", "ExecuteStatement", {"Statement": 'SELECT * FROM "t"."i"'},
            [("dynamodb:PartiQLSelect", f"{TABLE}/index/i")]),
        ("s3", "HeadObject", {"Bucket": "b", "Key": "a/k"}, [("s3:GetObject", f"{BUCKET}/a/k")]),
        ("s3", "ListObjectsV2", {"Bucket": "b"}, [("s3:ListBucket", BUCKET)]),
        ("s3", "UploadPart", {"Bucket": "b", "Key": "k"}, [("s3:PutObject", f"{BUCKET}/k")]),
        ("s3", "CopyObject", {"Bucket": "b", "Key": "k", "CopySource": "c/d"},
            [("s3:GetObject", "arn:aws:s3:::c/d"), ("s3:PutObject", f"{BUCKET}/k")]),
        ("s3", "DeleteObjects", {"Bucket": "b", "Delete": {"Objects": [{"Key": "k", "VersionId": "1"}]}},
            [("s3:DeleteObjectVersion", f"{BUCKET}/k")]),
        ("s3", "ListBuckets", {}, [("s3:ListAllMyBuckets", "*")]),
        ("lambda", "Invoke", {"FunctionName": "f", "Qualifier": "live"},
            [("lambda:InvokeFunction", f"{FUNCTION}:live")]),
        ("lambda", "Invoke", {"FunctionName": FUNCTION}, [("lambda:InvokeFunction", FUNCTION)]),
        ("events", "PutEvents", {"Entries": [{"Source": "a"}, {"EventBusName": "m"}]},
            [("events:PutEvents", BUS), ("events:PutEvents", f"arn:aws:events:{HERE}:event-bus/m")]),
        ("scheduler", "CreateSchedule", {"Name": "s", "Target": {"RoleArn": ROLE}},
            [("scheduler:CreateSchedule", f"arn:aws:scheduler:{HERE}:schedule/default/s"), ("iam:PassRole", ROLE)]),
        ("sns", "PublishBatch", {"TopicArn": TOPIC}, [("sns:Publish", TOPIC)]),
        ("ssm", "GetParameters", {"Names": ["/a/b"]}, [("ssm:GetParameters", f"arn:aws:ssm:{HERE}:parameter/a/b")]),
        ("logs", "PutLogEvents", {"logGroupName": "g", "logStreamName": "s"},
            [("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:g:log-stream:s")]),
        ("cloudwatch", "PutMetricData", {"Namespace": "n"}, [("cloudwatch:PutMetricData", "*")]),
        ("stepfunctions", "StartExecution", {"stateMachineArn": "arn:m"}, [("states:StartExecution", "arn:m")]),
        ("kms", "Decrypt", {"KeyId": "k"}, [("kms:Decrypt", KEY)]),
    ],
)  # fmt: skip
def test_a_call_needs_these_actions_on_these_resources_and_nothing_else(service, operation, params, needed):
    exact = authorizer(*[allow(action, resource) for action, resource in needed])
    decision = exact.check(ROLE, service, operation, params)

    assert decision.allowed, decision.message
    assert tuple(resource for _, resource in needed) == decision.resources
    for missing in needed:
        refused = authorizer(*[allow(*one) for one in needed if one != missing]).check(ROLE, service, operation, params)
        assert missing == (refused.action, refused.resource)


def test_who_one_is_may_always_be_asked():
    assert authorizer().check(ROLE, "sts", "GetCallerIdentity", {}).allowed


def test_a_service_without_a_mapping_is_judged_by_its_operation():
    assert authorizer(allow("ses:Send*", "arn:any")).check(ROLE, "sesv2", "SendEmail", {}).allowed
    assert not authorizer(allow("ses:Get*")).check(ROLE, "sesv2", "SendEmail", {}).allowed


def test_a_denial_reads_as_in_aws_and_says_what_to_grant():
    decision = authorizer().check(ROLE, "sqs", "SendMessage", {"QueueUrl": URL}, session="dispatcher")

    assert decision.message.startswith(
        "User: arn:aws:sts::123456789012:assumed-role/R/dispatcher is not authorized to perform: sqs:sendmessage on"
        f" resource: {QUEUE} because no identity-based policy allows the sqs:sendmessage action; grant: "
    )
    assert decision.message.endswith("queue.grant_send_messages(...)")
    assert {"Action": "sqs:SendMessage", "Resource": QUEUE} == decision.grant
    assert "AccessDenied" == decision.code


def test_an_explicit_deny_wins_over_any_allow():
    refusal = deny("sqs:*", QUEUE)
    decision = authorizer(allow("*"), refusal).check(ROLE, "sqs", "SendMessage", {"QueueUrl": URL})

    assert not decision.allowed
    assert (refusal, None) == (decision.statement, decision.grant)
    assert "explicit deny in an identity-based policy" in decision.message


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        (allow("SQS:sendmessage", QUEUE), True),
        (allow("sqs:Send*", f"arn:aws:sqs:*:{QUEUE[-14:-2]}:?"), True),
        (allow("sqs:SendMessage", QUEUE[:-1]), False),
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, True),
        ({"Effect": "Allow", "NotAction": "sqs:Send*", "Resource": "*"}, False),
        ({"Effect": "Allow", "Action": "sqs:*", "NotResource": QUEUE}, False),
        ({"Effect": "Allow", "Action": "sqs:*", "NotResource": f"{QUEUE}2"}, True),
    ],
)
def test_wildcards_and_negated_elements(statement, allowed):
    assert allowed == authorizer(statement).check(ROLE, "sqs", "SendMessage", {"QueueUrl": URL}).allowed


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, False),
        ({"StringEquals": {"aws:PrincipalAccount": ["1", "123456789012"]}}, True),
        ({"StringLike": {"aws:PrincipalArn": "*role/R"}}, True),
        ({"StringNotLike": {"aws:PrincipalArn": ["*role/A", "*role/R"]}}, False),
        ({"ArnLike": {"AWS:principalarn": "arn:aws:iam::*:role/*"}}, True),
        ({"ArnEquals": {"aws:SourceArn": "arn:a"}}, False),
        ({"ArnNotEquals": {"aws:SourceArn": "arn:a"}}, True),
        ({"StringEqualsIfExists": {"aws:SourceAccount": "1"}}, True),
        ({"Null": {"aws:SourceArn": "true"}}, True),
        ({"Null": {"aws:PrincipalArn": "true"}}, False),
        ({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["ann"]}}, True),
        ({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["b*"]}}, False),
        ({"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": ["bob", "ann"]}}, True),
        ({"StringEquals": {"dynamodb:LeadingKeys": "${aws:PrincipalArn}"}}, False),
        ({"NumericLessThan": {"aws:PrincipalAccount": "123456789013"}}, True),
        ({"StringEquals": {"aws:PrincipalArn": ROLE}, "Bool": {"aws:SecureTransport": "false"}}, False),
    ],
)
def test_conditions(condition, allowed):
    statement = allow("dynamodb:PutItem", TABLE, Condition=condition)
    decision = authorizer(statement).check(ROLE, "dynamodb", "PutItem", {"TableName": "t", "Item": KEYS})

    assert (allowed, ()) == (decision.allowed, decision.notes)


def test_the_leading_key_of_a_query_is_read_from_its_condition():
    mine = allow("dynamodb:Query", TABLE, Condition={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["ann"]}})
    query = {"TableName": "t", "KeyConditionExpression": "#p = :v", "ExpressionAttributeNames": {"#p": "pk"}}

    assert [True, False] == [
        authorizer(mine)
        .check(ROLE, "dynamodb", "Query", {**query, "ExpressionAttributeValues": {":v": {"S": who}}})
        .allowed
        for who in ("ann", "bob")
    ]


def test_a_condition_key_that_is_not_modelled_is_unmet_and_noted():
    decision = authorizer(allow("sqs:*", Condition={"StringEquals": {"aws:Moon": "full"}})).check(
        ROLE, "sqs", "SendMessage", {"QueueUrl": URL}
    )

    assert not decision.allowed
    assert "doesn't know the condition key aws:Moon" in decision.message


@pytest.mark.parametrize(
    ("principal", "allowed"),
    [("*", True), ({"AWS": "*"}, True), ({"AWS": ROLE}, True), (ROOT, False), ({"AWS": f"{ROLE}2"}, False)],
)
def test_a_resource_policy_alone_suffices_if_it_names_the_role(principal, allowed):
    on = {QUEUE: [allow("sqs:SendMessage", QUEUE, Principal=principal)]}

    assert allowed == authorizer(on=on).check(ROLE, "sqs", "SendMessage", {"QueueUrl": URL}).allowed


def test_a_bucket_policy_speaks_of_its_objects():
    on = {BUCKET: [deny("s3:*", f"{BUCKET}/secret/*", Principal="*")]}
    decide = authorizer(allow("s3:*"), on=on).check

    assert [True, False] == [
        decide(ROLE, "s3", "GetObject", {"Bucket": "b", "Key": key}).allowed for key in ("open/a", "secret/a")
    ]


@pytest.mark.parametrize(
    ("on", "allowed"), [({}, True), ({KEY: []}, False), ({KEY: [allow("kms:*", Principal=ROOT)]}, True)]
)
def test_a_key_with_a_policy_has_to_leave_it_to_iam(on, allowed):
    assert allowed == authorizer(allow("kms:Decrypt", KEY), on=on).check(ROLE, "kms", "Decrypt", {"KeyId": "k"}).allowed


RULE = f"arn:aws:events:{HERE}:rule/r"
EVENTS, SCHEDULER = "events.amazonaws.com", "scheduler.amazonaws.com"


def test_a_rule_invokes_a_function_only_by_a_permission_for_that_rule():
    decide = authorizer(permissions=[Permission(FUNCTION, EVENTS, source_arn=RULE)]).check_service

    assert [True, False, False, False] == [
        decide(principal, "lambda:InvokeFunction", function, source).allowed
        for principal, function, source in [
            (EVENTS, FUNCTION, RULE),
            (EVENTS, FUNCTION, f"{RULE}2"),
            (EVENTS, f"{FUNCTION}:live", RULE),
            ("sns.amazonaws.com", FUNCTION, RULE),
        ]
    ]


def test_a_rule_reaches_a_queue_by_the_queues_policy():
    by_rule = allow(
        "sqs:SendMessage", QUEUE, Principal={"Service": EVENTS}, Condition={"ArnEquals": {"aws:SourceArn": RULE}}
    )
    decide = authorizer(on={QUEUE: [by_rule]}).check_service
    refused = decide(EVENTS, "sqs:SendMessage", QUEUE, "arn:else")

    assert decide(EVENTS, "sqs:SendMessage", QUEUE, RULE).allowed
    assert refused.message.startswith("events.amazonaws.com is not authorized to perform: sqs:sendmessage")
    assert {"Principal": {"Service": EVENTS}, "Action": "sqs:SendMessage", "Resource": QUEUE} == refused.grant


def test_a_scheduler_assumes_its_role_for_the_group_of_the_schedule_and_then_does_what_the_role_may():
    group = f"arn:aws:scheduler:{HERE}:schedule-group/g"
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": SCHEDULER},
        "Condition": {"StringEquals": {"aws:SourceArn": group, "aws:SourceAccount": "123456789012"}},
    }
    decide = authorizer(allow("sqs:SendMessage", QUEUE), trust=[trust]).check_service
    mine, other = (f"arn:aws:scheduler:{HERE}:schedule/{name}/s" for name in "gh")

    assert decide(SCHEDULER, "sqs:SendMessage", QUEUE, mine, ROLE).allowed
    assert "sts:AssumeRole" == decide(SCHEDULER, "sqs:SendMessage", QUEUE, other, ROLE).action
    assert "sqs:SendMessage" == decide(SCHEDULER, "sqs:SendMessage", f"{QUEUE}2", mine, ROLE).action


def test_usage_shows_what_is_superfluous_and_the_smallest_policy():
    granted = authorizer(allow(["s3:GetObject", "s3:PutObject"], [BUCKET, f"{BUCKET}/*"]), allow("sqs:*", QUEUE))
    for key in ("a", "b"):
        granted.check(ROLE, "s3", "GetObject", {"Bucket": "b", "Key": key})
    granted.check(ROLE, "sqs", "SendMessage", {"QueueUrl": URL})
    granted.check(ROLE, "sqs", "SendMessage", {"QueueUrl": f"{URL}-denied"})

    assert {("s3:GetObject", f"{BUCKET}/*"): 2, ("sqs:SendMessage", QUEUE): 1} == granted.usage()[ROLE]
    assert ["s3:PutObject"] == [one.action for one in granted.unused()]
    assert json.loads(json.dumps(granted.smallest_policy(ROLE)))["Statement"] == [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"{BUCKET}/*"]},
        {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": [QUEUE]},
    ]
