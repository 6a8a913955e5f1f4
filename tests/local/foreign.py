"""Stacks as other people write them: the CDK's own constructs, and nothing of drumbeat's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aws_cdk import App, CfnOutput, CfnResource, Duration, NestedStack, RemovalPolicy, Stack, TimeZone
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

PRINT = "import json\ndef handler(event, context): print(json.dumps(event))"
COUNT = """
import boto3, os
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
def handler(event, context):
    table.update_item(Key={"pk": "fires"}, UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": 1})
"""
ORDER = """
import boto3, json, os
sns = boto3.client("sns")
def handler(event, context):
    kind = {"kind": {"DataType": "String", "StringValue": event["kind"]}}
    sns.publish(TopicArn=os.environ["TOPIC"], Message=json.dumps(event), MessageAttributes=kind)
"""


def function(scope: Construct, name: str, code: str = PRINT, **more: Any) -> lambda_.Function:
    given = {"runtime": lambda_.Runtime.PYTHON_3_13, "handler": "index.handler", **more}
    return lambda_.Function(scope, name, code=lambda_.Code.from_inline(code), **given)


def counter(stack: Stack) -> None:
    """A rule, a function, a table."""
    table = dynamodb.TableV2(stack, "Table", partition_key={"name": "pk", "type": dynamodb.AttributeType.STRING})
    made = function(stack, "Count", COUNT, environment={"TABLE": table.table_name})
    table.grant_read_write_data(made)
    every = events.Schedule.rate(Duration.minutes(10))
    events.Rule(stack, "Often", schedule=every, targets=[targets.LambdaFunction(made)])


def uploads(stack: Stack) -> None:
    """A bucket whose uploads go to a queue, and from there to a function that reads them."""
    code = """
import boto3, json
s3 = boto3.client("s3")
def handler(event, context):
    for message in event["Records"]:
        for record in json.loads(message["body"]).get("Records", []):
            place = record["s3"]
            found = s3.get_object(Bucket=place["bucket"]["name"], Key=place["object"]["key"])
            print(json.dumps([place["object"]["key"], found["Body"].read().decode()]))
"""
    bucket = s3.Bucket(stack, "Bucket", removal_policy=RemovalPolicy.DESTROY, auto_delete_objects=True)
    queue = sqs.Queue(stack, "Queue", visibility_timeout=Duration.seconds(60), enforce_ssl=True)
    filters = s3.NotificationKeyFilter(prefix="in/", suffix=".txt")
    bucket.add_event_notification(s3.EventType.OBJECT_CREATED, notifications.SqsDestination(queue), filters)
    reader = function(stack, "Read", code, timeout=Duration.seconds(10))
    bucket.grant_read(reader)
    reader.add_event_source(sources.SqsEventSource(queue, batch_size=5))


def orders(stack: Stack) -> None:
    """A topic with two queues, each of one kind."""
    topic = sns.Topic(stack, "Topic", enforce_ssl=True)
    for name in ("Books", "Toys"):
        allowed = sns.SubscriptionFilter.string_filter(allowlist=[name.lower()])
        queue = sqs.Queue(stack, name)
        more = {"raw_message_delivery": name == "Books", "dead_letter_queue": sqs.Queue(stack, f"{name}Dead")}
        topic.add_subscription(subscriptions.SqsSubscription(queue, filter_policy={"kind": allowed}, **more))
    made = function(stack, "Order", ORDER, environment={"TOPIC": topic.topic_arn})
    topic.grant_publish(made)


def changes(stack: Stack) -> None:
    """A table's stream to a function, and what it can't do to a queue."""
    code = PRINT.replace("print", "[one['dynamodb']['NewImage']['n'] for one in event['Records']]; print")
    image = dynamodb.StreamViewType.NEW_IMAGE
    key = {"name": "pk", "type": dynamodb.AttributeType.STRING}
    table = dynamodb.Table(stack, "Table", partition_key=key, stream=image)
    dead = sources.SqsDlq(sqs.Queue(stack, "Dead"))
    start = lambda_.StartingPosition.LATEST
    more = {"retry_attempts": 1, "bisect_batch_on_error": True, "on_failure": dead, "batch_size": 10}
    function(stack, "See", code).add_event_source(sources.DynamoEventSource(table, starting_position=start, **more))


def reminders(stack: Stack) -> None:
    """A schedule of a time zone that sends to a queue, and one that calls an API."""
    queue = sqs.Queue(stack, "Queue", queue_name="reminders")
    daily = scheduler.ScheduleExpression.cron(hour="9", minute="0", time_zone=TimeZone.of("Europe/Berlin"))
    text = scheduler.ScheduleTargetInput.from_object({"at": scheduler.ContextAttribute.scheduled_time})
    scheduler.Schedule(stack, "Daily", schedule=daily, target=scheduler_targets.SqsSendMessage(queue, input=text))
    statement = scheduler_targets.Universal(
        service="sqs",
        action="purgeQueue",
        input=scheduler.ScheduleTargetInput.from_object({"QueueUrl": queue.queue_url}),
    )
    weekly = scheduler.ScheduleExpression.rate(Duration.days(7))
    scheduler.Schedule(stack, "Weekly", schedule=weekly, target=statement)


def guarded(stack: Stack) -> None:
    """A rule to a queue, transformed, with a dead-letter queue; and a function with destinations."""
    queue, dead = sqs.Queue(stack, "Queue"), sqs.Queue(stack, "Dead")
    message = events.RuleTargetInput.from_object({"who": events.EventField.from_path("$.detail.who"), "static": 1})
    to = targets.SqsQueue(queue, message=message, dead_letter_queue=dead, retry_attempts=2)
    pattern = events.EventPattern(source=["shop"], detail={"who": [{"prefix": "a"}]})
    events.Rule(stack, "Rule", event_pattern=pattern, targets=[to])
    on_failure = destinations.SqsDestination(dead)
    more = {"on_failure": on_failure, "retry_attempts": 0}
    function(stack, "Fails", "def handler(event, context): raise ValueError('no')", **more)


def machine(stack: Stack) -> None:
    """A rule that starts a state machine, which nothing here runs."""
    definition = stepfunctions.DefinitionBody.from_chainable(stepfunctions.Pass(stack, "Pass"))
    target = targets.SfnStateMachine(stepfunctions.StateMachine(stack, "Machine", definition_body=definition))
    events.Rule(stack, "Rule", schedule=events.Schedule.rate(Duration.hours(1)), targets=[target])


def nested(stack: Stack) -> None:
    """A queue in a nested stack, its consumer in the parent."""
    inner = NestedStack(stack, "Inner")
    queue = sqs.Queue(inner, "Queue")
    function(stack, "Consume").add_event_source(sources.SqsEventSource(queue))
    CfnOutput(stack, "Url", value=queue.queue_url)


def unknown(stack: Stack) -> None:
    """Something that nobody here has heard of, beside a rule that works."""
    CfnResource(stack, "Shop", type="AWS::GameLift::Fleet", properties={"Name": "fleet"})
    made = function(stack, "Go")
    events.Rule(stack, "Rule", schedule=events.Schedule.rate(Duration.hours(1)), targets=[targets.LambdaFunction(made)])


STACKS: dict[str, Callable[[Stack], None]] = {
    "Counter": counter,
    "Uploads": uploads,
    "Orders": orders,
    "Changes": changes,
    "Reminders": reminders,
    "Guarded": guarded,
    "Machine": machine,
    "Nested": nested,
    "Unknown": unknown,
}


def synthesize(outdir: Path) -> Path:
    """All of them in one app; and two stacks of which the second refers to the first."""
    app = App(outdir=str(outdir), builtin_cloud_formation_validation=False)
    for name, fill in STACKS.items():
        fill(Stack(app, name))
    producer, consumer = Stack(app, "Producer"), Stack(app, "Consumer")
    queue = sqs.Queue(producer, "Queue")
    function(consumer, "Consume").add_event_source(sources.SqsEventSource(queue))
    weak = Stack(app, "Weak", cross_region_references=False)
    weak.node.set_context("@aws-cdk/core:defaultCrossStackReferences", "weak")
    function(weak, "Named", environment={"NAME": queue.queue_name})
    app.synth()
    return outdir
