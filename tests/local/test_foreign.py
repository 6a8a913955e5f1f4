"""Stacks that someone else wrote deploy and run as they are."""

import json
from contextlib import ExitStack

import pytest

from drumbeat.local import LocalCloud
from drumbeat.local.errors import ResourceRejected, UnsupportedResource, UnsupportedResourceWarning


@pytest.fixture(scope="session")
def foreign(tmp_path_factory):
    """Synthesize once: the CDK takes seconds."""
    from tests.local.foreign import synthesize  # noqa: PLC0415  imports aws_cdk

    return synthesize(tmp_path_factory.mktemp("foreign") / "cdk.out")


@pytest.fixture
def opened(foreign):
    """Open a cloud with some of the stacks until the end of the test."""
    with ExitStack() as stack:
        yield lambda *stacks, **more: stack.enter_context(LocalCloud(foreign, stacks=stacks, **more))


def named(facts, start):
    return next(fact for fact in facts if fact.logical_id.startswith(start))


def bodies(cloud, queue):
    url = named(cloud.deployment.queues, queue).url
    found = cloud.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [message["Body"] for message in found]


def printed(cloud, function):
    lines = [line.text for line in cloud.logs(named(cloud.deployment.functions, function).name)]
    return [json.loads(line) for line in lines if not line.startswith("[ERROR]")]


def physical(cloud, kind):
    return next(resource.physical_id for resource in cloud.deployment.resources if resource.type == kind)


def test_a_rule_counts_in_a_table(opened):
    cloud = opened("Counter")
    cloud.advance(hours=2, seconds=1)

    name = physical(cloud, "AWS::DynamoDB::GlobalTable")
    (item,) = cloud.client("dynamodb").scan(TableName=name)["Items"]
    assert {"pk": {"S": "fires"}, "n": {"N": "12"}} == item


def test_uploads_are_read_from_a_queue(opened):
    cloud = opened("Uploads")
    bucket = physical(cloud, "AWS::S3::Bucket")
    for key in ("in/a.txt", "in/b.csv", "out/c.txt"):
        cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=f"text of {key}".encode())
    cloud.run_until_idle()

    assert [["in/a.txt", "text of in/a.txt"]] == printed(cloud, "Read")


def test_a_topic_sorts_orders_into_queues(opened):
    cloud = opened("Orders")
    for kind in ("books", "toys", "toys"):
        cloud.invoke(named(cloud.deployment.functions, "Order").name, {"kind": kind})

    assert [{"kind": "books"}] == [json.loads(body) for body in bodies(cloud, "Books")]
    assert [{"kind": "toys"}] * 2 == [json.loads(json.loads(body)["Message"]) for body in bodies(cloud, "Toys")]


def test_a_tables_changes_reach_a_function_and_what_it_cannot_do_a_queue(opened):
    cloud = opened("Changes")
    table = physical(cloud, "AWS::DynamoDB::Table")
    for item in ({"pk": {"S": "a"}, "n": {"N": "1"}}, {"pk": {"S": "poison"}}):
        cloud.client("dynamodb").put_item(TableName=table, Item=item)
    cloud.run_until_idle()

    seen = [record["dynamodb"]["Keys"]["pk"]["S"] for event in printed(cloud, "See") for record in event["Records"]]
    assert ["a"] == seen
    assert "RetryAttemptsExhausted" == json.loads(bodies(cloud, "Dead")[0])["requestContext"]["condition"]


def test_a_schedule_sends_to_a_queue_and_another_purges_it(opened):
    cloud = opened("Reminders")
    cloud.advance(days=2)
    assert [{"at": "2026-01-01T08:00:00Z"}, {"at": "2026-01-02T08:00:00Z"}] == list(
        map(json.loads, bodies(cloud, "Queue"))
    )
    cloud.advance(days=5, minutes=1)

    assert (0, 0, 0) == cloud.queue_depth("reminders")


def test_events_are_transformed_into_a_queue_and_failures_kept(opened):
    cloud = opened("Guarded")
    for who in ("ann", "bob"):
        cloud.put_events({"Source": "shop", "DetailType": "t", "Detail": json.dumps({"who": who})})
    cloud.invoke_async(named(cloud.deployment.functions, "Fails").name, {"n": 1})
    cloud.run_until_idle()

    assert [{"who": "ann", "static": 1}] == [json.loads(body) for body in bodies(cloud, "Queue")]
    assert {"n": 1} == json.loads(bodies(cloud, "Dead")[0])["requestPayload"]


def test_a_target_that_nothing_here_runs_is_refused_or_warned_of(opened):
    with pytest.raises(ResourceRejected, match=r"rule Rule\w+: the local cloud delivers to .*stateMachine:Machine"):
        opened("Machine")
    with pytest.warns(UnsupportedResourceWarning, match="stateMachine:Machine"):
        cloud = opened("Machine", strict=False)
    cloud.advance(hours=1, minutes=1)

    assert ["UnsupportedTarget"] == [entry.detail["error"] for entry in cloud.log.of("deliver.failed")]


def test_a_queue_of_a_nested_stack_is_consumed_by_its_parent(opened):
    cloud = opened("Nested")
    cloud.client("sqs").send_message(QueueUrl=cloud.deployment.outputs["Nested"]["Url"], MessageBody="hello")
    cloud.run_until_idle()

    assert "hello" == printed(cloud, "Consume")[0]["Records"][0]["body"]


def test_a_stack_uses_what_another_exports_strongly_or_weakly(opened, foreign):
    assert "Fn::GetStackOutput" in (foreign / "Weak.template.json").read_text()
    cloud = opened("Producer", "Consumer", "Weak")
    queue = named(cloud.deployment.queues, "Queue")
    cloud.client("sqs").send_message(QueueUrl=queue.url, MessageBody="hello")
    cloud.run_until_idle()

    assert "hello" == printed(cloud, "Consume")[0]["Records"][0]["body"]
    assert queue.name == named(cloud.deployment.functions, "Named").environment["NAME"]


def test_an_unknown_type_is_refused_or_warned_of_and_the_rest_runs(opened):
    with pytest.raises(UnsupportedResource, match="Shop: the local cloud knows no AWS::GameLift::Fleet"):
        opened("Unknown")
    with pytest.warns(UnsupportedResourceWarning, match="AWS::GameLift::Fleet"):
        cloud = opened("Unknown", strict=False)
    cloud.advance(hours=3, minutes=1)

    assert 3 == len(printed(cloud, "Go"))
