"""What S3 tells of its objects, and what SNS passes on."""

import json
from typing import Any

import pytest

from drumbeat.local.errors import ResourceRejected

from .lab import PRINT, S3, SNS, Lab, arn, row

HOW = S3 + "notification-how-to-event-types-and-destinations.html"
CONTENT = S3 + "notification-content-structure.html"
FILTER = SNS + "sns-subscription-filter-policies.html"


def bucket(lab: Lab, **notifications: Any):
    """A bucket that notifies the function `one`, the queue `Queue`, or both, which let it."""
    lab.function("one", PRINT)
    lab.queue("Queue")
    lab.let_send("Queue", "s3.amazonaws.com")
    lab.add("Permission", "AWS::Lambda::Permission", Action="lambda:InvokeFunction", FunctionName={"Ref": "one"},
            Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::store")  # fmt: skip
    lab.add("Bucket", "AWS::S3::Bucket", BucketName="store", NotificationConfiguration=notifications)
    lab.resources["Bucket"]["DependsOn"] = ["QueuePolicy", "Permission"]


def to(target: str, event: str = "s3:ObjectCreated:*", **filters: str):
    rules = [{"Name": name, "Value": value} for name, value in filters.items()]
    kind = "Queue" if target == "Queue" else "Function"
    return {"Event": event, kind: arn(target), **({"Filter": {"S3Key": {"Rules": rules}}} if rules else {})}


def put(lab: Lab, *keys: str):
    for key in keys:
        lab.cloud.client("s3").put_object(Bucket="store", Key=key, Body=b"12345")


@row("An object put into a bucket invokes the function that its notifications name", HOW)
def to_function(lab: Lab):
    bucket(lab, LambdaConfigurations=[to("one")])
    cloud = lab.open()
    put(lab, "in/a b.txt")
    cloud.run_until_idle()

    ((record,),) = [event["Records"] for event in lab.printed()]
    assert ("aws:s3", "ObjectCreated:Put") == (record["eventSource"], record["eventName"])
    assert ("in/a+b.txt", 5) == (record["s3"]["object"]["key"], record["s3"]["object"]["size"])
    assert ("store", "arn:aws:s3:::store") == (record["s3"]["bucket"]["name"], record["s3"]["bucket"]["arn"])


@row("A queue that is to hear of a bucket gets s3:TestEvent first, which has no Records", CONTENT)
def test_event(lab: Lab):
    bucket(lab, QueueConfigurations=[to("Queue")])
    cloud = lab.open()
    cloud.run_until_idle()
    put(lab, "a")
    cloud.run_until_idle()

    first, second = sorted((json.loads(message["Body"]) for message in lab.receive("Queue")), key=len, reverse=True)
    assert ("s3:TestEvent", "store") == (first["Event"], first["Bucket"])
    assert "a" == second["Records"][0]["s3"]["object"]["key"]


@row("Notifications keep to their prefix, suffix and kind of event", S3 + "notification-how-to-filtering.html")
def filtered(lab: Lab):
    bucket(lab, LambdaConfigurations=[to("one", "s3:ObjectRemoved:*", prefix="in/", suffix=".csv")])
    cloud = lab.open()
    put(lab, "in/a.csv", "in/b.txt", "out/c.csv")
    for key in ("in/a.csv", "in/b.txt", "out/c.csv"):
        cloud.client("s3").delete_object(Bucket="store", Key=key)
    cloud.run_until_idle()

    seen = [(event["Records"][0]["eventName"], event["Records"][0]["s3"]["object"]["key"]) for event in lab.printed()]
    assert [("ObjectRemoved:Delete", "in/a.csv")] == seen


@row("A deletion in a versioned bucket is told as a delete marker", HOW)
def delete_marker(lab: Lab):
    bucket(lab, LambdaConfigurations=[to("one", "s3:ObjectRemoved:DeleteMarkerCreated")])
    lab.resources["Bucket"]["Properties"]["VersioningConfiguration"] = {"Status": "Enabled"}
    cloud = lab.open()
    put(lab, "a")
    cloud.client("s3").delete_object(Bucket="store", Key="a")
    cloud.run_until_idle()

    assert ["ObjectRemoved:DeleteMarkerCreated"] == [event["Records"][0]["eventName"] for event in lab.printed()]


@row("Copies and multipart uploads are told as such", HOW)
def kinds(lab: Lab):
    bucket(lab, LambdaConfigurations=[to("one")])
    cloud = lab.open()
    s3 = cloud.client("s3")
    put(lab, "a")
    s3.copy_object(Bucket="store", Key="b", CopySource="store/a")
    upload = s3.create_multipart_upload(Bucket="store", Key="c")["UploadId"]
    etag = s3.upload_part(Bucket="store", Key="c", PartNumber=1, UploadId=upload, Body=b"x")["ETag"]
    parts = {"Parts": [{"ETag": etag, "PartNumber": 1}]}
    s3.complete_multipart_upload(Bucket="store", Key="c", UploadId=upload, MultipartUpload=parts)
    cloud.run_until_idle()

    told = {event["Records"][0]["s3"]["object"]["key"]: event["Records"][0]["eventName"] for event in lab.printed()}
    assert {"a": "ObjectCreated:Put", "b": "ObjectCreated:Copy", "c": "ObjectCreated:CompleteMultipartUpload"} == told


@row("A bucket with EventBridge enabled puts its events on the default bus", S3 + "EventBridge.html")
def to_event_bridge(lab: Lab):
    bucket(lab, EventBridgeConfiguration={"EventBridgeEnabled": True})
    lab.rule("Rule", "one", EventPattern={"source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": "in/"}]}}})
    cloud = lab.open()
    put(lab, "in/a b", "out/b")
    cloud.run_until_idle()

    (event,) = lab.printed()
    assert ("Object Created", "PutObject") == (event["detail-type"], event["detail"]["reason"])
    assert ("in/a b", "store") == (event["detail"]["object"]["key"], event["detail"]["bucket"]["name"])


@row("A bucket may not notify a queue whose policy doesn't let it", S3 + "grant-destinations-permissions-to-s3.html")
def not_allowed(lab: Lab):
    bucket(lab, QueueConfigurations=[to("Queue")])
    del lab.resources["QueuePolicy"]
    lab.resources["Bucket"]["DependsOn"] = ["Permission"]

    with pytest.raises(ResourceRejected, match=r"bucket store: Unable to validate the following destination .*:Queue"):
        lab.open()


def topic(lab: Lab, *queues: str, **subscription: Any):
    lab.add("Topic", "AWS::SNS::Topic", TopicName="topic")
    for name in queues:
        lab.queue(name)
        lab.let_send(name, "sns.amazonaws.com")
        lab.add(
            f"Sub{name}",
            "AWS::SNS::Subscription",
            TopicArn={"Ref": "Topic"},
            Protocol="sqs",
            Endpoint=arn(name),
            **subscription.get(name, subscription),
        )


def publish(lab: Lab, text: str, *, subject: str | None = None, **attributes: str):
    given = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    more = {"Subject": subject} if subject else {}
    topic_arn = "arn:aws:sns:us-east-1:123456789012:topic"
    lab.cloud.client("sns").publish(TopicArn=topic_arn, Message=text, MessageAttributes=given, **more)


@row("A topic's message reaches a queue in an envelope", SNS + "sns-message-and-json-formats.html")
def envelope(lab: Lab):
    topic(lab, "Queue")
    lab.open()
    publish(lab, "hello", subject="s", side="left")

    body = json.loads(lab.receive("Queue")[0]["Body"])
    assert ("Notification", "hello", "s") == (body["Type"], body["Message"], body["Subject"])
    assert {"side": {"Type": "String", "Value": "left"}} == body["MessageAttributes"]


@row(
    "With raw delivery a queue gets the message and its attributes as they were",
    SNS + "sns-large-payload-raw-message-delivery.html",
)
def raw(lab: Lab):
    topic(lab, "Queue", RawMessageDelivery=True)
    lab.open()
    publish(lab, "hello", side="left")

    (message,) = lab.receive("Queue")
    assert ("hello", "left") == (message["Body"], message["MessageAttributes"]["side"]["StringValue"])


@row("A subscription's filter policy lets through what has the attributes", FILTER)
def filter_policy(lab: Lab):
    topic(lab, "Left", "Right", Left={"FilterPolicy": {"side": ["left"]}}, Right={"FilterPolicy": {"side": ["right"]}})
    cloud = lab.open()
    publish(lab, "hello", side="left")
    publish(lab, "nobody's")

    assert [(1, 0, 0), (0, 0, 0)] == [cloud.queue_depth("Left"), cloud.queue_depth("Right")]


@row("A filter policy may look at the body of the message", SNS + "sns-message-filtering-scope.html")
def filter_body(lab: Lab):
    policy = {"FilterPolicy": {"n": [{"numeric": [">", 5]}]}, "FilterPolicyScope": "MessageBody"}
    topic(lab, "Queue", **policy)
    cloud = lab.open()
    publish(lab, '{"n": 6}')
    publish(lab, '{"n": 4}')

    assert (1, 0, 0) == cloud.queue_depth("Queue")


@row("A topic invokes a function asynchronously, with the message in Records", SNS + "sns-lambda-as-subscriber.html")
def to_subscribed_function(lab: Lab):
    topic(lab)
    lab.function("one", PRINT)
    source = {"Principal": "sns.amazonaws.com", "SourceArn": {"Ref": "Topic"}}
    lab.add("Allow", "AWS::Lambda::Permission", Action="lambda:InvokeFunction", FunctionName={"Ref": "one"}, **source)
    lab.add("Sub", "AWS::SNS::Subscription", TopicArn={"Ref": "Topic"}, Protocol="lambda", Endpoint=arn("one"))
    cloud = lab.open()
    publish(lab, "hello", side="left")
    cloud.run_until_idle()

    (record,) = lab.printed()[0]["Records"]
    assert ("aws:sns", "hello") == (record["EventSource"], record["Sns"]["Message"])
    assert "left" == record["Sns"]["MessageAttributes"]["side"]["Value"]


@row(
    "A queue without a policy for the topic gets nothing; the subscription's dead-letter queue does",
    SNS + "sns-dead-letter-queues.html",
)
def subscription_dead_letters(lab: Lab):
    lab.queue("Dead")
    lab.let_send("Dead", "sns.amazonaws.com")
    topic(lab, "Queue", RedrivePolicy={"deadLetterTargetArn": arn("Dead")})
    del lab.resources["QueuePolicy"]
    cloud = lab.open()
    publish(lab, "hello")

    assert [(0, 0, 0), (1, 0, 0)] == [cloud.queue_depth("Queue"), cloud.queue_depth("Dead")]
