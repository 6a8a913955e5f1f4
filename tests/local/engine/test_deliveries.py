"""What becomes of a delivery that fails: tried again, or given up to a dead-letter queue with AWS's attributes."""

# ruff: noqa: ANN003, ANN204  tests read as sentences

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


def schedule(app, **target):
    app.add(
        "Hourly",
        "AWS::Scheduler::Schedule",
        Name="Hourly",
        ScheduleExpression=HOURLY,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": {"Fn::GetAtt": ["one", "Arn"]}, "RoleArn": ROLE, **target},
    )


def test_a_delivery_under_way_again_counts_as_busy(app, open_cloud):
    app.function("one", PRINT)
    app.rule("Rule", "one", ScheduleExpression=HOURLY)
    cloud = open_cloud(app, faults=Refuse(4))
    cloud.advance(seconds=3602)
    assert cloud.busy
    cloud.run_until_idle()

    assert 1 == cloud.invocations["one"]


def test_a_schedule_tells_its_target_which_attempt_it_is(app, open_cloud):
    app.function("one", PRINT)
    schedule(app, Input="<aws.scheduler.attempt-number>")
    cloud = open_cloud(app, faults=Refuse(2))
    cloud.advance(minutes=61)

    assert ["3"] == [line.text for line in cloud.logs("one")]
