"""What becomes of a delivery that fails: tried again, or given up to a dead-letter queue."""

import json
from typing import Any

from drumbeat.local import Faults

from .lab import EVENTS, FAIL, LAMBDA, PRINT, SCHEDULER, Lab, arn, row

RETRY = EVENTS + "eb-rule-retry-policy.html"
DEAD = EVENTS + "eb-rule-dlq.html"
SCHEDULE_DEAD = SCHEDULER + "configuring-schedule-dlq.html"
HOURLY = "cron(0 * * * ? *)"


class Refuse(Faults):
    """The target refuses the first attempts of every delivery."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def delivery_error(self, principal: str, source_arn: str, target_arn: str, *, attempt: int) -> str | None:  # noqa: ARG002
        return "ThrottlingException" if attempt <= self.times else None


def to_dead(retries: int | None = None, age: int | None = None):
    policy = {"MaximumRetryAttempts": retries, "MaximumEventAgeInSeconds": age}
    return {
        "DeadLetterConfig": {"Arn": arn("Dead")},
        "RetryPolicy": {name: value for name, value in policy.items() if value is not None},
    }


def rule(lab: Lab, target: Any, *, refusals: int = 0, permitted: bool = True):
    """An hourly rule for the function `one`, an hour later."""
    lab.function("one", PRINT)
    lab.queue("Dead")
    lab.let_send("Dead", "events.amazonaws.com")
    lab.rule("Rule", "one", ScheduleExpression=HOURLY, target=target)
    if not permitted:
        del lab.resources["RulePermission"]
    cloud = lab.open(faults=Refuse(refusals))
    cloud.advance(minutes=65)
    return cloud


def letter(lab: Lab):
    (message,) = lab.receive("Dead")
    return json.loads(message["Body"]), {
        name: value["StringValue"] for name, value in message["MessageAttributes"].items()
    }


@row("A throttled delivery is tried again with growing pauses until it gets through", RETRY)
def tried_again(lab: Lab):
    cloud = rule(lab, {}, refusals=5)

    assert 1 == cloud.invocations["one"]
    assert [None, 1, 2, 3, 4] == [entry.detail.get("retries") for entry in cloud.log.of("deliver.failed")]
    (done,) = cloud.log.of("deliver")[5:]
    assert 15 < done.time.minute * 60 + done.time.second < 35


@row("Without a retry policy a delivery is tried for a day, up to 185 times more, then lost", RETRY)
def a_day(lab: Lab):
    lab.function("one", PRINT)
    lab.rule("Rule", "one", ScheduleExpression="cron(0 1 1 3 ? *)")
    cloud = lab.open(faults=Refuse(1_000))
    cloud.advance(days=3)

    assert 150 < len(cloud.log.of("deliver.failed")) <= 186
    assert 1 == len(cloud.log.of("deliver.dropped"))


@row("After MaximumRetryAttempts the event goes to the target's dead-letter queue, with the reason", DEAD)
def attempts(lab: Lab):
    rule(lab, {"Input": '{"n": 1}', **to_dead(2)}, refusals=1_000)

    body, attributes = letter(lab)
    assert ("aws.events", "2026-03-01T01:00:00Z") == (body["source"], body["time"])  # the event, not the input
    assert {
        "RULE_ARN": "arn:aws:events:us-east-1:123456789012:rule/Rule",
        "TARGET_ARN": "arn:aws:lambda:us-east-1:123456789012:function:one",
        "ERROR_CODE": "THROTTLING",
        "ERROR_MESSAGE": "injected",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "RETRY_ATTEMPTS": "2",
    } == attributes


@row("After MaximumEventAgeInSeconds the event goes to the target's dead-letter queue", DEAD)
def age(lab: Lab):
    rule(lab, to_dead(50, 60), refusals=1_000)

    assert "MaximumEventAgeInSeconds" == letter(lab)[1]["EXHAUSTED_RETRY_CONDITION"]


@row("A missing permission is not tried again", DEAD)
def not_permitted(lab: Lab):
    rule(lab, to_dead(), permitted=False)

    attributes = letter(lab)[1]
    assert ("NO_PERMISSIONS", "0") == (attributes["ERROR_CODE"], attributes["RETRY_ATTEMPTS"])
    assert "EXHAUSTED_RETRY_CONDITION" not in attributes


@row("A target that doesn't exist is not tried again", DEAD)
def gone(lab: Lab):
    lab.queue("Gone")
    lab.queue("Dead")
    lab.let_send("Dead", "events.amazonaws.com")
    lab.let_send("Gone", "events.amazonaws.com")
    lab.rule("Rule", "Gone", ScheduleExpression=HOURLY, target=to_dead())
    cloud = lab.open()
    cloud.client("sqs").delete_queue(QueueUrl=lab.url("Gone"))
    cloud.advance(minutes=61)

    assert "NO_RESOURCE" == letter(lab)[1]["ERROR_CODE"]


@row("A dead-letter queue that rules may not send to loses the event", DEAD)
def closed(lab: Lab):
    lab.function("one", PRINT)
    lab.queue("Dead")
    lab.rule("Rule", "one", ScheduleExpression=HOURLY, target=to_dead())
    del lab.resources["RulePermission"]
    cloud = lab.open()
    cloud.advance(minutes=61)

    (dropped,) = cloud.log.of("deliver.dropped")
    assert "sqs:sendmessage" in dropped.detail["message"]
    assert (0, 0, 0) == cloud.queue_depth("Dead")


@row(
    "A schedule's dead letter is the call that failed, with the schedule, its time and the target's error",
    SCHEDULE_DEAD,
)
def schedule(lab: Lab):
    lab.function("one", PRINT)
    lab.queue("Dead")
    lab.schedule("S", HOURLY, target={"Input": "<aws.scheduler.attempt-number>", **to_dead(2)})
    cloud = lab.open(faults=Refuse(1_000))
    cloud.advance(minutes=65)

    body, attributes = letter(lab)
    function = "arn:aws:lambda:us-east-1:123456789012:function:one"
    assert {"FunctionName": function, "InvocationType": "Event", "Payload": "3"} == body
    assert 36 == len(attributes.pop("EXECUTION_ID"))
    assert {
        "ERROR_CODE": "ThrottlingException",
        "ERROR_MESSAGE": "injected",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": "2",
        "SCHEDULED_TIME": "2026-03-01T01:00:00Z",
        "SCHEDULE_ARN": "arn:aws:scheduler:us-east-1:123456789012:schedule/default/S",
        "TARGET_ARN": "arn:aws:scheduler:::aws-sdk:lambda:invoke",
    } == attributes


@row(
    "A function's role must allow what its destinations and dead-letter queue need",
    LAMBDA + "invocation-async-retain-records.html",
)
def role(lab: Lab):
    lab.queue("Dead")
    allow = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [allow]}
    lab.resources["Role"]["Properties"]["Policies"][0]["PolicyDocument"] = document
    lab.function("one", PRINT)
    lab.asynchronous("one", DestinationConfig={"OnSuccess": {"Destination": arn("Dead")}})
    lab.function("two", FAIL, DeadLetterConfig={"TargetArn": arn("Dead")})
    lab.asynchronous("two", DestinationConfig={"OnFailure": {"Destination": arn("Dead")}})
    cloud = lab.open()
    for name in ("one", "two"):
        cloud.invoke_async(name, {})
    cloud.run_until_idle()

    found = cloud.log.of("destination.failed")
    assert ["one", "two", "two"] == [entry.subject for entry in found]
    assert {"AccessDenied"} == {entry.detail["error"] for entry in found}
    assert "queue.grant_send_messages" in found[0].detail["message"]
    assert (0, 0, 0) == cloud.queue_depth("Dead")
