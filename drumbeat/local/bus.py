"""Event buses: what PutEvents puts is matched with the rules of its bus and delivered by us."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from .deployment import Rule
from .inputs import rule_input
from .patterns import matches
from .undelivered import Parcel, always
from .world import World, name_of

KEEP = 20_000  # events


class Bus:
    """All event buses of the account; rules by ARN."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = world.seeds.stream("bus")
        self.rules: dict[str, Rule] = {rule.arn: rule for rule in world.deployment.rules}
        self.events: deque[dict[str, Any]] = deque(maxlen=KEEP)

    def put(
        self,
        bus: str,
        *,
        source: str,
        detail_type: str,
        detail: Any,
        resources: Sequence[str] = (),
        time: str | None = None,
    ) -> str:
        """Take an event and send it to the targets of the rules that match; returns its id."""
        world = self._world
        event_id = world.uuid(self._rng)
        event = {
            "version": "0",
            "id": event_id,
            "detail-type": detail_type,
            "source": source,
            "account": world.deployment.account,
            "time": time or f"{world.clock.now:%Y-%m-%dT%H:%M:%SZ}",
            "region": world.deployment.region,
            "resources": list(resources),
            "detail": detail,
        }
        self.events.append(event)
        world.log.add("event", detail_type, bus=bus, source=source, id=event_id)
        for rule in list(self.rules.values()):
            if rule.pattern is not None and rule.enabled and name_of(rule.bus) == bus and matches(rule.pattern, event):
                self.send(rule, event)
        return event_id

    def send(self, rule: Rule, event: Mapping[str, Any]) -> None:
        """To all targets of a rule."""
        world = self._world
        for target in rule.targets:
            text = rule_input(target, event, rule_arn=rule.arn, rule_name=rule.name)
            parcel = Parcel(
                target=target,
                text=always(text),
                event=event,
                principal="events.amazonaws.com",
                source_arn=rule.arn,
                event_id=event["id"],
            )
            world.delivery.later(parcel, delay_ns=world.latency.draw(world.latency.rule, self._rng))
