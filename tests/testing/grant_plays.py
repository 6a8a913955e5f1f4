"""What is played to find out which grants are needed: between them, the plays go every way that needs one."""

import json
from base64 import b85encode
from datetime import timedelta
from random import Random

from drumbeat import At, Cron, Task
from drumbeat.control import Control, Deployment
from drumbeat.run import Run
from drumbeat.testing import AppCloud

TASKS = ("plain", "once", "objects", "records", "later")
LARGE = b85encode(Random(1).randbytes(1_200_000)).decode()  # that compression doesn't make small
PLAIN = Task("plain", schedule=Cron("0 6 * * ? *", timezone="Europe/Berlin"))  # as app/handlers/grants.py declares it


def operator(cloud: AppCloud) -> Control:
    """The operator's own tool, on the cloud's clock."""
    return Control(Deployment.of_outputs(cloud.deployment.outputs), cloud, now=lambda: cloud.now)


def runs(cloud: AppCloud) -> None:
    """Items that succeed, fail, and are too large for a message; sources; an expansion in two parts; a redrive."""
    s3, dynamodb = cloud.client("s3"), cloud.client("dynamodb")
    s3.put_object(Bucket=cloud.bucket, Key="inputs/once.jsonl", Body=b'{"id": "a"}\n{"id": "b", "fails": true}\n')
    s3.put_object(Bucket=cloud.bucket, Key="inputs/objects/a", Body=b"")
    dynamodb.create_table(
        TableName="customers",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for task in ("plain", "once", "objects", "records"):  # later comes after records
        cloud.run(task)
    failed = cloud.run("plain", items=[1, "poison", LARGE, f"poison{LARGE}"])
    operator(cloud).redrive(failed.id)
    cloud.run_until_idle(timedelta(hours=6))


def keeper(cloud: AppCloud) -> None:
    """Workers that die, messages that nobody begins or understands, runs cancelled before their work, lost hints."""
    cloud.client("s3").put_object(Bucket=cloud.bucket, Key="inputs/once.jsonl", Body=b'{"id": "a"}\n')
    for rule in cloud.deployment.rules:
        if "later" in rule.name:
            cloud.client("events").disable_rule(Name=rule.name)
    unbegun(cloud, cloud.fire("plain", items=["killer", 1]), cancelled=False)
    cloud.advance(minutes=30)
    unbegun(cloud, cloud.fire("plain", params={"large": True}), cancelled=True)
    unbegun(cloud, cloud.fire("once"), cancelled=True)
    cloud.fire("records", items=[1])
    for queue in cloud.deployment.queues:
        cloud.client("sqs").send_message(QueueUrl=queue.url, MessageBody=json.dumps("nonsense"))
    cloud.advance(hours=2)
    cloud.run_until_idle(timedelta(hours=6))


def unbegun(cloud: AppCloud, run: Run, *, cancelled: bool) -> None:
    """Put the messages of the run where SQS puts them after too many receives."""
    queues = {queue.arn: queue for queue in cloud.deployment.queues}
    [mapping] = [
        found
        for found in cloud.deployment.mappings
        if cloud.worker(run.task) in found.function_arn and "Backfill" not in found.source_arn
    ]
    cloud.client("lambda").update_event_source_mapping(UUID=mapping.uuid, Enabled=False)
    cloud.advance(seconds=20)
    if cancelled:
        operator(cloud).cancel(run.id)
    source, sqs = queues[mapping.source_arn], cloud.client("sqs")
    for message in sqs.receive_message(QueueUrl=source.url, MaxNumberOfMessages=10).get("Messages", []):
        sqs.send_message(QueueUrl=queues[str(source.dead_letter_arn)].url, MessageBody=message["Body"])
        sqs.delete_message(QueueUrl=source.url, ReceiptHandle=message["ReceiptHandle"])
    cloud.client("lambda").update_event_source_mapping(UUID=mapping.uuid, Enabled=True)


def scheduled(cloud: AppCloud) -> None:
    """A schedule that is due, one that was added at run time, and past fires."""
    operator(cloud).schedules.add("plain", "tenant", At(cloud.now + timedelta(hours=1)))
    cloud.advance(hours=6)
    operator(cloud).backfill(PLAIN, cloud.now - timedelta(days=3), cloud.now - timedelta(days=1))
    cloud.fire("plain")  # the past gives way to it
    cloud.advance(hours=2)


def missed(cloud: AppCloud) -> None:
    """A fire that never came."""
    cloud.advance(minutes=20)
    for schedule in cloud.deployment.schedules:
        cloud.client("scheduler").delete_schedule(Name=schedule.name, GroupName=schedule.group)
    cloud.advance(hours=6)


PLAYS = (runs, keeper, scheduled, missed)
