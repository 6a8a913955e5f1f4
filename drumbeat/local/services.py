"""What an AWS call is for the gateway, and the errors that AWS would answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .sandbox import Invocation

Params = dict[str, Any]
Answer = Callable[["Call"], dict[str, Any]]


class ServiceError(Exception):
    """An error answer of AWS; it reaches the caller as botocore's ClientError."""

    def __init__(self, code: str, message: str, status: int = 400, fields: Any = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.fields = code, message, status, dict(fields or {})

    def parsed(self) -> dict[str, Any]:
        error = {"Code": self.code, "Message": self.message, "Type": "Sender" if self.status < 500 else "Receiver"}  # noqa: PLR2004
        return {"Error": error, **self.fields}


@dataclass(slots=True)
class Call:
    """One boto3 call. `invocation` is None for the operator's own."""

    service: str
    operation: str
    params: Params
    invocation: "Invocation | None" = None
    attempts: int = 0
    counted: bool = False
    reply: dict[str, Any] | None = None
    notes: dict[str, Any] = field(default_factory=dict)
