"""A kept cloud, each use of which is a command of its own, and small apps for it."""

import json
from datetime import UTC, datetime
from typing import Any

from drumbeat.local.kept import KeptCloud

START = datetime(2026, 3, 1, tzinfo=UTC)
PRINT = """
import json
def handler(event, context):
    print(json.dumps(event, default=repr))
"""
SLOW = """
import json, time
def handler(event, context):
    time.sleep(4)
    failed = [record["messageId"] for record in event["Records"] if "bad" in record["body"]]
    print(json.dumps([record["body"] for record in event["Records"]]))
    return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}
"""
FAIL = """
def handler(event, context):
    print("tried", context.aws_request_id)
    raise ValueError("no")
"""


def tree(folder):
    """All files with their content, but for what a command only works with."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".drumbeat" not in path.parts
    }


class Keeper:
    """Each use is a command: the cloud is loaded, used and saved."""

    def __init__(self, folder, app) -> None:
        self.folder = folder
        self.app = app
        self.logs = []

    def create(self, **options: Any):
        with KeptCloud.create(self.folder, self.app.write(), **{"start": START, **options}) as cloud:
            assert cloud.save()

    def __call__(self, do, **options: Any) -> Any:
        with KeptCloud.load(self.folder, **options) as cloud:
            found = do(cloud)
            cloud.save()
            self.logs += [line.text for function in cloud.functions() for line in cloud.logs(function.name)]
        with KeptCloud.load(self.folder) as cloud:
            cloud._world.heard.wrote = True  # or it wouldn't compare
            assert not cloud.save(), "what was loaded isn't what was saved"
        return found

    def said(self):
        """What handlers printed as JSON."""
        return [json.loads(text) for text in self.logs if text.startswith(("[", "{")) and "[ERROR]" not in text]


def redriven(app, **properties: Any):
    app.queue("Dead")
    target = {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 2}
    app.queue("Work", **{"VisibilityTimeout": 60, "RedrivePolicy": target, **properties})


def work(app, code=SLOW, *, concurrency=None, **properties: Any):
    redriven(app, **properties)
    more = {"ReservedConcurrentExecutions": concurrency} if concurrency else {}
    app.function("worker", code, **more)
    app.mapping("Work", "worker", BatchSize=2, FunctionResponseTypes=["ReportBatchItemFailures"])


def send(cloud, *bodies: str, queue="Work", **more: Any):
    for body in bodies:
        cloud.client("sqs").send_message(QueueUrl=cloud.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"],
                                         MessageBody=body, **more)  # fmt: skip


def receive(cloud, queue="Work", **more: Any):
    url = cloud.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]
    asked = {"MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"], **more}
    return cloud.client("sqs").receive_message(QueueUrl=url, **asked).get("Messages", [])


def bodies(cloud, queue="Work"):
    return [message["Body"] for message in receive(cloud, queue)]
