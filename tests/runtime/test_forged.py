"""Whoever can put messages into the queue, or objects beside a run's own, can't stop the others or loop for ever."""

import base64
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from drumbeat.run import Run
from drumbeat.testing.cloud import AppCloud

BOMB = base64.b64encode(zlib.compress(b"[" + b" " * 40_000_000 + b"1]")).decode()


def forged(run: Run) -> Iterator[str]:
    """Messages that none of drumbeat's functions sends, beginning like those of a run that is under way."""
    for fields in (
        {"items": [float("nan")]},
        {"count": 10**9, "ref": {"start": 0, "step": 1}},
        {"count": 1, "ref": {"start": 0, "step": 0}},
        {"count": 1, "z64": BOMB},
        {"chunk": 10**30, "items": [1]},
        *(
            {"count": 1, "ref": {"key": key, "etag": '"e"', "begin": 0, "end": 9}}
            for key in (
                f"runs/{run.id}-evil/spool/000000000.jsonl",
                f"runs/{run.id}/spool/../../../strict/000000000.jsonl",
                f"runs/{run.id}/results/000000000.done.json",
                "runs/strict/2025-01-01T00:00:00Z/items.jsonl",
            )
        ),
    ):
        yield json.dumps({"v": 1, "run": run.id, "chunk": 0, "first": 0, **fields})
    yield '{"v":1,"run":"' + run.id + '","chunk":0,"first":0,"items":' + "[" * 5000 + "]" * 5000 + "}"


@contextmanager
def unpolled(cloud: AppCloud, task: str) -> Iterator[str]:
    """Let the messages of a task wait meanwhile, in the queue with this URL."""
    [mapping] = [
        found
        for found in cloud.deployment.mappings
        if cloud.worker(task) in found.function_arn and "Backfill" not in found.source_arn
    ]
    [queue] = [queue.url for queue in cloud.deployment.queues if queue.arn == mapping.source_arn]
    cloud.client("lambda").update_event_source_mapping(UUID=mapping.uuid, Enabled=False)
    yield queue
    cloud.client("lambda").update_event_source_mapping(UUID=mapping.uuid, Enabled=True)


def kept(cloud: AppCloud, folder: str) -> list[str]:
    """The messages that were put aside."""
    listed = cloud.client("s3").list_objects_v2(Bucket=cloud.bucket, Prefix=f"runs/{folder}/malformed/")
    bodies = (cloud.client("s3").get_object(Bucket=cloud.bucket, Key=entry["Key"]) for entry in listed["Contents"])
    return [body["Body"].read().decode() for body in bodies]


def test_forged_messages_are_put_aside_and_the_run_among_them_is_exact(cloud: AppCloud) -> None:
    with unpolled(cloud, "strict") as queue:
        run = cloud.fire("strict", [1, 2, 3, {"raise": "no"}, 5, 6])
        cloud.advance(seconds=5)
        for body in forged(run):
            cloud.client("sqs").send_message(QueueUrl=queue, MessageBody=body)
    cloud.run_until_idle()

    ended = cloud.show(run)
    assert ("FAILED", 6, 5, 1) == (ended.state, ended.items, ended.record.succeeded, ended.failed)
    assert sorted(forged(run)) == sorted(kept(cloud, "strict"))
    assert not any(sum(cloud.queue_depth(found.name)) for found in cloud.deployment.queues)


def test_the_keeper_reads_no_other_run_s_files_for_a_forged_dead_letter(cloud: AppCloud) -> None:
    with unpolled(cloud, "strict") as queue:
        run = cloud.fire("strict", [1])
        cloud.advance(seconds=5)
        [dead] = [found.dead_letter_arn for found in cloud.deployment.queues if found.url == queue]
        [url] = [found.url for found in cloud.deployment.queues if found.arn == dead]
        for body in forged(run):
            cloud.client("sqs").send_message(QueueUrl=url, MessageBody=body)
        cloud.advance(minutes=2)
    cloud.run_until_idle()

    assert sorted(forged(run)) == sorted(kept(cloud, "keeper"))
    assert "SUCCEEDED" == cloud.show(run).state


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'["forged"]', "isn't the one that the chunk was sent with"),
        (None, "the object is gone, or"),
    ],
)
def test_what_a_message_points_to_is_what_it_was_sent_with_or_a_dead_letter(
    cloud: AppCloud, body: bytes | None, why: str
) -> None:
    with unpolled(cloud, "expands"):
        cloud.client("s3").put_object(Bucket=cloud.bucket, Key="runs/expands/how", Body=b"large")
        run = cloud.fire("expands")
        cloud.advance(seconds=20)
        found = cloud.client("s3").list_objects_v2(Bucket=cloud.bucket, Prefix=f"runs/{run.id}/chunks/")
        [key] = [entry["Key"] for entry in found["Contents"]]
        if body is None:
            cloud.client("s3").delete_object(Bucket=cloud.bucket, Key=key)
        else:
            cloud.client("s3").put_object(Bucket=cloud.bucket, Key=key, Body=body)
    cloud.run_until_idle()

    ended = cloud.show(run)
    assert ("FAILED", ended.items) == (ended.state, ended.record.succeeded + ended.failed)
    [letter] = [letter for letter in ended.dead_letters if letter.error_type == "SourceChanged"]
    assert why in letter.error


@pytest.mark.parametrize("text", ['{"raise": "\\ud800"}', '{"return": "\\udfff"}', "[" * 150 + "]" * 150])
def test_an_item_that_no_encoding_or_no_stack_has_room_for_ends_its_run(cloud: AppCloud, text: str) -> None:
    run = Run("plain", cloud.now.replace(second=0, microsecond=0), cloud.bucket)
    from drumbeat.signal import Fire, items_key  # noqa: PLC0415

    cloud.client("s3").put_object(Bucket=cloud.bucket, Key=items_key(run), Body=f"{text}\n1\n".encode())
    cloud.invoke_async(cloud.dispatcher("plain"), Fire(run, items_key(run)).event())
    cloud.run_until_idle()

    assert (2, True) == (cloud.show(run).items, cloud.show(run).state in ("SUCCEEDED", "FAILED"))


def test_a_record_that_is_none_keeps_the_keeper_from_no_other_run(cloud: AppCloud) -> None:
    run = cloud.run("strict", items=[{"raise": "no"}])
    table = cloud.table_of("strict")
    forged_id = "strict/2025-01-01T00:00:00Z"
    cloud.client("dynamodb").put_item(
        TableName=table,
        Item={
            "pk": {"S": "task#strict"},
            "sk": {"S": "run#2025-01-01T00:00:00Z"},
            "id": {"S": forged_id},
            "chunks": {"S": "x"},
        },
    )
    cloud.client("dynamodb").update_item(
        TableName=table,
        Key={"pk": {"S": "task#strict"}, "sk": {"S": "active"}},
        UpdateExpression="ADD runs :both",
        ExpressionAttributeValues={":both": {"SS": [forged_id, run.id]}},
    )
    cloud.advance(hours=1)

    listed = cloud.client("dynamodb").get_item(TableName=table, Key={"pk": {"S": "task#strict"}, "sk": {"S": "active"}})
    assert [forged_id] == listed["Item"]["runs"]["SS"]
