"""A row of the table: one behaviour that AWS documents, where it does, and a check of it on the local cloud."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drumbeat.local import LocalCloud
from tests.local.engine.conftest import START, App

LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/"
SQS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"
SQS_API = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/"
EVENTS = "https://docs.aws.amazon.com/eventbridge/latest/userguide/"
SCHEDULER = "https://docs.aws.amazon.com/scheduler/latest/UserGuide/"
SNS = "https://docs.aws.amazon.com/sns/latest/dg/"
S3 = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/"
DYNAMODB = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"

PRINT = "import json\ndef handler(event, context): print(json.dumps(event))"
FAIL = "def handler(event, context): raise ValueError('no')"
BODIES = """
    import json
    def handler(event, context):
        bodies = [record["body"] for record in event["Records"]]
        print(json.dumps(bodies))
        if "boom" in bodies:
            raise RuntimeError("boom")
        return json.loads(next((body[7:] for body in bodies if body.startswith("answer:")), "null"))
"""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    sentence: str
    source: str
    check: Callable[["Lab"], None]


def row(sentence: str, source: str) -> Callable[[Callable[["Lab"], None]], Row]:
    """Make a row of a check."""
    return lambda check: Row(sentence, source, check)


def arn(name: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, "Arn"]}


class Lab(App):
    """A template in the making, then the cloud that it runs in."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        super().__init__(directory)
        self._stack = stack
        self.cloud: LocalCloud

    def open(self, **options: Any) -> LocalCloud:
        self.cloud = self._stack.enter_context(LocalCloud(self.write(), **{"start": START, **options}))
        return self.cloud

    def worker(self, code: str = BODIES, *, queue: Any = None, function: Any = None, **mapping: Any) -> None:
        """A queue `Work`, its dead-letter queue `Dead` and a function `worker` that is mapped to it."""
        fifo = {"FifoQueue": True} if (queue or {}).get("FifoQueue") else {}
        self.add("Dead", "AWS::SQS::Queue", QueueName="Dead.fifo" if fifo else "Dead", **fifo)
        name = "Work.fifo" if fifo else "Work"
        given = {"VisibilityTimeout": 60, "RedrivePolicy": redrive("Dead", 3), **(queue or {})}
        self.add("Work", "AWS::SQS::Queue", QueueName=name, **given)
        self.function("worker", code, **(function or {}))
        self.mapping("Work", "worker", **mapping)

    def schedule(self, name: str, expression: str, to: str = "one", /, **more: Any) -> None:
        window = more.pop("window", 0)
        target = {"Arn": arn(to), "RoleArn": arn("Role"), **more.pop("target", {})}
        flexible = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": window} if window else {"Mode": "OFF"}
        given = {"ScheduleExpression": expression, "FlexibleTimeWindow": flexible, "Target": target}
        self.add(name, "AWS::Scheduler::Schedule", Name=name, **given, **more)

    def asynchronous(self, name: str, **settings: Any) -> None:
        self.add(f"{name}Config", "AWS::Lambda::EventInvokeConfig", FunctionName=name, Qualifier="$LATEST", **settings)
        self.resources[f"{name}Config"]["DependsOn"] = name

    def let_send(self, queue: str, service: str) -> None:
        """Give a queue the policy that lets a service send to it."""
        allow = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:SendMessage"}
        statement = {**allow, "Resource": arn(queue)}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        self.add(f"{queue}Policy", "AWS::SQS::QueuePolicy", Queues=[{"Ref": queue}], PolicyDocument=document)

    # -- in the cloud --------------------------------------------------------------------------------------

    def url(self, queue: str) -> str:
        return next(one.url for one in self.cloud.deployment.queues if queue in (one.logical_id, one.name))

    def send(self, queue: str, *bodies: str, **more: Any) -> list[str]:
        sqs, url = self.cloud.client("sqs"), self.url(queue)
        return [sqs.send_message(QueueUrl=url, MessageBody=body, **more)["MessageId"] for body in bodies]

    def receive(self, queue: str, **more: Any) -> list[dict[str, Any]]:
        asked = {"MaxNumberOfMessages": 10, "AttributeNames": ["All"], "MessageAttributeNames": ["All"], **more}
        found: list[dict[str, Any]] = (
            self.cloud.client("sqs").receive_message(QueueUrl=self.url(queue), **asked).get("Messages", [])
        )
        return found

    def printed(self, function: str = "one") -> list[Any]:
        """What a function printed, as JSON; nothing of its errors."""
        return [json.loads(line.text) for line in self.cloud.logs(function) if line.text[:1] in '[{"0123456789'
                and not line.text.startswith("[ERROR]")]  # fmt: skip

    def peak(self, function: str) -> int:
        return max((active for _, active in self.cloud.samples.get(function, [])), default=0)


def redrive(queue: str, times: int) -> dict[str, Any]:
    return {"deadLetterTargetArn": arn(queue), "maxReceiveCount": times}
