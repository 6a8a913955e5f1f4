"""Faults go through the SDK's real retries, in virtual time."""

# ruff: noqa: ANN204, ARG002, ARG005, E501  handlers in text, stand-ins for callbacks

from drumbeat.local import Faults, LocalCloud
from drumbeat.local.faults import crash, lose_reply, refuse, refuse_entries, unreachable

CODE = """
    import os, time, boto3
    from botocore.exceptions import ClientError
    dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")
    def handler(event, context):
        began = time.time()
        try:
            dynamodb.put_item(TableName="Table", Item={"pk": {"S": "x"}}, ConditionExpression="attribute_not_exists(pk)")
            put = "done"
        except ClientError as error:
            put = error.response["Error"]["Code"]
        entries = [{"Id": str(n), "MessageBody": str(n)} for n in range(3)]
        answer = sqs.send_message_batch(QueueUrl=os.environ["QUEUE"], Entries=entries)
        return [put, [entry["Id"] for entry in answer.get("Failed", [])], time.time() - began]
"""


class Break(Faults):
    """Breaks each operation as it is told, at the attempts given."""

    def __init__(self, operation, effect, attempts=(1,)):
        self.operation, self.effect, self.attempts = operation, effect, attempts

    def touches(self, call):
        return call.operation == self.operation

    def attempt(self, call, apply):
        return self.effect(call, apply) if call.attempts in self.attempts else apply()


def outcome_with(app, open_cloud, faults):
    app.table("Table")
    app.queue("Queue")
    app.function("one", CODE, env={"QUEUE": {"Ref": "Queue"}})
    cloud = open_cloud(app, faults=faults)
    return cloud, cloud.invoke("one", {})


def test_a_lost_reply_makes_the_sdk_repeat_a_write_that_then_meets_itself(app, open_cloud):
    cloud, outcome = outcome_with(app, open_cloud, Break("PutItem", lambda call, apply: lose_reply(apply)))

    assert "ConditionalCheckFailedException" == outcome.value()[0]
    assert 2 == cloud.requests["dynamodb", "PutItem"]


def test_a_lost_reply_doubles_a_batch_of_messages(app, open_cloud):
    cloud, outcome = outcome_with(app, open_cloud, Break("SendMessageBatch", lambda call, apply: lose_reply(apply)))

    assert ["done", []] == outcome.value()[:2]
    assert (6, 0, 0) == cloud.queue_depth("Queue")


def test_throttling_is_retried_with_virtual_pauses(app, open_cloud):
    throttled = Break("PutItem", lambda call, apply: refuse(call, "ThrottlingException"), attempts=(1, 2))
    cloud, outcome = outcome_with(app, open_cloud, throttled)

    assert "done" == outcome.value()[0]
    assert 3 == cloud.requests["dynamodb", "PutItem"]
    assert outcome.value()[2] > 0.03


def test_an_outage_outlasts_the_sdk(app, open_cloud):
    cloud, outcome = outcome_with(
        app, open_cloud, Break("SendMessageBatch", lambda call, apply: unreachable(), attempts=range(100))
    )

    assert "EndpointConnectionError" == outcome.error_type
    assert 1 < cloud.requests["sqs", "SendMessageBatch"] < 10


def test_a_batch_accepted_in_part_names_the_refused_entries(app, open_cloud):
    class Part(Faults):
        def touches(self, call):
            if call.operation == "SendMessageBatch":
                refuse_entries(call, {"1"})
            return False

    cloud, outcome = outcome_with(app, open_cloud, Part())

    assert ["1"] == outcome.value()[1]
    assert (2, 0, 0) == cloud.queue_depth("Queue")


def test_a_crash_before_or_after_a_call_ends_the_invocation_there(app, open_cloud):
    def after(call, apply):
        apply()
        crash(call)

    cloud, outcome = outcome_with(app, open_cloud, Break("PutItem", after))

    assert "Runtime.ExitError" == outcome.error_type
    assert 1 == cloud.client("dynamodb").scan(TableName="Table")["Count"]
    assert 0 == cloud.requests["sqs", "SendMessageBatch"]


def test_a_rule_may_deliver_twice(app, open_cloud):
    class Twice(Faults):
        def deliveries(self, principal, source_arn, target_arn):
            return (0.0, 5.0)

    app.function("one", "def handler(e, c): print(e['id'])")
    app.rule("Rule", "one", ScheduleExpression="rate(1 hour)")
    cloud = open_cloud(app, faults=Twice())
    cloud.advance(minutes=61)

    assert 2 == cloud.invocations["one"]
    assert 1 == len({line.text for line in cloud.logs("one")})


def test_a_deleted_message_may_come_again_and_order_may_change(app, open_cloud):
    class Again(Faults):
        returned = False

        def pick(self, queue, waiting):
            return waiting - 1

        def again(self, queue, message_id):
            first, self.returned = not self.returned, True
            return 60.0 if first else None

    app.queue("Queue")
    cloud = open_cloud(app, faults=Again())
    sqs, url = cloud.client("sqs"), cloud.deployment.queues[0].url
    for n in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=str(n))
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    for message in got:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    cloud.advance(minutes=2)

    assert ["2", "1", "0"] == [message["Body"] for message in got]
    assert (1, 0, 0) == cloud.queue_depth("Queue")


def test_the_short_way_through_s3_is_billed_authorized_and_broken_like_any(app):
    code = """
        import boto3
        from botocore.exceptions import ClientError
        s3 = boto3.client("s3")
        def handler(event, context):
            try:
                etag = s3.put_object(Bucket=event, Key="k", Body=b"text", IfNoneMatch="*")["ETag"]
            except ClientError as error:
                etag = error.response["Error"]["Code"]
            return [etag, s3.get_object(Bucket=event, Key="k")["Body"].read().decode()]
    """
    app.add("Bucket", "AWS::S3::Bucket", BucketName="store")
    app.function("one", code)
    etag = '"1cb251ec0d568de6a929b520c4aed8d1"'
    with LocalCloud(app.write()) as cloud:
        assert [etag, "text"] == cloud.invoke("one", "store").value()
        assert (1, 1) == (cloud.meter.billed["s3_puts"], cloud.meter.billed["s3_gets"])
        assert 1 == cloud.requests["s3", "PutObject"]

    with LocalCloud(app.write(), faults=Break("PutObject", lambda call, apply: lose_reply(apply))) as cloud:
        assert ["PreconditionFailed", "text"] == cloud.invoke("one", "store").value()
        assert 2 == cloud.requests["s3", "PutObject"]

    allow = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [allow]}
    app.resources["Role"]["Properties"]["Policies"] = [{"PolicyName": "puts", "PolicyDocument": document}]
    with LocalCloud(app.write()) as cloud:
        assert "AccessDenied" in cloud.invoke("one", "store").message
