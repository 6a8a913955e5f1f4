"""Rules, schedules, buses and what their targets get."""

# ruff: noqa: ANN003  handlers in text, stand-ins for callbacks

import json
from datetime import UTC, datetime

PRINT = "import json\ndef handler(event, context): print(json.dumps(event))"
ROLE = {"Fn::GetAtt": ["Role", "Arn"]}


def seen(cloud, name="one"):
    return [json.loads(line.text) for line in cloud.logs(name)]


def schedule(app, name, expression, *, window=None, target=None, **more):
    flexible = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": window} if window else {"Mode": "OFF"}
    app.add(
        name,
        "AWS::Scheduler::Schedule",
        Name=name,
        ScheduleExpression=expression,
        FlexibleTimeWindow=flexible,
        Target={"Arn": {"Fn::GetAtt": ["one", "Arn"]}, "RoleArn": ROLE, **(target or {})},
        **more,
    )


def test_a_scheduled_rule_sends_its_envelope(app, open_cloud):
    app.function("one", PRINT)
    app.rule("Noon", "one", ScheduleExpression="cron(0 12 * * ? *)")
    cloud = open_cloud(app)
    cloud.advance(days=2)

    events = seen(cloud)
    assert ["2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z"] == [event["time"] for event in events]
    assert ["arn:aws:events:us-east-1:123456789012:rule/Noon"] == events[0]["resources"]
    assert ("Scheduled Event", "aws.events", {}) == (events[0]["detail-type"], events[0]["source"], events[0]["detail"])


def test_a_target_gets_a_constant_a_part_or_a_filled_template(app, open_cloud):
    app.function("one", PRINT)
    template = (
        '{"task": "t", "at": <time>, "text": "rule <name> of <aws.events.rule-name>", "all": <aws.events.event.json>}'
    )
    transformer = {"InputPathsMap": {"time": "$.time", "name": "$.resources[0]"}, "InputTemplate": template}
    app.rule("Constant", "one", ScheduleExpression="rate(1 hour)", target={"Input": '{"n": 1}'})
    app.rule("Part", "one", ScheduleExpression="rate(2 hours)", target={"InputPath": "$.time"})
    app.rule("Filled", "one", ScheduleExpression="rate(3 hours)", target={"InputTransformer": transformer})
    cloud = open_cloud(app)
    cloud.advance(minutes=181)

    events = seen(cloud)
    assert 3 == events.count({"n": 1})
    assert 1 == events.count("2026-03-01T02:00:00Z")
    (filled,) = [event for event in events if isinstance(event, dict) and "task" in event]
    assert "2026-03-01T03:00:00Z" == filled["at"]
    assert "rule arn:aws:events:us-east-1:123456789012:rule/Filled of Filled" == filled["text"]
    assert "aws.events" == filled["all"]["source"]


def test_a_schedule_keeps_its_zone_through_a_change_of_clocks(app, open_cloud):
    app.function("one", PRINT)
    text = json.dumps({"at": "<aws.scheduler.scheduled-time>", "attempt": "<aws.scheduler.attempt-number>"})
    schedule(app, "Daily", "cron(0 9 * * ? *)", ScheduleExpressionTimezone="Europe/Berlin", target={"Input": text})
    cloud = open_cloud(app, start=datetime(2026, 3, 28, tzinfo=UTC))
    cloud.advance(days=2)

    assert ["2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z"] == [event["at"] for event in seen(cloud)]
    assert "1" == seen(cloud)[0]["attempt"]


def test_a_one_time_schedule_fires_once_and_is_deleted_if_asked(app, open_cloud):
    app.function("one", PRINT)
    schedule(app, "Once", "at(2026-03-01T06:00:00)", ActionAfterCompletion="DELETE")
    cloud = open_cloud(app)
    assert datetime(2026, 3, 1, 6, tzinfo=UTC) == cloud.next_fire()
    cloud.advance(days=2)

    (event,) = seen(cloud)
    assert ("aws.scheduler", "2026-03-01T06:00:00Z") == (event["source"], event["time"])
    assert cloud.next_fire() is None
    assert [] == cloud.client("scheduler").list_schedules()["Schedules"]


def test_a_flexible_window_delays_by_the_seed(app, open_cloud):
    app.function("one", PRINT)
    schedule(app, "Loose", "rate(1 hour)", window=30)
    cloud = open_cloud(app)
    cloud.advance(hours=24)

    late = [(line.time.minute * 60 + line.time.second) for line in cloud.logs("one")]
    assert len(late) in (23, 24)
    assert max(late) > 15 * 60
    assert len(set(late)) > 10


def test_start_and_end_bound_a_schedule(app, open_cloud):
    app.function("one", PRINT)
    schedule(app, "Bound", "cron(0 * * * ? *)", StartDate="2026-03-01T03:00:00Z", EndDate="2026-03-01T05:30:00Z")
    cloud = open_cloud(app)
    cloud.advance(days=1)

    assert [3, 4, 5] == [datetime.fromisoformat(event["time"]).hour for event in seen(cloud)]


def test_disabled_rules_and_schedules_dont_fire(app, open_cloud):
    app.function("one", PRINT)
    app.rule("Off", "one", ScheduleExpression="rate(1 hour)", State="DISABLED")
    schedule(app, "OffToo", "rate(1 hour)", State="DISABLED")
    cloud = open_cloud(app)
    cloud.advance(days=1)

    assert [] == seen(cloud)


def test_a_schedule_made_by_a_handler_fires_and_can_be_changed(app, open_cloud):
    app.function("one", PRINT)
    app.function(
        "maker",
        """
        import boto3, json
        client = boto3.client("scheduler")
        def handler(event, context):
            method = getattr(client, event.pop("do"))
            method(**event)
        """,
    )
    cloud = open_cloud(app)
    arn = next(function.arn for function in cloud.deployment.functions if function.name == "one")
    role = cloud.deployment.roles[0].arn
    body = {
        "Name": "made",
        "ScheduleExpression": "rate(10 minutes)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": arn, "RoleArn": role, "Input": '"hello"'},
    }
    cloud.invoke("maker", {"do": "create_schedule", **body})
    cloud.advance(minutes=31)
    assert ["hello"] * 3 == seen(cloud)
    cloud.invoke("maker", {"do": "update_schedule", **body, "ScheduleExpression": "rate(1 hour)"})
    cloud.advance(minutes=61)
    assert 4 == len(seen(cloud))
    cloud.invoke("maker", {"do": "delete_schedule", "Name": "made"})
    cloud.advance(days=1)
    assert 4 == len(seen(cloud))


def test_a_rule_made_at_run_time_fires_and_can_be_paused(app, open_cloud):
    app.function("one", PRINT)
    app.queue("Queue")
    cloud = open_cloud(app, authorize=False)
    events, queue = cloud.client("events"), cloud.deployment.queues[0]
    events.put_rule(Name="made", ScheduleExpression="rate(1 hour)")
    events.put_targets(Rule="made", Targets=[{"Id": "q", "Arn": queue.arn, "Input": '{"x": 1}'}])
    cloud.advance(minutes=121)
    assert (2, 0, 0) == cloud.queue_depth("Queue")
    events.disable_rule(Name="made")
    cloud.advance(days=1)
    assert (2, 0, 0) == cloud.queue_depth("Queue")


def test_put_events_reach_the_targets_whose_pattern_matches(app, open_cloud):
    app.function("one", PRINT)
    app.add("Bus", "AWS::Events::EventBus", Name="mine")
    app.rule(
        "Match",
        "one",
        EventBusName={"Ref": "Bus"},
        EventPattern={"source": ["s"], "detail": {"n": [{"numeric": [">", 5]}]}},
    )
    cloud = open_cloud(app)
    entry = {"Source": "s", "DetailType": "t", "EventBusName": "mine"}
    cloud.put_events(
        {**entry, "Detail": '{"n": 6}'},
        {**entry, "Detail": '{"n": 5}'},
        {**entry, "Detail": '{"n": 7}', "EventBusName": "default"},
    )
    cloud.run_until_idle()

    (event,) = seen(cloud)
    assert ({"n": 6}, "123456789012", "2026-03-01T00:00:00Z") == (event["detail"], event["account"], event["time"])


def test_malformed_entries_are_answered_one_by_one(app, open_cloud):
    cloud = open_cloud(app)
    good = {"Source": "s", "DetailType": "t", "Detail": "{}"}

    answers = cloud.put_events(good, {**good, "Detail": "no json"}, {"Source": "s", "Detail": "{}"})

    assert ["EventId", "ErrorCode", "ErrorCode"] == [next(iter(answer)) for answer in answers]


def test_a_target_without_permission_goes_to_its_dead_letter_queue(app, open_cloud):
    app.function("one", PRINT)
    app.queue("Dead")
    app.add(
        "DeadPolicy",
        "AWS::SQS::QueuePolicy",
        Queues=[{"Ref": "Dead"}],
        PolicyDocument={
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": {"Fn::GetAtt": ["Dead", "Arn"]},
                }
            ]
        },
    )
    dead = {"DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Dead", "Arn"]}}}
    app.rule("Rule", "one", ScheduleExpression="rate(1 hour)", target=dead)
    del app.resources["RulePermission"]
    cloud = open_cloud(app)
    cloud.advance(minutes=61)

    assert 0 == cloud.invocations["one"]
    assert (1, 0, 0) == cloud.queue_depth("Dead")
    assert 1 == len(cloud.log.of("deliver.failed"))
