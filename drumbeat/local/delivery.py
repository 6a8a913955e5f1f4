"""From one service to another: rules, schedules and destinations to functions, queues, topics, buses and logs.

What can't be delivered is tried again or given up, as
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html says of rules and
https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html of schedules: with exponential back-off
and jitter until MaximumRetryAttempts (185) or MaximumEventAgeInSeconds (a day) is reached. A missing permission or a
target that doesn't exist isn't tried again: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html.
Neither page tells the pauses; here they double from one second to ten minutes, so that 185 attempts take about a day.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .bucket_events import put_record
from .clock import SECOND
from .sending import ACTIONS, Sender
from .services import ServiceError
from .undelivered import Parcel, attributes, body, queue_params, retryable
from .universal import Universal, is_universal
from .world import World, name_of, service_of

LONGEST_PAUSE_S = 600


class Delivery(Sender):
    """Sends on behalf of AWS services, with their permissions, retries and dead-letter queues."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._jitter = world.seeds.stream("delivery retries")
        self._universal = Universal(world)
        self.pending = 0

    # -- rules and schedules -------------------------------------------------------------------------------

    def later(self, parcel: Parcel, *, delay_ns: int) -> None:
        """Deliver after a delay: once, or as often and as late as the faults say."""
        for extra in self._world.faults.deliveries(parcel.principal, parcel.source_arn, parcel.target.arn):
            self.pending += 1
            wait = delay_ns + int(extra * SECOND)
            self._world.loop.after(wait, self._attempt, replace(parcel, born_ns=self._world.clock.ns + wait))

    def _attempt(self, parcel: Parcel) -> None:
        world, target = self._world, parcel.target
        try:
            self._deliver(parcel)
        except ServiceError as error:
            world.log.add(
                "deliver.failed",
                name_of(parcel.source_arn),
                target=target.arn,
                error=error.code,
                message=error.message,
                **({"retries": parcel.retries} if parcel.retries else {}),
            )
            exhausted = self._exhausted(parcel, error)
            if exhausted is None:
                parcel.retries += 1
            else:
                self.pending -= 1
                self._give_up(parcel, error, exhausted)
        else:
            self.pending -= 1
            world.log.add("deliver", name_of(parcel.source_arn), target=name_of(target.arn), event=parcel.event_id)

    def _deliver(self, parcel: Parcel) -> None:
        world, target = self._world, parcel.target
        injected = world.faults.delivery_error(
            parcel.principal, parcel.source_arn, target.arn, attempt=parcel.retries + 1
        )
        if injected is not None:
            raise ServiceError(injected, "injected", 429)
        source = f"{parcel.principal.partition('.')[0]} {name_of(parcel.source_arn)}"
        text = parcel.text(parcel.retries + 1)
        if is_universal(target.arn):
            self._universal.call(target.arn, text, role_arn=target.role_arn, source=source)
            return
        self._allow(ACTIONS.get(service_of(target.arn)), target.arn, parcel)
        self.send(target.arn, text, source=source, group=target.message_group_id, lineage=parcel.lineage)

    def _exhausted(self, parcel: Parcel, error: ServiceError) -> str | None:
        """Why there is no further attempt ("" if the error is permanent); else set its timer and return None."""
        if not retryable(error):
            return ""
        if parcel.retries >= parcel.target.max_retry_attempts:
            return "MaximumRetryAttempts"
        pause = int(min(2**parcel.retries, LONGEST_PAUSE_S) * (0.5 + 0.5 * self._jitter.random()) * SECOND)
        if self._world.clock.ns + pause - parcel.born_ns > parcel.target.max_event_age_s * SECOND:
            return "MaximumEventAgeInSeconds"
        self._world.loop.after(pause, self._attempt, parcel)
        return None

    def _give_up(self, parcel: Parcel, error: ServiceError, exhausted: str) -> None:
        """To the dead-letter queue, if there is one that the service may send to; else the event is gone."""
        world, queue_arn = self._world, parcel.target.dead_letter_arn
        if queue_arn is None:
            world.log.add("deliver.dropped", name_of(parcel.source_arn), target=parcel.target.arn, error=error.code)
            return
        try:
            self._allow(ACTIONS["sqs"], queue_arn, parcel)
            self.send(
                queue_arn,
                body(parcel, queue_params(parcel.target, world.queues)),
                source=parcel.principal,
                attributes=attributes(parcel, error, exhausted),
            )
        except ServiceError as refusal:
            world.log.add(
                "deliver.dropped",
                name_of(parcel.source_arn),
                target=queue_arn,
                error=refusal.code,
                message=refusal.message,
            )
        else:
            world.log.add("deliver.dead", name_of(parcel.source_arn), queue=name_of(queue_arn), error=error.code)

    def _allow(self, action: str | None, arn: str, parcel: Parcel) -> None:
        if self._world.authorizer is None or action is None:
            return
        decision = self._world.authorizer.check_service(
            parcel.principal, action, arn, parcel.source_arn, parcel.target.role_arn
        )
        if not decision.allowed:
            raise ServiceError(decision.code, decision.message, 403)

    # -- asynchronous invocations --------------------------------------------------------------------------

    def destination(self, arn: str, record: Mapping[str, Any], *, role_arn: str) -> None:
        """The record of an asynchronous invocation, to its destination, with the permissions of the function's role.

        https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html: what can't be sent only shows
        in the metric DestinationDeliveryFailures; here it is `destination.failed` in the log.
        """
        function_arn = record["requestContext"]["functionArn"]
        try:
            self._allow_role(arn, function_arn, role_arn)
            if service_of(arn) == "events":
                self._announce(arn, record)
            elif service_of(arn) == "s3":
                self._store(arn, record, role_arn)
            else:
                self.send(arn, json.dumps(record), source="lambda")
        except ServiceError as error:
            self._failed(function_arn, arn, error)

    def dead_letter(
        self, arn: str, text: str, *, attributes: Mapping[str, Any], function_arn: str, role_arn: str
    ) -> None:
        """An event that a function failed on, to the function's own dead-letter queue or topic."""
        try:
            self._allow_role(arn, function_arn, role_arn)
            self.send(arn, text, source="lambda", attributes=attributes)
        except ServiceError as error:
            self._failed(function_arn, arn, error)

    def _allow_role(self, arn: str, function_arn: str, role_arn: str) -> None:
        action, authorizer = ACTIONS.get(service_of(arn)), self._world.authorizer
        if authorizer is None or action is None:
            return
        decision = authorizer.check_service("lambda.amazonaws.com", action, arn, function_arn, role_arn)
        if not decision.allowed:
            raise ServiceError(decision.code, decision.message, 403)

    def _announce(self, arn: str, record: Mapping[str, Any]) -> None:
        context = record["requestContext"]
        kind = "Success" if context["condition"] == "Success" else "Failure"
        self._world.bus.put(
            name_of(arn),
            source="lambda",
            detail_type=f"Lambda Function Invocation Result - {kind}",
            detail=dict(record),
            resources=[arn, context["functionArn"]],
        )

    def _store(self, arn: str, record: Mapping[str, Any], role_arn: str) -> None:
        """Into a bucket: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html."""
        world, context = self._world, record["requestContext"]
        now, function_arn = world.clock.now, context["functionArn"]
        name = function_arn.removesuffix(":$LATEST").rpartition(":")[2]
        key = f"aws/lambda/async/{name}/{now:%Y/%m/%d}/{now:%Y-%m-%dT%H.%M.%S}-{world.uuid(self._rng)}"
        if world.authorizer is not None:
            needed = f"{arn}/{key}"
            decision = world.authorizer.check_service(
                "lambda.amazonaws.com", "s3:PutObject", needed, function_arn.removesuffix(":$LATEST"), role_arn
            )
            if not decision.allowed:
                raise ServiceError(decision.code, decision.message, 403)
        put_record(world, arn.rpartition(":")[2], key, json.dumps(record))

    def _failed(self, function_arn: str, arn: str, error: ServiceError) -> None:
        name = name_of(function_arn.removesuffix(":$LATEST"))
        self._world.log.add("destination.failed", name, target=arn, error=error.code, message=error.message)
