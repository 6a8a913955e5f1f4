"""What a creator works with: the resource as declared, the stack it is in, and the cloud to create it in."""

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from drumbeat.local.assembly import Assembly
from drumbeat.local.clients import Clients
from drumbeat.local.errors import ResourceRejected
from drumbeat.local.facts import Facts
from drumbeat.local.template import Created

_HASH_CHARS = 12


@dataclass(frozen=True)
class Context:
    """One stack under deployment. `notice` tells the user, once, of what is left out."""

    stack: str
    account: str
    region: str
    clients: Clients
    assembly: Assembly
    facts: Facts
    notice: Callable[[str], None]
    nested: Callable[["Declared", Path], Created]
    partition: str = "aws"

    def client(self, service: str) -> Any:
        return self.clients.client(service, self.region)

    def arn(self, service: str, resource: str, *, region: str | None = None, account: str | None = None) -> str:
        where = self.region if region is None else region
        return f"arn:{self.partition}:{service}:{where}:{self.account if account is None else account}:{resource}"

    def digest(self, *parts: str) -> str:
        """Return 40 hex digits that are the same for the same stack, and differ for others."""
        text = "\0".join([self.account, self.region, self.stack, *parts])
        return hashlib.sha256(text.encode()).hexdigest()[:40]

    def uuid(self, *parts: str) -> str:
        """Return a digest in the form of a UUID."""
        return str(uuid.UUID(self.digest(*parts)[:32]))


@dataclass(frozen=True)
class Declared:
    """A resource of the template, with its properties resolved."""

    context: Context
    logical_id: str
    type: str
    properties: Mapping[str, Any]

    def get(self, name: str, default: Any = None) -> Any:
        return self.properties.get(name, default)

    def pick(self, *names: str) -> dict[str, Any]:
        """Return those of the named properties that the template sets."""
        return {name: self.properties[name] for name in names if name in self.properties}

    def name(self, given: str | None, *, limit: int, suffix: str = "", lower: bool = False) -> str:
        """Return the name that the template gives, or one like CloudFormation's: stack, logical id, twelve characters.

        The stack's part is shortened first, then the logical id's, to keep to the service's `limit`.
        """
        if given:
            return given
        tail = f"-{self.context.digest(self.logical_id)[:_HASH_CHARS].upper()}{suffix}"
        room = limit - len(tail) - 1
        logical_id = self.logical_id[: max(room // 2, room - len(self.context.stack))]
        text = f"{self.context.stack[: room - len(logical_id)]}-{logical_id}{tail}"
        return text.lower() if lower else text

    def reject(self, why: str) -> NoReturn:
        """Refuse what a real deployment would refuse, or what would only fail later."""
        raise ResourceRejected(f"stack {self.context.stack!r}, {self.logical_id} ({self.type}): {why}")


Creator = Callable[[Declared], Created]


def number(value: Any) -> int:
    """Return a property that CloudFormation accepts as number or as text."""
    return int(value)


def flag(value: Any) -> bool:
    """Return a property that CloudFormation accepts as boolean or as text."""
    return value is True or str(value).lower() == "true"


def text(value: Any) -> str:
    """Return a value as an attribute's text: JSON where it is a document, true or false where it is boolean."""
    return json.dumps(value) if isinstance(value, bool | dict | list) else str(value)


def document(value: Any) -> dict[str, Any]:
    """Return a property that may be a document or its JSON text; {} where it isn't set."""
    parsed: dict[str, Any] = json.loads(value) if isinstance(value, str) else value or {}
    return parsed


def tags(declared: Declared) -> list[dict[str, str]]:
    """Return the Tags property as the list of Key and Value that most services take."""
    given = declared.get("Tags") or []
    if isinstance(given, Mapping):
        return [{"Key": key, "Value": str(value)} for key, value in given.items()]
    return [{"Key": tag["Key"], "Value": str(tag["Value"])} for tag in given]
