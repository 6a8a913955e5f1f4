"""Rules, schedules, buses and what their targets get."""

# ruff: noqa: ANN003  handlers in text, stand-ins for callbacks

import json

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
