"""The runtime operations of SQS, answered from our store with AWS's limits and errors.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from .baton import current
from .clock import SECOND
from .message import IN_FLIGHT, Message, attributes_md5, sequence_text, size_of
from .queue_attributes import attributes_of
from .redrive import Moves
from .services import Answer, Call, ServiceError
from .sqs import Store
from .sqs_limits import ENTRIES, PREFIX, check_message
from .world import World

LONGEST_VISIBILITY_S = 43_200


class SqsApi:
    """Operations by name, for the gateway."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.answers: dict[str, Answer] = {
            "SendMessage": self.send,
            "SendMessageBatch": self.send_batch,
            "ReceiveMessage": self.receive,
            "DeleteMessage": self.delete,
            "DeleteMessageBatch": self.delete_batch,
            "ChangeMessageVisibility": self.change,
            "ChangeMessageVisibilityBatch": self.change_batch,
            "PurgeQueue": self.purge,
            "GetQueueAttributes": self.attributes,
            **Moves(world).answers,
        }

    def _store(self, call: Call) -> Store:
        url = call.params["QueueUrl"]
        store = self._world.queues.by_url(url)
        if store is None:
            raise ServiceError(
                f"{PREFIX}NonExistentQueue",
                f"The specified queue does not exist: {url}",
                fields={"QueryErrorCode": "QueueDoesNotExist"},
            )
        return store

    # -- send ----------------------------------------------------------------------------------------------

    def _enqueue(self, store: Store, entry: Mapping[str, Any], call: Call) -> dict[str, Any]:
        queue = store.queue
        body, attributes = entry["MessageBody"], entry.get("MessageAttributes")
        check_message(entry)
        if size_of(body, attributes) > queue.max_message_bytes:
            raise ServiceError(
                "InvalidParameterValue",
                "One or more parameters are invalid. "
                f"Reason: Message must be shorter than {queue.max_message_bytes} bytes.",
            )
        delay = entry.get("DelaySeconds")
        group, deduplication = entry.get("MessageGroupId"), entry.get("MessageDeduplicationId")
        if queue.fifo:
            if group is None:
                raise ServiceError("MissingParameter", "The request must contain the parameter MessageGroupId.")
            if deduplication is None and queue.content_based_deduplication:
                deduplication = hashlib.sha256(body.encode()).hexdigest()
            if deduplication is None:
                raise ServiceError(
                    "InvalidParameterValue",
                    "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId "
                    "provided explicitly",
                )
        invocation = call.invocation
        trace = (entry.get("MessageSystemAttributes") or {}).get("AWSTraceHeader", {}).get("StringValue")
        message = store.send(
            body,
            sender=invocation.function.name if invocation is not None else "operator",
            attributes=attributes,
            delay_s=delay,
            group=group,
            deduplication=deduplication,
            trace=trace or (invocation.trace if invocation is not None else None),
            lineage=invocation.lineage if invocation is not None else None,
        )
        answer = {"MessageId": message.id, "MD5OfMessageBody": message.md5()}
        if attributes:
            answer["MD5OfMessageAttributes"] = attributes_md5(attributes)
        if queue.fifo:
            answer["SequenceNumber"] = sequence_text(message.sequence)
        return answer

    def send(self, call: Call) -> dict[str, Any]:
        return self._enqueue(self._store(call), call.params, call)

    def send_batch(self, call: Call) -> dict[str, Any]:
        store = self._store(call)
        refused = call.notes.get("refuse", ())  # by the faults
        return self._batch(call, lambda entry: self._enqueue(store, entry, call), refused)

    def _batch(
        self, call: Call, one: Callable[[Mapping[str, Any]], dict[str, Any]], refused: Any = ()
    ) -> dict[str, Any]:
        done, failed = [], []
        for entry in call.params["Entries"]:
            if entry["Id"] in refused:
                failed.append(_failed(entry["Id"], ServiceError("InternalError", "Internal Error", 500)))
                continue
            try:
                done.append({"Id": entry["Id"], **one(entry)})
            except ServiceError as error:
                failed.append(_failed(entry["Id"], error))
        answer: dict[str, Any] = {"Successful": done}
        if failed:
            answer["Failed"] = failed
        return answer

    # -- receive -------------------------------------------------------------------------------------------

    def receive(self, call: Call) -> dict[str, Any]:
        """With a long poll the caller waits in virtual time, never in real time."""
        store, params = self._store(call), call.params
        most = params.get("MaxNumberOfMessages", 1)
        if not 1 <= most <= ENTRIES:
            raise ServiceError(
                "InvalidParameterValue",
                f"Value {most} for parameter MaxNumberOfMessages is invalid. "
                "Reason: Must be between 1 and 10, if provided.",
            )
        wait = params.get("WaitTimeSeconds", store.queue.receive_wait_s)
        until = self._world.clock.ns + wait * SECOND
        messages = store.receive(most, visibility_s=params.get("VisibilityTimeout"))
        while not messages and self._world.clock.ns < until:
            self._wait(store, until)
            messages = store.receive(most, visibility_s=params.get("VisibilityTimeout"))
        if not messages:
            return {}
        return {"Messages": [_shown(message, params) for message in messages]}

    def _wait(self, store: Store, until: int) -> None:
        strand, loop = current(), self._world.loop
        if strand is None:
            loop.watched(store.watch, store.unwatch, lambda: store.visible > 0, until)
            return
        store.watch(strand.unpark)
        try:
            strand.park(until - loop.clock.ns)
        finally:
            store.unwatch(strand.unpark)

    # -- delete and visibility -----------------------------------------------------------------------------

    def delete(self, call: Call) -> dict[str, Any]:
        store = self._store(call)
        self._delete(store, call.params["ReceiptHandle"])
        return {}

    def delete_batch(self, call: Call) -> dict[str, Any]:
        store = self._store(call)
        return self._batch(call, lambda entry: self._delete(store, entry["ReceiptHandle"]))

    def _delete(self, store: Store, receipt: str) -> dict[str, Any]:
        if not store.knows(receipt):
            raise ServiceError(
                "ReceiptHandleIsInvalid", f'The input receipt handle "{receipt}" is not a valid receipt handle.', 404
            )
        store.delete(receipt)
        return {}

    def change(self, call: Call) -> dict[str, Any]:
        return self._change(self._store(call), call.params)

    def change_batch(self, call: Call) -> dict[str, Any]:
        store = self._store(call)
        return self._batch(call, lambda entry: self._change(store, entry))

    def _change(self, store: Store, entry: Mapping[str, Any]) -> dict[str, Any]:
        receipt, seconds = entry["ReceiptHandle"], entry.get("VisibilityTimeout", store.queue.visibility_timeout_s)
        if not store.knows(receipt):
            raise ServiceError(
                "ReceiptHandleIsInvalid", f'The input receipt handle "{receipt}" is not a valid receipt handle.', 404
            )
        if not 0 <= seconds <= LONGEST_VISIBILITY_S:
            raise ServiceError(
                "InvalidParameterValue",
                f"Value {seconds} for parameter VisibilityTimeout is invalid. "
                f"Reason: Must be between 0 and {LONGEST_VISIBILITY_S}.",
            )
        store.settle()
        message = store.find(receipt)
        if message is None or message.state != IN_FLIGHT:
            raise ServiceError(
                "InvalidParameterValue",
                f"Value {receipt} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not "
                "available for visibility timeout change.",
            )
        store.change_visibility(message, seconds)
        return {}

    # -- the queue as a whole ------------------------------------------------------------------------------

    def purge(self, call: Call) -> dict[str, Any]:
        self._store(call).purge()
        return {}

    def attributes(self, call: Call) -> dict[str, Any]:
        return {"Attributes": attributes_of(self._store(call), call.params.get("AttributeNames", ()))}


def _failed(entry_id: str, error: ServiceError) -> dict[str, Any]:
    return {"Id": entry_id, "SenderFault": error.status < 500, "Code": error.code, "Message": error.message}  # noqa: PLR2004


def _shown(message: Message, params: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "MD5OfBody": message.md5(),
        "Body": message.body,
    }
    names = {*params.get("AttributeNames", ()), *params.get("MessageSystemAttributeNames", ())}
    if names:
        system = message.system_attributes()
        shown["Attributes"] = {key: value for key, value in system.items() if "All" in names or key in names}
    wanted = params.get("MessageAttributeNames", ())
    if wanted and message.attributes:
        found = {
            name: dict(value)
            for name, value in message.attributes.items()
            if any(
                want in ("All", ".*", name) or (want.endswith(".*") and name.startswith(want[:-2])) for want in wanted
            )
        }
        if found:
            shown["MessageAttributes"] = found
            shown["MD5OfMessageAttributes"] = attributes_md5(found)
    return shown
