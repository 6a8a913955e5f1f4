"""DynamoDB streams, and the functions mapped to them."""

import json
from typing import Any

from .lab import DYNAMODB, LAMBDA, Lab, arn, row

STREAM = LAMBDA + "services-dynamodb-eventsourcemapping.html"
ERRORS = LAMBDA + "services-dynamodb-errors.html"
PARTIAL = LAMBDA + "services-ddb-batchfailurereporting.html"
CHANGES = """
    import json
    def handler(event, context):
        keys = [record["dynamodb"]["Keys"]["pk"]["S"] for record in event["Records"]]
        print(json.dumps([[record["eventName"], key] for record, key in zip(event["Records"], keys)]))
        poison = [record for record, key in zip(event["Records"], keys) if key.startswith("boom")]
        if poison and "report" in keys[0]:
            return {"batchItemFailures": [{"itemIdentifier": poison[0]["dynamodb"]["SequenceNumber"]}]}
        if poison:
            raise RuntimeError("boom")
"""


def table(lab: Lab, code: str = CHANGES, *, view: str = "NEW_AND_OLD_IMAGES", **mapping: Any):
    lab.table("T")
    lab.resources["T"]["Properties"]["StreamSpecification"] = {"StreamViewType": view}
    lab.queue("Dead")
    lab.function("one", code)
    lab.add(
        "Mapping",
        "AWS::Lambda::EventSourceMapping",
        EventSourceArn={"Fn::GetAtt": ["T", "StreamArn"]},
        FunctionName={"Ref": "one"},
        **{"StartingPosition": "LATEST", **mapping},
    )


def put(lab: Lab, *keys: str, **more: Any):
    for key in keys:
        lab.cloud.client("dynamodb").put_item(TableName="T", Item={"pk": {"S": key}, **more})


def seen(lab: Lab):
    return [change for batch in lab.printed() for change in batch]


@row("An item put, changed and deleted is INSERT, MODIFY and REMOVE in the table's stream", STREAM)
def changes(lab: Lab):
    table(lab)
    cloud = lab.open()
    put(lab, "a")
    put(lab, "a", n={"N": "1"})
    cloud.client("dynamodb").delete_item(TableName="T", Key={"pk": {"S": "a"}})
    cloud.run_until_idle()

    assert [["INSERT", "a"], ["MODIFY", "a"], ["REMOVE", "a"]] == seen(lab)


@row("A record has the images that the stream's view type asks for", STREAM)
def images(lab: Lab):
    table(lab, "import json\ndef handler(e, c): print(json.dumps(e['Records'][-1]))", view="NEW_IMAGE")
    cloud = lab.open()
    put(lab, "a", n={"N": "1"})
    cloud.run_until_idle()

    (record,) = lab.printed()
    assert {"pk": {"S": "a"}, "n": {"N": "1"}} == record["dynamodb"]["NewImage"]
    assert "OldImage" not in record["dynamodb"]
    assert ("aws:dynamodb", 1772323200.0) == (
        record["eventSource"],
        record["dynamodb"]["ApproximateCreationDateTime"],
    )
    assert "/stream/" in record["eventSourceARN"]


@row("A write that changes nothing writes no stream record", DYNAMODB + "Streams.html")
def nothing_changed(lab: Lab):
    table(lab)
    cloud = lab.open()
    put(lab, "a")
    put(lab, "a")
    cloud.run_until_idle()

    assert [["INSERT", "a"]] == seen(lab)


@row("A transaction that fails leaves no stream records", STREAM)
def failed_transaction(lab: Lab):
    table(lab)
    cloud = lab.open()
    puts = [{"Put": {"TableName": "T", "Item": {"pk": {"S": key}}}} for key in ("a", "b")]
    absent = {"TableName": "T", "Key": {"pk": {"S": "z"}}, "ConditionExpression": "attribute_exists(pk)"}
    refused = {"ConditionCheck": absent}
    client = cloud.client("dynamodb")
    try:
        client.transact_write_items(TransactItems=[*puts, refused])
    except client.exceptions.TransactionCanceledException:
        put(lab, "c")
    cloud.run_until_idle()

    assert [["INSERT", "c"]] == seen(lab)


@row("A failed batch of a stream is tried again, and nothing behind it comes before", ERRORS)
def blocks(lab: Lab):
    table(lab, BatchSize=1, MaximumRetryAttempts=2)
    cloud = lab.open()
    put(lab, "boom", "b")
    cloud.run_until_idle()

    assert ["boom", "boom", "boom", "b"] == [batch[0][1] for batch in lab.printed()]


@row("A failed batch of a stream may be cut in two until the poison is alone", ERRORS)
def bisect(lab: Lab):
    table(lab, BatchSize=4, MaximumRetryAttempts=0, BisectBatchOnFunctionError=True, MaximumBatchingWindowInSeconds=5)
    cloud = lab.open()
    put(lab, "a", "b", "boom", "d")
    cloud.run_until_idle()

    keys = [[key for _, key in batch] for batch in lab.printed()]
    assert [["a", "b", "boom", "d"], ["a", "b"], ["boom", "d"], ["boom"], ["d"]] == keys


@row("A partial response of a stream moves the checkpoint to its lowest sequence number", PARTIAL)
def partial(lab: Lab):
    table(
        lab,
        BatchSize=10,
        MaximumRetryAttempts=1,
        MaximumBatchingWindowInSeconds=5,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    cloud = lab.open()
    put(lab, "report", "boom", "c")
    cloud.run_until_idle()

    keys = [[key for _, key in batch] for batch in lab.printed()]
    assert ["report", "boom", "c"] == keys[0]
    assert all(batch == ["boom", "c"] for batch in keys[1:])


@row("A batch without retries left is discarded, and its place in the stream goes to the failure destination", ERRORS)
def discarded(lab: Lab):
    to = {"OnFailure": {"Destination": arn("Dead")}}
    table(lab, BatchSize=2, MaximumRetryAttempts=1, DestinationConfig=to)
    cloud = lab.open()
    put(lab, "boom")
    cloud.run_until_idle()

    record = json.loads(lab.receive("Dead")[0]["Body"])
    assert "RetryAttemptsExhausted" == record["requestContext"]["condition"]
    assert 2 == record["requestContext"]["approximateInvokeCount"]
    assert 1 == record["DDBStreamBatchInfo"]["batchSize"]
    assert "responsePayload" not in record


@row("Without MaximumRetryAttempts a failed batch is tried until its records are a day old", ERRORS)
def until_expired(lab: Lab):
    table(lab, BatchSize=1)
    cloud = lab.open()
    put(lab, "boom", "b")
    cloud.advance(hours=23)
    assert {"boom"} == {batch[0][1] for batch in lab.printed()}
    cloud.advance(hours=2)
    put(lab, "c")
    cloud.run_until_idle()

    assert "c" == lab.printed()[-1][0][1]


@row("MaximumRecordAgeInSeconds gives up a batch that is too old", ERRORS)
def record_age(lab: Lab):
    to = {"OnFailure": {"Destination": arn("Dead")}}
    table(lab, BatchSize=1, MaximumRecordAgeInSeconds=60, DestinationConfig=to)
    cloud = lab.open()
    put(lab, "boom")
    cloud.run_until_idle()

    assert "MaximumRecordAgeExceeded" == json.loads(lab.receive("Dead")[0]["Body"])["requestContext"]["condition"]
    assert 60 <= (cloud.now.timestamp() - 1772323200) < 130


@row("A batching window gathers a stream's records", STREAM)
def window(lab: Lab):
    table(lab, BatchSize=100, MaximumBatchingWindowInSeconds=20)
    cloud = lab.open()
    put(lab, "a")
    cloud.advance(seconds=10)
    put(lab, "b")
    cloud.advance(seconds=5)
    assert [] == lab.printed()
    cloud.run_until_idle()

    assert [[["INSERT", "a"], ["INSERT", "b"]]] == lab.printed()


@row("Records that no filter lets through are passed over unseen", LAMBDA + "invocation-eventfiltering.html")
def filtered(lab: Lab):
    pattern = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"kind": {"S": ["wanted"]}}}}
    table(lab, FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)}]})
    cloud = lab.open()
    put(lab, "a", kind={"S": "other"})
    put(lab, "b", kind={"S": "wanted"})
    cloud.run_until_idle()

    assert [["INSERT", "b"]] == seen(lab)


@row("With a ParallelizationFactor the changes of one item still come in order", STREAM)
def parallel(lab: Lab):
    table(lab, BatchSize=1, ParallelizationFactor=3)
    cloud = lab.open(durations=lambda function, event, rng: 1.0)  # noqa: ARG005
    for n in range(3):
        put(lab, "a", "b", "c", n={"N": str(n)})
    cloud.run_until_idle()

    for key in "abc":
        kinds = [kind for batch in lab.printed() for kind, of in batch if of == key]
        assert ["INSERT", "MODIFY", "MODIFY"] == kinds
    assert 1 < lab.peak("one") <= 3


@row("An item is deleted within days of its time to live, and may be read until then", DYNAMODB + "TTL.html")
def time_to_live(lab: Lab):
    table(lab, "import json\ndef handler(e, c): print(json.dumps(e['Records'][0]))")
    lab.resources["T"]["Properties"]["TimeToLiveSpecification"] = {"AttributeName": "until", "Enabled": True}
    cloud = lab.open()
    soon, never = {"N": str(int(cloud.now.timestamp()) + 3600)}, {"S": "no number"}
    put(lab, "a", until=soon)
    put(lab, "b", until=never)
    put(lab, "c")
    cloud.advance(hours=2)
    client = cloud.client("dynamodb")
    assert 3 == client.scan(TableName="T")["Count"]
    cloud.advance(days=2)

    assert {"b", "c"} == {item["pk"]["S"] for item in client.scan(TableName="T")["Items"]}
    last = lab.printed()[-1]
    assert ("REMOVE", "Service") == (last["eventName"], last["userIdentity"]["type"])
