"""When rules and schedules fire, and what their targets get."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from drumbeat.local.errors import ResourceRejected
from tests.ceilings import over_the_limit

from .lab import EVENTS, PRINT, SCHEDULER, Lab, arn, row

RULE = EVENTS + "eb-create-rule-schedule.html"
TYPES = SCHEDULER + "schedule-types.html"
TRANSFORM = EVENTS + "eb-transform-target-input.html"
UNIVERSAL = SCHEDULER + "managing-targets-universal.html"
AT = json.dumps({"at": "<aws.scheduler.scheduled-time>"})


def fired(lab: Lab, expression: str, days: float, *, start: datetime, **more: Any) -> list[str]:
    lab.function("one", PRINT)
    lab.schedule("S", expression, target={"Input": AT}, **more)
    cloud = lab.open(start=start)
    cloud.advance(days=days)
    return [event["at"] for event in lab.printed()]


def ruled(lab: Lab, **properties: Any):
    lab.function("one", PRINT)
    lab.rule("Rule", "one", **properties)
    return lab.open()


@row("A scheduled rule fires in UTC and sends its envelope", RULE)
def envelope(lab: Lab):
    cloud = ruled(lab, ScheduleExpression="cron(0 12 * * ? *)")
    cloud.advance(days=2)

    first, second = lab.printed()
    assert ("2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z") == (first["time"], second["time"])
    assert ("Scheduled Event", "aws.events", {}) == (first["detail-type"], first["source"], first["detail"])
    assert ["arn:aws:events:us-east-1:123456789012:rule/Rule"] == first["resources"]
    assert ("123456789012", "us-east-1", "0") == (first["account"], first["region"], first["version"])


@row("A rate counts from when the rule was made", RULE)
def rate(lab: Lab):
    cloud = ruled(lab, ScheduleExpression="rate(7 minutes)")
    cloud.advance(minutes=22)

    assert [7, 14, 21] == [datetime.fromisoformat(event["time"]).minute for event in lab.printed()]


@row("A cron expression knows L, W, # and lists", SCHEDULER + "schedule-types.html#cron-based")
def cron(lab: Lab):
    times = fired(lab, "cron(15 10 ? * 6L 2026)", 120, start=datetime(2026, 1, 1, tzinfo=UTC))

    assert ["2026-01-30T10:15:00Z", "2026-02-27T10:15:00Z", "2026-03-27T10:15:00Z", "2026-04-24T10:15:00Z"] == times


@row("A disabled rule and a disabled schedule fire nothing", EVENTS + "eb-delete-rule.html")
def disabled(lab: Lab):
    lab.function("one", PRINT)
    lab.rule("Off", "one", ScheduleExpression="rate(1 hour)", State="DISABLED")
    lab.schedule("OffToo", "rate(1 hour)", State="DISABLED")
    cloud = lab.open()
    cloud.advance(days=1)

    assert [] == lab.printed()
    assert cloud.next_fire() is None


@row("A schedule keeps its local time when the clocks change", TYPES)
def zone(lab: Lab):
    start = datetime(2026, 3, 28, tzinfo=UTC)
    times = fired(lab, "cron(0 9 * * ? *)", 2, start=start, ScheduleExpressionTimezone="Europe/Berlin")

    assert ["2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z"] == times


@row("A cron time that doesn't exist when the clocks go forward is left out that day", TYPES)
def gap(lab: Lab):
    start = datetime(2026, 3, 7, 12, tzinfo=UTC)
    times = fired(lab, "cron(30 2 * * ? *)", 2.5, start=start, ScheduleExpressionTimezone="America/New_York")

    assert ["2026-03-09T06:30:00Z"] == [time for time in times if time < "2026-03-10"]


@row("A cron time that comes twice when the clocks go back fires once", TYPES)
def overlap(lab: Lab):
    start = datetime(2026, 10, 31, 12, tzinfo=UTC)
    times = fired(lab, "cron(30 1 * * ? *)", 1, start=start, ScheduleExpressionTimezone="America/New_York")

    assert ["2026-11-01T05:30:00Z"] == times


@row("A one-time schedule fires once", TYPES + "#one-time")
def once(lab: Lab):
    start = datetime(2026, 3, 1, tzinfo=UTC)
    times = fired(lab, "at(2026-03-01T06:00:00)", 400, start=start, ScheduleExpressionTimezone="Asia/Tokyo")
    assert [] == times  # 06:00 in Tokyo was the day before

    assert lab.cloud.next_fire() is None


@row("A one-time schedule that asks for it is deleted when it is done", SCHEDULER + "managing-schedule-delete.html")
def deleted(lab: Lab):
    start = datetime(2026, 3, 1, tzinfo=UTC)
    times = fired(lab, "at(2026-03-01T06:00:00)", 2, start=start, ActionAfterCompletion="DELETE")

    assert ["2026-03-01T06:00:00Z"] == times
    assert [] == lab.cloud.client("scheduler").list_schedules()["Schedules"]


@row("A schedule doesn't fire before its start or after its end", TYPES)
def bounds(lab: Lab):
    start = datetime(2026, 3, 1, tzinfo=UTC)
    until = {"StartDate": "2026-03-01T03:00:00Z", "EndDate": "2026-03-01T05:30:00Z"}
    times = fired(lab, "cron(0 * * * ? *)", 1, start=start, **until)

    assert ["2026-03-01T03:00:00Z", "2026-03-01T04:00:00Z", "2026-03-01T05:00:00Z"] == times


@row(
    "A flexible window delays a fire within it, and the scheduled time stays",
    SCHEDULER + "managing-schedule-flexible-time-windows.html",
)
def flexible(lab: Lab):
    times = fired(lab, "rate(1 hour)", 1.04, start=datetime(2026, 3, 1, tzinfo=UTC), window=30)

    late = [line.time.minute * 60 + line.time.second for line in lab.cloud.logs("one")]
    assert {"00:00"} == {time[14:19] for time in times}
    assert 15 * 60 < max(late) <= 30 * 60 + 1
    assert len(set(late)) > 10


@row("A schedule without an input sends Scheduler's own event", SCHEDULER + "managing-targets-templated.html")
def own_event(lab: Lab):
    lab.function("one", PRINT)
    lab.schedule("S", "rate(1 hour)")
    cloud = lab.open()
    cloud.advance(minutes=61)

    (event,) = lab.printed()
    assert ("aws.scheduler", "Scheduled Event", "{}") == (event["source"], event["detail-type"], event["detail"])


@row("Context attributes are replaced in a schedule's input", SCHEDULER + "managing-schedule-context-attributes.html")
def attributes(lab: Lab):
    names = ("schedule-arn", "scheduled-time", "execution-id", "attempt-number")
    lab.function("one", PRINT)
    lab.schedule("S", "rate(1 hour)", target={"Input": json.dumps({name: f"<aws.scheduler.{name}>" for name in names})})
    cloud = lab.open()
    cloud.advance(minutes=61)

    (event,) = lab.printed()
    assert ("arn:aws:scheduler:us-east-1:123456789012:schedule/default/S", "1") == (
        event["schedule-arn"],
        event["attempt-number"],
    )
    assert ("2026-03-01T01:00:00Z", 36) == (event["scheduled-time"], len(event["execution-id"]))


@row("A universal target calls any API action with the schedule's input", UNIVERSAL)
def universal(lab: Lab):
    lab.queue("Queue")
    lab.table("T")
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/Queue"
    for name, action, params in (
        ("A", "sqs:sendMessage", {"QueueUrl": url, "MessageBody": "hi"}),
        ("B", "dynamodb:putItem", {"TableName": "T", "Item": {"pk": {"S": "<aws.scheduler.scheduled-time>"}}}),
    ):
        to = {"Arn": f"arn:aws:scheduler:::aws-sdk:{action}", "Input": json.dumps(params)}
        lab.schedule(name, "rate(1 hour)", "Queue", target=to)
    cloud = lab.open()
    cloud.advance(minutes=61)

    assert ["hi"] == [message["Body"] for message in lab.receive("Queue")]
    assert [{"pk": {"S": "2026-03-01T01:00:00Z"}}] == cloud.client("dynamodb").scan(TableName="T")["Items"]


@row("A universal target that only reads is refused", UNIVERSAL + "#unsupported-api-actions")
def reads(lab: Lab):
    lab.queue("Queue")
    lab.schedule("S", "rate(1 hour)", "Queue", target={"Arn": "arn:aws:scheduler:::aws-sdk:sqs:getQueueUrl"})

    with pytest.raises(ResourceRejected, match="only reads; Scheduler calls no such"):
        lab.open()


@row(
    "A universal target that its role doesn't allow goes to the schedule's dead-letter queue",
    SCHEDULER + "configuring-schedule-dlq.html",
)
def universal_denied(lab: Lab):
    lab.queue("Dead")
    statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn("Dead")}
    role = lab.resources["Role"]["Properties"]
    lab.add("Own", "AWS::IAM::Role", AssumeRolePolicyDocument=role["AssumeRolePolicyDocument"],
            Policies=[{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}])  # fmt: skip  # noqa: E501
    to = {
        "Arn": "arn:aws:scheduler:::aws-sdk:sqs:purgeQueue",
        "RoleArn": arn("Own"),
        "Input": json.dumps({"QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/Dead"}),
    }
    lab.schedule("S", "at(2026-03-01T01:00:00)", "Dead", target={**to, "DeadLetterConfig": {"Arn": arn("Dead")}})
    cloud = lab.open()
    cloud.advance(minutes=61)

    (message,) = lab.receive("Dead")
    assert "arn:aws:scheduler:::aws-sdk:sqs:purgeQueue" == message["MessageAttributes"]["TARGET_ARN"]["StringValue"]


@row("A constant input replaces the event, an input path takes a part of it", TRANSFORM)
def inputs(lab: Lab):
    lab.function("one", PRINT)
    lab.rule("Constant", "one", ScheduleExpression="rate(1 hour)", target={"Input": '{"n": 1}'})
    lab.rule("Part", "one", ScheduleExpression="rate(1 hour)", target={"InputPath": "$.resources"})
    cloud = lab.open()
    cloud.advance(minutes=61)

    found = lab.printed()
    assert {"n": 1} in found
    assert ["arn:aws:events:us-east-1:123456789012:rule/Part"] in found


@row("An input transformer fills its template: text in quotes, JSON outside, reserved variables", TRANSFORM)
def transformer(lab: Lab):
    paths = {"time": "$.time", "name": "$.detail.name", "list": "$.detail.list", "gone": "$.detail.gone"}
    template = '{"at": <time>, "text": "hi <name>", "list": <list>, "rule": <aws.events.rule-name>, "gone": "<gone>", "all": <aws.events.event.json>}'  # noqa: E501
    to = {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}
    cloud = ruled(lab, EventPattern={"source": ["s"]}, target=to)
    detail = json.dumps({"name": 'a "b"', "list": [1, {"x": 2}]})
    cloud.put_events({"Source": "s", "DetailType": "t", "Detail": detail})
    cloud.run_until_idle()

    (event,) = lab.printed()
    assert ('hi a "b"', [1, {"x": 2}], "") == (event["text"], event["list"], event["gone"])
    assert ("2026-03-01T00:00:00Z", "Rule", "s") == (event["at"], event["rule"], event["all"]["source"])


@row("PutEvents reaches the targets of the rules on its bus whose pattern matches", EVENTS + "eb-event-patterns.html")
def patterns(lab: Lab):
    pattern = {"source": ["s"], "detail": {"n": [{"numeric": [">", 5]}], "kind": [{"anything-but": ["x"]}]}}
    cloud = ruled(lab, EventPattern=pattern)
    entry = {"Source": "s", "DetailType": "t"}
    for detail in ({"n": 6, "kind": "a"}, {"n": 6, "kind": "x"}, {"n": 5, "kind": "a"}, {"kind": "a"}):
        cloud.put_events({**entry, "Detail": json.dumps(detail)})
    cloud.run_until_idle()

    assert [{"n": 6, "kind": "a"}] == [event["detail"] for event in lab.printed()]


@row("A malformed entry of PutEvents fails alone", EVENTS + "eb-putevents.html")
def malformed(lab: Lab):
    cloud = ruled(lab, EventPattern={"source": ["s"]})
    good = {"Source": "s", "DetailType": "t", "Detail": "{}"}
    answers = cloud.put_events(good, {**good, "Detail": "no json"}, {"Source": "s", "Detail": "{}"})

    assert ["EventId", "ErrorCode", "ErrorCode"] == [next(iter(answer)) for answer in answers]


@row("PutEvents takes ten entries", EVENTS + "eb-quota.html")
def ten_entries(lab: Lab):
    cloud = ruled(lab, EventPattern={"source": ["s"]})
    events = cloud.client("events")
    with over_the_limit(), pytest.raises(events.exceptions.ClientError, match="less than or equal to 10"):
        cloud.put_events(*[{"Source": "s", "DetailType": "t", "Detail": "{}"}] * 11)


@row("A rule has at most five targets", EVENTS + "eb-quota.html")
def five_targets(lab: Lab):
    lab.queue("Queue")
    targets = [{"Id": str(n), "Arn": arn("Queue")} for n in range(6)]
    lab.add("Rule", "AWS::Events::Rule", ScheduleExpression="rate(1 hour)", Targets=targets)

    with pytest.raises(ResourceRejected, match="6 targets, 5 allowed"):
        lab.open()
