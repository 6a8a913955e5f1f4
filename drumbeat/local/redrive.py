"""Message move tasks: a whole dead-letter queue back to where its messages came from, paced.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html: one active task per
queue, at most 500 messages a second; what expires on the way is lost.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any

from .clock import SECOND
from .services import Answer, Call, ServiceError
from .sqs import Store
from .world import World

MOST_PER_SECOND = 500


@dataclass
class _Task:
    source: Store
    destination_arn: str | None
    per_second: int
    total: int
    started_ms: int
    moved: int = 0
    status: str = "RUNNING"


class Moves:
    """The move tasks, by handle."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = world.seeds.stream("redrive")
        self._tasks: dict[str, _Task] = {}
        self.answers: dict[str, Answer] = {
            "StartMessageMoveTask": self.start,
            "ListMessageMoveTasks": self.list,
            "CancelMessageMoveTask": self.cancel,
        }

    def start(self, call: Call) -> dict[str, Any]:
        world, arn = self._world, call.params["SourceArn"]
        source = world.queues.by_arn(arn)
        if source is None:
            raise ServiceError(
                "ResourceNotFoundException",
                "The resource that you specified for the SourceArn parameter doesn't exist.",
                404,
            )
        if not any(store.queue.dead_letter_arn == arn for store in world.queues.stores.values()):
            raise ServiceError("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
        if any(task.source is source and task.status == "RUNNING" for task in self._tasks.values()):
            raise ServiceError(
                "InvalidParameterValue",
                "There is already a task running. Only one active task is allowed for a source queue arn "
                "at a given time.",
            )
        rate = min(call.params.get("MaxNumberOfMessagesPerSecond", MOST_PER_SECOND), MOST_PER_SECOND)
        number = len(self._tasks) + 1
        handle = base64.b64encode(json.dumps({"taskId": str(number), "sourceArn": arn}).encode()).decode()
        task = _Task(source, call.params.get("DestinationArn"), rate, source.visible, world.clock.ns // 1_000_000)
        self._tasks[handle] = task
        world.log.add("redrive.start", source.queue.name, messages=task.total)
        world.loop.after(SECOND, self._step, task)
        return {"TaskHandle": handle}

    def _step(self, task: _Task) -> None:
        world = self._world
        if task.status == "CANCELLING":
            task.status = "CANCELLED"
        if task.status != "RUNNING":
            return
        for message in task.source.take_visible(task.per_second):
            arn = task.destination_arn or message.source_arn or ""
            target = world.queues.by_arn(arn)
            if target is None:
                task.status = "FAILED"
                task.source.accept(message, message.source_arn)
                return
            message.receive_count, message.first_received_ms = 0, None
            # "Redriven messages are considered new messages with a new messageID and enqueueTime"
            message.id, message.sent_ms = world.uuid(self._rng), world.clock.ns // 1_000_000
            target.accept(message, None)
            task.moved += 1
        if task.source.visible and task.moved < task.total:
            world.loop.after(SECOND, self._step, task)
        else:
            task.status = "COMPLETED"
            world.log.add("redrive.end", task.source.queue.name, messages=task.moved)

    def list(self, call: Call) -> dict[str, Any]:
        found = []
        for handle, task in reversed(self._tasks.items()):
            if task.source.queue.arn != call.params["SourceArn"]:
                continue
            shown: dict[str, Any] = {
                "Status": task.status,
                "SourceArn": task.source.queue.arn,
                "MaxNumberOfMessagesPerSecond": task.per_second,
                "ApproximateNumberOfMessagesMoved": task.moved,
                "ApproximateNumberOfMessagesToMove": task.total,
                "StartedTimestamp": task.started_ms,
            }
            if task.status == "RUNNING":
                shown["TaskHandle"] = handle
            if task.destination_arn:
                shown["DestinationArn"] = task.destination_arn
            found.append(shown)
        return {"Results": found[: call.params.get("MaxResults", 1)]}

    def cancel(self, call: Call) -> dict[str, Any]:
        task = self._tasks.get(call.params["TaskHandle"])
        if task is None or task.status != "RUNNING":
            raise ServiceError("ResourceNotFoundException", "Task does not exist.", 404)
        task.status = "CANCELLING"
        return {"ApproximateNumberOfMessagesMoved": task.moved}
