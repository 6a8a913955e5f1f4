"""An ordinary app from end to end."""

# ruff: noqa: E501  handlers in text, stand-ins for callbacks

from datetime import UTC, datetime, timedelta

import pytest

from drumbeat.local.errors import LocalError

DISPATCHER = """
    import json, os, boto3
    sqs = boto3.client("sqs")
    def handler(event, context):
        n = int(os.environ["COUNT"])
        for start in range(0, n, 10):
            entries = [{"Id": str(i), "MessageBody": json.dumps({"n": i, "fire": event["time"]})} for i in range(start, min(start + 10, n))]
            answer = sqs.send_message_batch(QueueUrl=os.environ["QUEUE"], Entries=entries)
            assert not answer.get("Failed"), answer
"""
WORKER = """
    import json, os, boto3
    table = boto3.client("dynamodb")
    def handler(event, context):
        failures = []
        for record in event["Records"]:
            body = json.loads(record["body"])
            if body["n"] == 7:
                failures.append({"itemIdentifier": record["messageId"]})
                continue
            table.update_item(
                TableName=os.environ["TABLE"],
                Key={"pk": {"S": body["fire"]}},
                UpdateExpression="ADD seen :one, done_items :item",
                ExpressionAttributeValues={":one": {"N": "1"}, ":item": {"NS": [str(body["n"])]}},
            )
        print("did", len(event["Records"]), "with", context.get_remaining_time_in_millis() > 0)
        return {"batchItemFailures": failures}
"""


def fan_out(app, count=25):
    app.table("Table")
    app.queue("Dead")
    app.queue(
        "Work",
        VisibilityTimeout=60,
        RedrivePolicy={"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 3},
    )
    app.function("dispatcher", DISPATCHER, env={"QUEUE": {"Ref": "Work"}, "COUNT": str(count)})
    app.function("worker", WORKER, env={"TABLE": {"Ref": "Table"}})
    app.mapping("Work", "worker", BatchSize=5, FunctionResponseTypes=["ReportBatchItemFailures"])
    app.rule("Hourly", "dispatcher", ScheduleExpression="rate(1 hour)")
    return app


def test_a_fire_fans_out_and_the_poison_item_ends_in_the_dead_letter_queue(app, open_cloud):
    cloud = open_cloud(fan_out(app))

    cloud.advance(hours=1)
    idle = cloud.run_until_idle()

    (item,) = cloud.client("dynamodb").scan(TableName="Table")["Items"]
    assert idle
    assert "2026-03-01T01:00:00Z" == item["pk"]["S"]
    assert "24" == item["seen"]["N"]
    assert (1, 0, 0) == cloud.queue_depth("Dead")
    assert (0, 0, 0) == cloud.queue_depth("Work")
    assert 1 == cloud.invocations["dispatcher"]
    assert 3 == cloud.requests["sqs", "SendMessageBatch"]
    assert 24 == cloud.requests["dynamodb", "UpdateItem"]
    assert cloud.logs("worker")[0].text.startswith("did 5 with True")


def test_the_same_seed_gives_the_same_log(app, open_cloud):
    fan_out(app)
    texts = []
    for _ in range(2):
        cloud = open_cloud(app, seed=3)
        cloud.advance(hours=2)
        cloud.run_until_idle()
        texts.append(cloud.log.jsonl())
        cloud.__exit__(None, None, None)

    assert texts[0] == texts[1]
    assert texts[0].count('"kind": "fire"') == 2


def test_the_next_fire_is_known_and_time_stands_where_it_was_put(app, open_cloud):
    cloud = open_cloud(fan_out(app))

    assert datetime(2026, 3, 1, 1, tzinfo=UTC) == cloud.next_fire()
    cloud.advance(timedelta(minutes=90))
    assert datetime(2026, 3, 1, 1, 30, tzinfo=UTC) == cloud.now
    assert datetime(2026, 3, 1, 2, tzinfo=UTC) == cloud.next_fire()


def test_boto3s_table_resource_takes_the_short_way_too(app, open_cloud):
    app.table("Table")
    app.function(
        "one",
        """
        import boto3
        from boto3.dynamodb.conditions import Attr
        from botocore.exceptions import ClientError
        table = boto3.resource("dynamodb").Table("Table")
        def handler(event, context):
            table.put_item(Item={"pk": "a", "n": 1, "tags": {"x"}})
            try:
                table.put_item(Item={"pk": "a"}, ConditionExpression=Attr("pk").not_exists())
            except table.meta.client.exceptions.ConditionalCheckFailedException as error:
                code = error.response["Error"]["Code"]
            table.update_item(Key={"pk": "a"}, UpdateExpression="ADD n :n", ExpressionAttributeValues={":n": 2})
            return [code, int(table.get_item(Key={"pk": "a"})["Item"]["n"]), table.scan()["Count"]]
        """,
    )
    cloud = open_cloud(app)

    assert ["ConditionalCheckFailedException", 3, 1] == cloud.invoke("one", {}).value()
    assert 3 == cloud.billed["dynamodb_write_units"]


def test_one_cloud_is_open_at_a_time(app, open_cloud):
    cloud = open_cloud(app)

    with pytest.raises(LocalError, match="already open"):
        open_cloud(app)
    cloud.__exit__(None, None, None)
    assert open_cloud(app).now == cloud.now
