"""What becomes of a delivery that fails: tried again, or given up to a dead-letter queue with AWS's attributes."""

# ruff: noqa: ANN003, ANN204  tests read as sentences

import json

import pytest

from drumbeat.local import Faults

PRINT = "import json\ndef handler(event, context): print(json.dumps(event))"
FAIL = "def handler(event, context): raise ValueError('no')"
ROLE = {"Fn::GetAtt": ["Role", "Arn"]}
HOURLY = "cron(0 * * * ? *)"


class Refuse(Faults):
    """The target refuses the first attempts of every delivery."""

    def __init__(self, times, code="ThrottlingException"):
        self.times, self.code = times, code

    def delivery_error(self, principal, source_arn, target_arn, *, attempt):  # noqa: ARG002
        return self.code if attempt <= self.times else None


def allow_sends_to_dead(app):
    app.queue("Dead")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": {"Fn::GetAtt": ["Dead", "Arn"]},
    }
    app.add("DeadPolicy", "AWS::SQS::QueuePolicy", Queues=[{"Ref": "Dead"}], PolicyDocument={"Statement": [statement]})


def dead_letter_config(retries=None, age=None):
    policy = {"MaximumRetryAttempts": retries, "MaximumEventAgeInSeconds": age}
    return {
        "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Dead", "Arn"]}},
        "RetryPolicy": {name: value for name, value in policy.items() if value is not None},
    }


def schedule(app, **target):
    app.add(
        "Hourly",
        "AWS::Scheduler::Schedule",
        Name="Hourly",
        ScheduleExpression=HOURLY,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": {"Fn::GetAtt": ["one", "Arn"]}, "RoleArn": ROLE, **target},
    )


def dead_letter(cloud):
    """The body and attributes of the only message in the dead-letter queue."""
    url = next(queue.url for queue in cloud.deployment.queues if queue.name == "Dead")
    (message,) = cloud.client("sqs").receive_message(
        QueueUrl=url, MessageAttributeNames=["All"], MaxNumberOfMessages=10
    )["Messages"]
    return json.loads(message["Body"]), {
        name: value["StringValue"] for name, value in message["MessageAttributes"].items()
    }


def test_a_throttled_delivery_is_tried_again_until_it_gets_through(app, open_cloud):
    app.function("one", PRINT)
    app.rule("Rule", "one", ScheduleExpression=HOURLY)
    cloud = open_cloud(app, faults=Refuse(5))
    cloud.advance(minutes=65)

    assert 1 == cloud.invocations["one"]
    assert [None, 1, 2, 3, 4] == [entry.detail.get("retries") for entry in cloud.log.of("deliver.failed")]
    (done,) = cloud.log.of("deliver")[5:]
    assert 15 < done.time.minute * 60 + done.time.second < 35  # 1 + 2 + 4 + 8 + 16 s, each by half at most


def test_a_delivery_under_way_again_counts_as_busy(app, open_cloud):
    app.function("one", PRINT)
    app.rule("Rule", "one", ScheduleExpression=HOURLY)
    cloud = open_cloud(app, faults=Refuse(4))
    cloud.advance(seconds=3602)
    assert cloud.busy
    cloud.run_until_idle()

    assert 1 == cloud.invocations["one"]


def test_a_days_retries_are_about_185(app, open_cloud):
    app.function("one", PRINT)
    app.rule("Rule", "one", ScheduleExpression="cron(0 1 1 3 ? *)", target={"RetryPolicy": {}})
    cloud = open_cloud(app, faults=Refuse(1000))
    cloud.advance(days=3)

    assert 150 < len(cloud.log.of("deliver.failed")) <= 186
    assert 1 == len(cloud.log.of("deliver.dropped"))


@pytest.mark.parametrize(
    ("policy", "retries", "condition"),
    [((2, None), "2", "MaximumRetryAttempts"), ((50, 60), "6", "MaximumEventAgeInSeconds")],
)
def test_a_rules_event_ends_in_its_dead_letter_queue_with_the_reason(app, open_cloud, policy, retries, condition):
    app.function("one", PRINT)
    allow_sends_to_dead(app)
    app.rule("Rule", "one", ScheduleExpression=HOURLY, target={"Input": '{"n": 1}', **dead_letter_config(*policy)})
    cloud = open_cloud(app, faults=Refuse(1000))
    cloud.advance(minutes=65)

    body, attributes = dead_letter(cloud)
    assert ("aws.events", "2026-03-01T01:00:00Z") == (body["source"], body["time"])  # the event, not the input
    assert {
        "RULE_ARN": "arn:aws:events:us-east-1:123456789012:rule/Rule",
        "TARGET_ARN": "arn:aws:lambda:us-east-1:123456789012:function:one",
        "ERROR_CODE": "THROTTLING",
        "ERROR_MESSAGE": "injected",
        "EXHAUSTED_RETRY_CONDITION": condition,
        "RETRY_ATTEMPTS": retries,
    } == attributes


def test_a_missing_permission_is_not_tried_again(app, open_cloud):
    app.function("one", PRINT)
    allow_sends_to_dead(app)
    app.rule("Rule", "one", ScheduleExpression=HOURLY, target=dead_letter_config())
    del app.resources["RulePermission"]
    cloud = open_cloud(app)
    cloud.advance(minutes=61)

    _, attributes = dead_letter(cloud)
    assert ("NO_PERMISSIONS", "0") == (attributes["ERROR_CODE"], attributes["RETRY_ATTEMPTS"])
    assert "EXHAUSTED_RETRY_CONDITION" not in attributes


def test_a_target_that_doesnt_exist_is_not_tried_again(app, open_cloud):
    app.queue("Gone")
    allow_sends_to_dead(app)
    app.rule("Rule", "Gone", ScheduleExpression=HOURLY, target=dead_letter_config())
    cloud = open_cloud(app, authorize=False)
    cloud.client("sqs").delete_queue(QueueUrl=next(q.url for q in cloud.deployment.queues if q.name == "Gone"))
    cloud.advance(minutes=61)

    assert "NO_RESOURCE" == dead_letter(cloud)[1]["ERROR_CODE"]


def test_a_dead_letter_queue_that_rules_may_not_send_to_loses_the_event(app, open_cloud):
    app.function("one", PRINT)
    app.queue("Dead")
    app.rule("Rule", "one", ScheduleExpression=HOURLY, target=dead_letter_config())
    del app.resources["RulePermission"]
    cloud = open_cloud(app)
    cloud.advance(minutes=61)

    (dropped,) = cloud.log.of("deliver.dropped")
    assert "sqs:sendmessage" in dropped.detail["message"]
    assert (0, 0, 0) == cloud.queue_depth("Dead")


def test_a_schedules_dead_letter_is_the_call_that_failed(app, open_cloud):
    app.function("one", PRINT)
    app.queue("Dead")
    schedule(app, Input="<aws.scheduler.attempt-number>", **dead_letter_config(2))
    cloud = open_cloud(app, faults=Refuse(1000))
    cloud.advance(minutes=65)

    body, attributes = dead_letter(cloud)
    arn = "arn:aws:lambda:us-east-1:123456789012:function:one"
    assert {"FunctionName": arn, "InvocationType": "Event", "Payload": "3"} == body
    assert 36 == len(attributes.pop("EXECUTION_ID"))
    assert {
        "ERROR_CODE": "ThrottlingException",
        "ERROR_MESSAGE": "injected",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": "2",
        "SCHEDULED_TIME": "2026-03-01T01:00:00Z",
        "SCHEDULE_ARN": "arn:aws:scheduler:us-east-1:123456789012:schedule/default/Hourly",
        "TARGET_ARN": "arn:aws:scheduler:::aws-sdk:lambda:invoke",
    } == attributes


def test_a_schedule_tells_its_target_which_attempt_it_is(app, open_cloud):
    app.function("one", PRINT)
    schedule(app, Input="<aws.scheduler.attempt-number>")
    cloud = open_cloud(app, faults=Refuse(2))
    cloud.advance(minutes=61)

    assert ["3"] == [line.text for line in cloud.logs("one")]


@pytest.mark.parametrize("kind", ["OnFailure", "OnSuccess", "DeadLetterConfig"])
def test_a_functions_role_must_allow_what_its_destinations_need(app, open_cloud, kind):
    app.queue("Dead")
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}
    app.resources["Role"]["Properties"]["Policies"][0]["PolicyDocument"] = allowed
    arn = {"Fn::GetAtt": ["Dead", "Arn"]}
    more = {kind: {"TargetArn": arn}} if kind == "DeadLetterConfig" else {}
    app.function("one", PRINT if kind == "OnSuccess" else FAIL, **more)
    if kind != "DeadLetterConfig":
        app.add(
            "Config",
            "AWS::Lambda::EventInvokeConfig",
            FunctionName={"Ref": "one"},
            Qualifier="$LATEST",
            DestinationConfig={kind: {"Destination": arn}},
        )
    cloud = open_cloud(app)
    cloud.invoke_async("one", {})
    cloud.run_until_idle()

    (failed,) = cloud.log.of("destination.failed")
    assert ("one", "AccessDenied") == (failed.subject, failed.detail["error"])
    assert "queue.grant_send_messages" in failed.detail["message"]
    assert (0, 0, 0) == cloud.queue_depth("Dead")


def test_a_function_gets_a_thousand_environments_in_ten_seconds_and_no_more(app, open_cloud):
    app.function("one", "def handler(event, context): pass", timeout=900)
    cloud = open_cloud(
        app,
        account_concurrency=3000,
        own_environments=False,
        durations=lambda function, event, rng: 600.0,  # noqa: ARG005
    )
    for _ in range(1_500):
        cloud.invoke_async("one", {})
    cloud.advance(seconds=1)
    at_once = max(active for _, active in cloud.samples["one"])
    cloud.advance(seconds=30)

    assert 1_000 <= at_once <= 1_100
    assert 1_500 == max(active for _, active in cloud.samples["one"])
    reasons = {entry.detail["reason"] for entry in cloud.log.of("invoke.throttled")}
    assert {"FunctionInvocationRateLimitExceeded"} == reasons
