"""Handing a text over to what an ARN names: a function, queue, topic, bus or log group."""

import json
from collections.abc import Mapping
from typing import Any

from .services import ServiceError
from .world import World, function_name, name_of, service_of

ACTIONS = {
    "lambda": "lambda:InvokeFunction",
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "events": "events:PutEvents",
}


class Sender:
    """Sends on behalf of AWS services; whether it may is decided before."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = world.seeds.stream("delivery")
        self._told: set[str] = set()  # subscriptions that nothing here delivers to, said once

    def send(
        self,
        arn: str,
        text: str,
        *,
        source: str,
        attributes: Mapping[str, Any] | None = None,
        group: str | None = None,
        lineage: Mapping[str, int] | None = None,
    ) -> None:
        """Hand a text over to what an ARN names; raises ServiceError if there is no such thing."""
        world = self._world
        service = service_of(arn)
        if service == "lambda":
            if world.functions.function(arn) is None:
                raise ServiceError("ResourceNotFoundException", f"Function not found: {arn}", 404)
            world.async_queue.accept(function_name(arn), text, source=source, lineage=lineage)
        elif service == "sqs":
            store = world.queues.by_arn(arn)
            if store is None:
                raise ServiceError("AWS.SimpleQueueService.NonExistentQueue", f"The queue {arn} does not exist.")
            deduplication = f"{self._rng.getrandbits(128):032x}" if store.queue.fifo else None
            store.send(
                text,
                sender=source,
                attributes=attributes,
                group=group or ("default" if store.queue.fifo else None),
                deduplication=deduplication,
                lineage=lineage,
            )
        elif service == "sns":
            self.publish(arn, text, source=source, lineage=lineage)
        elif service == "events" and ":event-bus/" in arn:
            self._forward(arn, text)
        elif service == "logs":
            self._log(arn, text)
        else:
            raise ServiceError(
                "UnsupportedTarget",
                f"{source}: the local cloud delivers to functions, queues, topics, buses and log groups, not to {arn}",
            )

    def _forward(self, arn: str, text: str) -> None:
        event = json.loads(text)
        self._world.bus.put(
            name_of(arn),
            source=event["source"],
            detail_type=event["detail-type"],
            detail=event["detail"],
            resources=event.get("resources", []),
        )

    def publish(
        self,
        arn: str,
        text: str,
        *,
        source: str,
        subject: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        lineage: Mapping[str, int] | None = None,
    ) -> str:
        """Pass a message on to a topic's queues and functions; returns its id.

        The envelope: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html.
        """
        from moto.sns.models import sns_backends  # noqa: PLC0415  only with topics

        world = self._world
        backend = sns_backends[world.deployment.account][world.deployment.region]
        if arn not in backend.topics:
            raise ServiceError("NotFound", f"Topic does not exist: {arn}", 404)
        message_id = world.uuid(self._rng)
        stamp = f"{world.clock.now:%Y-%m-%dT%H:%M:%S}.{world.clock.now.microsecond // 1000:03d}Z"
        body = {"Type": "Notification", "MessageId": message_id, "TopicArn": arn, "Message": text, "Timestamp": stamp}
        if subject is not None:
            body["Subject"] = subject
        for subscription in list(backend.subscriptions.values()):
            matcher = subscription._filter_policy_matcher  # noqa: SLF001  moto's, and good
            if subscription.topic.arn != arn or (matcher is not None and not matcher.matches(_shown(attributes), text)):
                continue
            if subscription.protocol == "lambda":
                shown = {**body, "MessageAttributes": _shown(attributes)}
                record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription.arn}
                event = json.dumps({"Records": [{**record, "Sns": shown}]})
                self._pass_on(arn, subscription, event, source=source, lineage=lineage)
            elif subscription.protocol == "sqs":
                raw = str(subscription.attributes.get("RawMessageDelivery")).lower() == "true"
                envelope = {**body, "MessageAttributes": _shown(attributes)} if attributes else body
                self._pass_on(
                    arn,
                    subscription,
                    text if raw else json.dumps(envelope),
                    source=source,
                    attributes=attributes if raw else None,
                    lineage=lineage,
                )
            elif subscription.arn not in self._told:
                self._told.add(subscription.arn)
                world.log.add("sns.undelivered", name_of(arn), protocol=subscription.protocol)
        return message_id

    def _pass_on(self, topic: str, subscription: Any, text: str, **more: Any) -> None:
        """To one subscriber; its failure is no business of the publisher.

        What the subscriber doesn't allow goes to the subscription's dead-letter queue, if it has one:
        https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html.
        """
        redrive = json.loads(subscription.attributes.get("RedrivePolicy") or "{}").get("deadLetterTargetArn")
        for arn in (subscription.endpoint, redrive):
            if arn is None:
                return
            try:
                self._allow_topic(topic, arn)
                self.send(arn, text, **more)
            except ServiceError as error:
                code = error.code
                self._world.log.add("deliver.failed", name_of(topic), target=arn, error=code, message=error.message)
            else:
                return

    def _allow_topic(self, topic: str, arn: str) -> None:
        action, authorizer = ACTIONS.get(service_of(arn)), self._world.authorizer
        if authorizer is None or action is None:
            return
        decision = authorizer.check_service("sns.amazonaws.com", action, arn, topic)
        if not decision.allowed:
            raise ServiceError(decision.code, decision.message, 403)

    def _log(self, arn: str, text: str) -> None:
        from moto.logs.models import logs_backends  # noqa: PLC0415  only with log groups

        world = self._world
        backend = logs_backends[world.deployment.account][world.deployment.region]
        group = arn.split(":")[6]
        stream = world.uuid(self._rng)
        backend.create_log_stream(group, stream)
        backend.put_log_events(group, stream, [{"timestamp": world.clock.ns // 1_000_000, "message": text}])


def _shown(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        name: {"Type": value["DataType"], "Value": value.get("StringValue", "")}
        for name, value in (attributes or {}).items()
    }
