"""A cloud that is kept in a folder goes on as if nothing had been between."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.local.engine.keeper import FAIL, PRINT, START, Keeper, bodies, receive, redriven, send, work


@pytest.fixture
def keep(tmp_path, app):
    return Keeper(tmp_path / "cloud", app)


def test_messages_are_worked_backed_off_and_buried_over_many_commands(keep):
    work(keep.app, concurrency=2)
    keep.create()
    keep(lambda cloud: send(cloud, *(f"m{n}" for n in range(20)), "bad"))
    for _ in range(60):
        keep(lambda cloud: cloud.advance(seconds=3))

    done = [body for batch in keep.said() for body in batch]
    assert {f"m{n}" for n in range(20)} | {"bad"} == set(done)
    assert 22 == len(done)  # the bad one twice
    assert ((0, 0, 0), (1, 0, 0)) == keep(lambda cloud: (cloud.queue_depth("Work"), cloud.queue_depth("Dead")))


def test_delays_receipts_attributes_and_counts_of_messages_stay(keep):
    redriven(keep.app)
    keep.create()
    attributes = {"bin": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    keep(lambda cloud: send(cloud, "later", DelaySeconds=600))
    keep(lambda cloud: send(cloud, "now", MessageAttributes=attributes))
    (first,) = keep(lambda cloud: receive(cloud, VisibilityTimeout=120))
    assert (0, 1, 1) == keep(lambda cloud: cloud.queue_depth("Work"))
    assert [] == keep(lambda cloud: [cloud.advance(seconds=119), *receive(cloud)][1:])
    (again,) = keep(lambda cloud: [cloud.advance(seconds=2), *receive(cloud, MessageAttributeNames=["All"])][1:])

    assert ("now", "2") == (again["Body"], again["Attributes"]["ApproximateReceiveCount"])
    assert (first["MessageId"], attributes) == (again["MessageId"], again["MessageAttributes"])
    keep(lambda cloud: cloud.client("sqs").delete_message(QueueUrl=cloud.deployment.queues[1].url,
                                                          ReceiptHandle=again["ReceiptHandle"]))  # fmt: skip
    assert ["later"] == keep(lambda cloud: [cloud.advance(seconds=600), *bodies(cloud)][1:])


def test_fifo_queues_keep_order_groups_and_deduplication(keep):
    keep.app.queue("Work.fifo", FifoQueue=True, VisibilityTimeout=60)
    keep.create()

    def put(cloud, body, group, token):
        send(cloud, body, queue="Work.fifo", MessageGroupId=group, MessageDeduplicationId=token)

    for body, group in (("a1", "a"), ("b1", "b"), ("a2", "a")):
        keep(lambda cloud, body=body, group=group: put(cloud, body, group, body))
    keep(lambda cloud: put(cloud, "a1 again", "a", "a1"))

    (first,) = keep(lambda cloud: receive(cloud, "Work.fifo", MaxNumberOfMessages=1))
    assert ("a1", ["b1"]) == (first["Body"], keep(lambda cloud: bodies(cloud, "Work.fifo")))
    assert [] == keep(lambda cloud: bodies(cloud, "Work.fifo"))  # a2 waits for a1
    keep(lambda cloud: cloud.advance(minutes=6))
    keep(lambda cloud: put(cloud, "a1 later", "a", "a1"))
    rest = keep(lambda cloud: bodies(cloud, "Work.fifo"))
    assert ["a1", "a2", "a1 later"] == [body for body in rest if body != "b1"]
    assert "b1" in rest


def test_fires_keep_their_phase_and_changed_rules_their_state(keep):
    for name in ("Often", "Off"):
        keep.app.function(name.lower(), PRINT)
        keep.app.rule(name, name.lower(), ScheduleExpression="rate(7 minutes)")
    keep.create()
    keep(lambda cloud: cloud.client("events").disable_rule(Name="Off"))
    for _ in range(6):
        keep(lambda cloud: cloud.advance(minutes=5))
    times = [event["time"] for event in keep.said()]

    assert [f"2026-03-01T00:{minute:02}:00Z" for minute in (7, 14, 21, 28)] == times
    assert datetime(2026, 3, 1, 0, 35, tzinfo=UTC) == keep(lambda cloud: cloud.next_fire())


def test_added_schedules_fire_and_delete_themselves(keep):
    keep.app.function("target", PRINT)
    keep.create()

    def add(cloud, name, expression, more):
        target = {
            "Arn": cloud.deployment.functions[0].arn,
            "RoleArn": cloud.deployment.roles[0].arn,
            "Input": f'"{name} <aws.scheduler.scheduled-time>"',
        }
        cloud.client("scheduler").create_schedule(
            Name=name,
            ScheduleExpression=expression,
            Target=target,
            FlexibleTimeWindow={"Mode": "OFF"},
            **more,
        )

    keep(lambda cloud: cloud.advance(seconds=30))
    keep(lambda cloud: add(cloud, "often", "rate(10 minutes)", {"EndDate": START + timedelta(minutes=25)}))
    keep(lambda cloud: add(cloud, "once", "at(2026-03-01T00:05:00)", {"ActionAfterCompletion": "DELETE"}))
    keep(lambda cloud: add(cloud, "gone", "rate(1 minute)", {}))
    keep(lambda cloud: cloud.client("scheduler").delete_schedule(Name="gone"))
    for _ in range(4):
        keep(lambda cloud: cloud.advance(minutes=8))

    assert [
        '"once 2026-03-01T00:05:00Z"', '"often 2026-03-01T00:10:30Z"', '"often 2026-03-01T00:20:30Z"'
    ] == keep.logs  # fmt: skip
    found = keep(lambda cloud: cloud.client("scheduler").list_schedules()["Schedules"])
    assert [("often", START + timedelta(seconds=30))] == [(one["Name"], one["CreationDate"]) for one in found]


def test_asynchronous_invocations_are_tried_again_and_reach_their_dead_letter_queue(keep):
    keep.app.queue("Dead")
    keep.app.function("failing", FAIL, DeadLetterConfig={"TargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}})
    keep.create()
    request = keep(lambda cloud: cloud.invoke_async("failing", {"$strange": [1]}))
    for _ in range(5):
        keep(lambda cloud: cloud.advance(minutes=1))

    assert 3 == len([text for text in keep.logs if text == f"tried {request}"])
    assert ['{"$strange": [1]}'] == keep(lambda cloud: bodies(cloud, "Dead"))


def test_objects_keep_versions_metadata_tags_and_unfinished_uploads(keep):
    versioned = {"VersioningConfiguration": {"Status": "Enabled"}}
    keep.app.add("Plain", "AWS::S3::Bucket", BucketName="plain")
    keep.app.add("Versioned", "AWS::S3::Bucket", BucketName="versioned", **versioned)
    keep.create()
    keep(lambda cloud: cloud.client("s3").put_object(
        Bucket="plain", Key="a b/ü", Body=b"\xff" * 5000, Metadata={"who": "me"}, ContentType="image/png",
        Tagging="k=v", ACL="public-read"))  # fmt: skip
    put = [
        keep(lambda cloud, n=n: cloud.client("s3").put_object(Bucket="versioned", Key="v", Body=f"v{n}")["VersionId"])
        for n in range(2)
    ]
    keep(lambda cloud: cloud.client("s3").delete_object(Bucket="versioned", Key="v"))
    upload = keep(lambda cloud: cloud.client("s3").create_multipart_upload(Bucket="plain", Key="big")["UploadId"])
    where = {"Bucket": "plain", "Key": "big", "UploadId": upload}
    part = keep(lambda cloud: cloud.client("s3").upload_part(**where, PartNumber=1, Body=b"part")["ETag"])
    keep(lambda cloud: cloud.client("s3").complete_multipart_upload(
        **where, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]}))  # fmt: skip

    def look(cloud):
        s3 = cloud.client("s3")
        found = s3.get_object(Bucket="plain", Key="a b/ü")
        assert (b"\xff" * 5000, {"who": "me"}, "image/png") == (
            found["Body"].read(), found["Metadata"], found["ContentType"])  # fmt: skip
        assert [{"Key": "k", "Value": "v"}] == s3.get_object_tagging(Bucket="plain", Key="a b/ü")["TagSet"]
        assert 2 == len(s3.get_object_acl(Bucket="plain", Key="a b/ü")["Grants"])
        versions = [s3.get_object(Bucket="versioned", Key="v", VersionId=one)["Body"].read() for one in put]
        assert [b"v0", b"v1"] == versions
        assert 1 == len(s3.list_object_versions(Bucket="versioned")["DeleteMarkers"])
        assert b"part" == s3.get_object(Bucket="plain", Key="big")["Body"].read()

    keep(look)
    assert 1 == len(list((keep.folder / "blobs").iterdir()))
    keep(lambda cloud: cloud.client("s3").delete_object(Bucket="plain", Key="a b/ü"))
    assert [] == list((keep.folder / "blobs").iterdir())


def test_items_and_streams_stay(keep):
    keep.app.table("Table")
    keep.app.resources["Table"]["Properties"]["StreamSpecification"] = {"StreamViewType": "NEW_IMAGE"}
    keep.app.function("reader", PRINT)
    keep.app.add(
        "Stream", "AWS::Lambda::EventSourceMapping", EventSourceArn={"Fn::GetAtt": ["Table", "StreamArn"]},
        FunctionName={"Ref": "reader"}, StartingPosition="LATEST", BatchSize=10, MaximumBatchingWindowInSeconds=20,
    )  # fmt: skip
    keep.create()
    item = {"pk": {"S": "a"}, "$n": {"N": "1.5"}, "b": {"B": b"\x00"}, "m": {"M": {"l": {"L": [{"NULL": True}]}}},
            "s": {"SS": ["x", "y"]}}  # fmt: skip
    keep(lambda cloud: cloud.client("dynamodb").put_item(TableName="Table", Item=item))
    keep(lambda cloud: cloud.advance(seconds=5))
    keep(lambda cloud: cloud.client("dynamodb").put_item(TableName="Table", Item={"pk": {"S": "b"}}))
    keep(lambda cloud: cloud.advance(seconds=60))

    (batch,) = keep.said()
    assert ["a", "b"] == [record["dynamodb"]["Keys"]["pk"]["S"] for record in batch["Records"]]
    found = keep(lambda cloud: cloud.client("dynamodb").scan(TableName="Table")["Items"])
    assert [item, {"pk": {"S": "b"}}] == found


def test_what_is_set_up_while_it_runs_has_the_same_ids_again(keep):
    work(keep.app)
    keep.create()

    def build(cloud):
        made = cloud.client("sqs").create_queue(QueueName="made", Attributes={"VisibilityTimeout": "7"})
        arn = f"arn:aws:sqs:us-east-1:123456789012:{made['QueueUrl'].rpartition('/')[2]}"
        lambda_ = cloud.client("lambda")
        lambda_.update_function_configuration(FunctionName="worker", Timeout=99)
        lambda_.put_function_concurrency(FunctionName="worker", ReservedConcurrentExecutions=7)
        return lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName="worker", Enabled=False)["UUID"]

    uuid = keep(build)
    topic = keep(lambda cloud: cloud.client("sns").create_topic(Name="topic")["TopicArn"])
    keep(lambda cloud: cloud.client("ssm").put_parameter(Name="/a", Value="1", Type="String"))
    keep(lambda cloud: send(cloud, "x", queue="made"))

    def look(cloud):
        lambda_ = cloud.client("lambda")
        assert "Disabled" == lambda_.get_event_source_mapping(UUID=uuid)["State"]
        worker = cloud._world.functions.function("worker")
        assert (99, 7) == (worker.timeout_s, worker.reserved_concurrency)
        assert [topic] == [one["TopicArn"] for one in cloud.client("sns").list_topics()["Topics"]]
        assert "1" == cloud.client("ssm").get_parameter(Name="/a")["Parameter"]["Value"]
        assert (1, 0, 0) == cloud.queue_depth("made")
        lambda_.update_event_source_mapping(UUID=uuid, Enabled=True)
        cloud.advance(minutes=1)

    keep(look)
    assert [["x"]] == keep.said()


def test_a_move_task_goes_on(keep):
    redriven(keep.app)
    keep.create()
    keep(lambda cloud: send(cloud, *(f"m{n}" for n in range(3)), queue="Dead"))
    arns = keep(lambda cloud: {queue.logical_id: queue.arn for queue in cloud.deployment.queues})
    keep(lambda cloud: cloud.client("sqs").start_message_move_task(
        SourceArn=arns["Dead"], DestinationArn=arns["Work"], MaxNumberOfMessagesPerSecond=1))  # fmt: skip
    keep(lambda cloud: cloud.advance(seconds=1.5))
    assert (1, 0, 0) == keep(lambda cloud: cloud.queue_depth("Work"))
    keep(lambda cloud: cloud.advance(seconds=5))
    assert ["m0", "m1", "m2"] == keep(bodies)
