"""SNS Publish: to the topic's queues and functions, through our own delivery.

https://docs.aws.amazon.com/sns/latest/api/API_Publish.html. Phones, mail and mobile endpoints are left to moto.
"""

from typing import Any

from .items import Unusual
from .services import Answer, Call
from .world import World


class SnsApi:
    """Operations by name, for the gateway."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.answers: dict[str, Answer] = {"Publish": self.publish, "PublishBatch": self.publish_batch}

    def publish(self, call: Call) -> dict[str, Any]:
        return {"MessageId": self._publish(call, call.params)}

    def publish_batch(self, call: Call) -> dict[str, Any]:
        topic = {"TopicArn": call.params["TopicArn"]}
        entries = call.params["PublishBatchRequestEntries"]
        done = [{"Id": entry["Id"], "MessageId": self._publish(call, {**topic, **entry})} for entry in entries]
        return {"Successful": done, "Failed": []}

    def _publish(self, call: Call, message: dict[str, Any]) -> str:
        arn = message.get("TopicArn") or message.get("TargetArn") or ""
        if message.get("MessageStructure") or arn.endswith(".fifo") or ":endpoint/" in arn or not arn:
            raise Unusual(arn)
        invocation = call.invocation
        return self._world.delivery.publish(
            arn,
            message["Message"],
            source=invocation.function.name if invocation is not None else "operator",
            subject=message.get("Subject"),
            attributes=message.get("MessageAttributes"),
            lineage=invocation.lineage if invocation is not None else None,
        )
